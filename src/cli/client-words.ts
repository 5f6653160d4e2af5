/**
 * The words behind `postern request` and its like → the target, the options of that verb, and the request they describe.
 *
 * One table says which verb takes which option; help and checks are made from it. Reads files that `-d` and
 * `--ajp.secret-file` name, and sends nothing.
 */
import { parseArgs } from "node:util";
import type { ConnectionOptions } from "../client/client.ts";
import { UsageError } from "../errors.ts";
import { PACKET_BYTES_MAX, PACKET_BYTES_MIN } from "../serve/option-table.ts";
import { readSecretFile } from "../serve/secret.ts";
import { closest } from "../serve/suggestion.ts";
import { readTarget, type Target } from "./client-address.ts";

/** Verbs that speak to an application as web servers do. */
export const CLIENT_VERBS = ["request", "ping", "get-values", "load", "record", "replay"] as const;
/** One of {@link CLIENT_VERBS}. */
export type ClientVerb = (typeof CLIENT_VERBS)[number];

/** One option of the client's verbs. */
export interface ClientOption {
  readonly name: string;
  readonly short?: string;
  /** Stands for the value in the help; without it the option has none. */
  readonly sample?: string;
  readonly help: string;
  readonly verbs: readonly ClientVerb[];
}

const ALL = CLIENT_VERBS;
/** Verbs with a further word behind the address. */
const WITH_REST: readonly ClientVerb[] = ["get-values", "record", "replay"];
/** Verbs whose requests we make ourselves. */
const MAKING: readonly ClientVerb[] = ["request", "ping", "get-values", "load"];
/** Verbs whose request can be described. */
const ASKING: readonly ClientVerb[] = ["request", "load"];

/** All of them, in the order of the help. */
export const CLIENT_OPTIONS: readonly ClientOption[] = [
  { name: "protocol", sample: "NAME", help: "where the address names none [fastcgi]", verbs: ALL },
  { name: "method", short: "X", sample: "NAME", help: "GET; with -d POST", verbs: ASKING },
  {
    name: "header",
    short: "H",
    sample: "'NAME: VALUE'",
    help: "may be repeated; 'NAME:' leaves one of ours out",
    verbs: ASKING,
  },
  {
    name: "data",
    short: "d",
    sample: "TEXT",
    help: "body; @FILE sends a file as it is, @- standard input",
    verbs: ASKING,
  },
  {
    name: "param",
    sample: "NAME=VALUE",
    help: "CGI variable beside or instead of ours; 'NAME' leaves it out",
    verbs: ASKING,
  },
  { name: "attribute", sample: "NAME=VALUE", help: "AJP request attribute", verbs: ASKING },
  {
    name: "role",
    sample: "NAME",
    help: "FastCGI: responder, authorizer or filter",
    verbs: ASKING,
  },
  { name: "include", short: "i", help: "print status and headers too", verbs: ["request"] },
  { name: "output", short: "o", sample: "FILE", help: "body into a file", verbs: ["request"] },
  {
    name: "fail",
    short: "f",
    help: "status 400 or more is exit status 1, without a body",
    verbs: ASKING,
  },
  { name: "json", help: "print JSON", verbs: ["get-values", "load"] },
  { name: "quiet", short: "q", help: "print nothing where all is well", verbs: ["ping"] },
  { name: "connections", short: "c", sample: "N", help: "at once [10]", verbs: ["load"] },
  {
    name: "requests",
    short: "n",
    sample: "N",
    help: "in all; without it by time",
    verbs: ["load"],
  },
  { name: "duration", sample: "SECONDS", help: "for how long [5]", verbs: ["load"] },
  {
    name: "listen",
    sample: "PLACE",
    help: "HOST:PORT or SOCKET for the web server",
    verbs: ["record"],
  },
  { name: "close", help: "a new connection for each request", verbs: ["load"] },
  {
    name: "timeout",
    sample: "SECONDS",
    help: "longest time for a request [request, replay 60, load 10, others 5]",
    verbs: [...MAKING, "replay"],
  },
  { name: "ajp.secret-file", sample: "PATH", help: "file with the AJP secret", verbs: MAKING },
  {
    name: "ajp.packet-size",
    sample: "N",
    help: "AJP packets as both sides have it",
    verbs: MAKING,
  },
];

/** Longest of `--timeout`, in seconds: a day. */
const SECONDS_MAX = 86_400;

/** What was written behind a verb. */
export interface ClientCommand {
  readonly verb: ClientVerb;
  readonly help: boolean;
  readonly target: Target;
  /** Words behind the target. */
  readonly rest: readonly string[];
  /** Every value of each option that was given; "" for those without value. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** Is this word a verb of the client? */
export function isClientVerb(word: string | undefined): word is ClientVerb {
  return (CLIENT_VERBS as readonly (string | undefined)[]).includes(word);
}

const key = (name: string): string => name.toLowerCase().replaceAll("-", "");

function optionNamed(verb: ClientVerb, name: string, label: string): ClientOption {
  const own = CLIENT_OPTIONS.filter(({ verbs }) => verbs.includes(verb));
  const found = own.find(({ name: known }) => key(known) === key(name));
  if (found !== undefined) return found;
  const meant = closest(
    name,
    own.map(({ name: known }) => known),
  );
  const remedy = meant === undefined ? `see postern ${verb} --help` : `did you mean --${meant}?`;
  throw new UsageError(
    `Unknown option ${label} of postern ${verb}; ${remedy}`,
    "ERR_UNKNOWN_OPTION",
  );
}

/** Which options a value follows, as parseArgs wants to know. */
function declarations(
  verb: ClientVerb,
): Record<string, { type: "string" | "boolean"; short?: string }> {
  const own = CLIENT_OPTIONS.filter(({ verbs }) => verbs.includes(verb));
  const pairs = own.map(({ name, short, sample }) => {
    const type = sample === undefined ? ("boolean" as const) : ("string" as const);
    return [name, short === undefined ? { type } : { type, short }] as const;
  });
  return Object.fromEntries([
    ...pairs,
    ["help", { type: "boolean" as const, short: "h" }] as const,
  ]);
}

/**
 * Reads a command.
 *
 * @param words what stands behind the verb
 * @throws UsageError for anything unknown, unreadable or missing
 */
export function readClientWords(verb: ClientVerb, words: readonly string[]): ClientCommand {
  const values = new Map<string, string[]>();
  const bare: string[] = [];
  let help = false;
  const { tokens } = parseArgs({
    args: [...words],
    options: declarations(verb),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "positional") bare.push(token.value);
    if (token.kind !== "option") continue;
    if (token.name === "help") {
      help = true;
      continue;
    }
    const { name, sample } = optionNamed(verb, token.name, token.rawName);
    if (sample !== undefined && token.value === undefined) {
      throw new UsageError(`${token.rawName} has no value; write it behind.`);
    }
    values.set(name, [...(values.get(name) ?? []), token.value ?? ""]);
  }
  const [place, ...rest] = bare;
  if (help) return { verb, help, target: readTarget("127.0.0.1", undefined), rest: [], values };
  if (place === undefined) {
    throw new UsageError(
      `Which application? Write its address, as in postern ${verb} fastcgi://127.0.0.1:9000; see postern ${verb} --help.`,
    );
  }
  if (rest.length > 0 && !WITH_REST.includes(verb)) {
    throw new UsageError(
      `postern ${verb} takes one address, and ${JSON.stringify(rest[0])} is a second word; an application of that name is written ./${verb}.`,
    );
  }
  return { verb, help, target: readTarget(place, values.get("protocol")?.at(-1)), rest, values };
}

/** The last value of an option; undefined where it was not given. */
export function lastValue({ values }: ClientCommand, name: string): string | undefined {
  return values.get(name)?.at(-1);
}

/**
 * A whole number that an option gives.
 *
 * @throws UsageError for anything that is no whole number of the range
 */
export function wholeValue(
  command: ClientCommand,
  name: string,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  const text = lastValue(command, name);
  if (text === undefined) return undefined;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (number >= range.min && number <= range.max) return number;
  throw new UsageError(
    `--${name} is ${JSON.stringify(text)}; it takes a whole number from ${range.min} to ${range.max}.`,
  );
}

/**
 * Seconds that an option gives, as milliseconds.
 *
 * @throws UsageError for anything that is no number above 0, up to a day
 */
export function msValue(command: ClientCommand, name: string, otherwiseMs: number): number {
  const text = lastValue(command, name);
  if (text === undefined) return otherwiseMs;
  const seconds = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= SECONDS_MAX) return Math.round(seconds * 1_000);
  throw new UsageError(
    `--${name} is ${JSON.stringify(text)}; it takes seconds, as in 5 or 0.5, up to ${SECONDS_MAX}.`,
  );
}

/**
 * How the application is reached.
 *
 * @throws UsageError for options of AJP with another protocol, and for a secret that cannot be read
 */
export function connectionOf(command: ClientCommand): ConnectionOptions {
  const { protocol, address } = command.target;
  const secretFile = lastValue(command, "ajp.secret-file");
  const packetSize = wholeValue(command, "ajp.packet-size", {
    min: PACKET_BYTES_MIN,
    max: PACKET_BYTES_MAX,
  });
  if (protocol === "ajp") {
    return {
      protocol,
      address,
      ...(packetSize === undefined ? {} : { packetSize }),
      ...(secretFile === undefined
        ? {}
        : { secret: readSecretFile(secretFile).toString("latin1") }),
    };
  }
  const name = [...command.values.keys()].find((given) => given.startsWith("ajp."));
  if (name === undefined) return { protocol, address };
  throw new UsageError(`--${name} is for AJP, and the protocol is ${protocol}; leave it out.`);
}
