/**
 * The words of `postern status|top|reload|…` → which primary is asked for what, and how the answer is shown.
 *
 * Only a first word that is exactly a verb counts: an application of that name is written ./status. Asks nobody;
 * verb-runs.ts does.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import { closest } from "../serve/suggestion.ts";
import { controlPlace } from "./control-place.ts";

/** Verbs of the command line. */
export const VERBS = [
  "status",
  "top",
  "workers",
  "reload",
  "upgrade",
  "stop",
  "scale",
  "reopen",
] as const;
/** One of {@link VERBS}. */
export type Verb = (typeof VERBS)[number];

/** A verb with all that belongs to it. */
export interface VerbCommand {
  readonly verb: Verb;
  /** Paths at which the control socket may be, the likeliest first; none for `help`. */
  readonly paths: readonly string[];
  /** Workers, of `scale`. */
  readonly workers: number;
  readonly json: boolean;
  /** Frames of `top`; Infinity: until it is interrupted. */
  readonly frames: number;
  /** Time between them, in milliseconds. */
  readonly intervalMs: number;
  readonly help: boolean;
}

const VALUED = ["control", "pidfile", "socket", "count", "interval"] as const;
const PLAIN = ["json", "help"] as const;
const NAMES: readonly string[] = [...VALUED, ...PLAIN];
type Values = Partial<Record<(typeof VALUED)[number], string>>;

/** Most seconds between two frames. */
const INTERVAL_MAX = 3_600;

function unknown(label: string, name: string): UsageError {
  const meant = closest(name, NAMES);
  const remedy = meant === undefined ? `it takes ${NAMES.join(", ")}` : `did you mean --${meant}?`;
  return new UsageError(`Unknown option ${label}; ${remedy}`, "ERR_UNKNOWN_OPTION");
}

/** What was written, in its parts. */
class Words {
  readonly values: Values = {};
  readonly bare: string[] = [];
  json = false;
  help = false;

  take(name: string, value: string | undefined, label: string): void {
    if (name === "json" || name === "help") {
      this[name] = true;
    } else if ((VALUED as readonly string[]).includes(name)) {
      if (value === undefined || value === "") {
        throw new UsageError(`${label} has no value; write it behind.`);
      }
      this.values[name as keyof Values] = value;
    } else {
      throw unknown(label, name);
    }
  }
}

function split(words: readonly string[]): Words {
  const read = new Words();
  const options = Object.fromEntries(VALUED.map((name) => [name, { type: "string" as const }]));
  const { tokens } = parseArgs({
    args: [...words],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option") {
      const name = token.rawName === "-h" ? "help" : token.name;
      read.take(name, token.value, token.rawName);
    } else if (token.kind === "positional") {
      const word = /^([a-z]+)=(.*)$/is.exec(token.value);
      if (word === null) read.bare.push(token.value);
      else read.take(word[1]!.toLowerCase(), word[2], word[1]!);
    }
  }
  return read;
}

function whole(text: string, label: string, max: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= max) return number;
  throw new UsageError(
    `${label} is ${JSON.stringify(text)}; it takes a whole number from 1 to ${max}.`,
  );
}

function readWorkers(verb: Verb, bare: readonly string[]): number {
  if (verb !== "scale") {
    if (bare.length === 0) return 0;
    throw new UsageError(
      `postern ${verb} takes no word ${JSON.stringify(bare[0])}; an application of that name is written ./${verb}.`,
    );
  }
  if (bare.length === 1) return whole(bare[0]!, "The number of workers", 1_024);
  throw new UsageError('postern scale takes one number of workers, as in "postern scale 4".');
}

/** Where the control socket may be, the likeliest place first. */
function readPaths(values: Values, env: NodeJS.ProcessEnv): string[] {
  const { control, pidfile, socket } = values;
  const isNamed = [control, pidfile, socket].some((value) => value !== undefined);
  const path = socket ?? (isNamed ? undefined : env["POSTERN_SOCKET"]);
  const listen = path === undefined ? undefined : ({ kind: "unix", path } as const);
  const places = [
    control === undefined ? undefined : controlPlace(control, undefined, undefined),
    listen &&
      controlPlace(
        undefined,
        { ...listen, mode: 0, owner: undefined, group: undefined },
        undefined,
      ),
    controlPlace(undefined, undefined, pidfile),
  ];
  const paths = places.flatMap((place) => (place === undefined ? [] : [place.path]));
  if (paths.length > 0) return paths;
  throw new UsageError(
    "Which postern? Write its --socket or --pidfile as it was started, or the --control socket itself.",
  );
}

/** Is this word a verb? */
export function isVerb(word: string | undefined): word is Verb {
  return (VERBS as readonly (string | undefined)[]).includes(word);
}

/**
 * Reads a command.
 *
 * @param words what stands behind the verb
 * @param env   POSTERN_SOCKET says where, if the words do not
 * @throws UsageError for anything unknown, unreadable or missing
 */
export function readVerb(
  verb: Verb,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
): VerbCommand {
  const { values, bare, json, help } = split(words);
  const { count, interval } = values;
  return {
    verb,
    json,
    help,
    workers: help ? 0 : readWorkers(verb, bare),
    paths: help ? [] : readPaths(values, env),
    frames: count === undefined ? Number.POSITIVE_INFINITY : whole(count, "--count", 1e9),
    intervalMs: 1_000 * (interval === undefined ? 1 : whole(interval, "--interval", INTERVAL_MAX)),
  };
}

/** The one of the paths that is there; the first where none is. */
export function likeliest(paths: readonly string[]): string {
  return paths.find((path) => existsSync(path)) ?? paths[0]!;
}
