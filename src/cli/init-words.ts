/**
 * The words behind `postern init`, and answers on a terminal → what is to be written.
 *
 * A word of its own is one of the few here; everything else is passed on to `postern config`. Asks only for what no word says,
 * and only where somebody sits at a terminal.
 */
import { basename, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import { closest } from "../serve/suggestion.ts";
import { configDeclarations } from "./config-words.ts";
import { BEGINNINGS } from "./init-apps.ts";

/** Web servers whose configuration a new application can begin with. */
export const FRONTS: readonly string[] = [
  "nginx",
  "apache",
  "lighttpd",
  "haproxy",
  "caddy",
  "none",
];
const FRAMEWORKS: readonly string[] = BEGINNINGS.map(({ name }) => name);

/** What was asked for. */
export interface InitWords {
  readonly isHelp: boolean;
  /** One of {@link BEGINNINGS}, by name. */
  readonly framework: string;
  /** One of {@link FRONTS}. */
  readonly front: string;
  /** Of the application: letters, digits, dashes. */
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  readonly isForced: boolean;
  /** Words for `postern config`. */
  readonly rest: readonly string[];
}

const VALUED = ["framework", "front", "name", "dir"] as const;
const PLAIN = ["force", "yes", "help"] as const;
type Valued = (typeof VALUED)[number];
type Plain = (typeof PLAIN)[number];

/** Options that say where the application listens. */
const ADDRESS = /^--(?:socket|path|port)=/i;

function oneOf(label: string, value: string, known: readonly string[]): string {
  if (known.includes(value)) return value;
  const meant = closest(value, known);
  const remedy = meant === undefined ? `it takes ${known.join(", ")}` : `did you mean ${meant}?`;
  throw new UsageError(`${label} is ${JSON.stringify(value)}; ${remedy}`);
}

function checkedName(name: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,39}$/i.test(name)) return name;
  throw new UsageError(
    `--name is ${JSON.stringify(name)}; it takes 1 to 40 letters, digits and dashes, since it becomes the name of files.`,
  );
}

/** What stands behind the verb, in its parts. */
class Sorter {
  readonly values: Partial<Record<Valued, string>> = {};
  readonly set = new Set<Plain>();
  readonly rest: string[] = [];

  take(name: string, value: string | undefined, raw: string): void {
    const isValued = (VALUED as readonly string[]).includes(name);
    if ((PLAIN as readonly string[]).includes(name)) this.set.add(name as Plain);
    else if (!isValued) this.rest.push(value === undefined ? raw : `${raw}=${value}`);
    else if (value === undefined || value === "") {
      throw new UsageError(`--${name} has no value; write it behind.`);
    } else this.values[name as Valued] = value;
  }

  /** Takes a word without name: the value of an option that nobody knows, whose own error says more. */
  takeBare(word: string): void {
    const last = this.rest.at(-1);
    if (last === undefined || !/^--[^=]+$/.test(last)) {
      throw new UsageError(
        `postern init takes no word ${JSON.stringify(word)}; write options, as in --framework express --front nginx.`,
      );
    }
    this.rest[this.rest.length - 1] = `${last}=${word}`;
  }
}

function sort(words: readonly string[]): Sorter {
  const sorter = new Sorter();
  const own = Object.fromEntries(VALUED.map((name) => [name, { type: "string" as const }]));
  const { tokens } = parseArgs({
    args: [...words],
    options: { ...configDeclarations(), ...own },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option") {
      sorter.take(token.rawName === "-h" ? "help" : token.name, token.value, token.rawName);
    } else if (token.kind === "positional") {
      const [, name, value] = /^([A-Za-z][A-Za-z0-9.-]*)=(.*)$/s.exec(token.value) ?? [];
      if (name === undefined) {
        sorter.takeBare(token.value);
        continue;
      }
      sorter.take(name.toLowerCase(), value, `--${name}`);
    }
  }
  return sorter;
}

/** Asks for what no word says. */
async function askMissing(
  values: Sorter["values"],
  defaults: Readonly<Record<"framework" | "front" | "name", string>>,
): Promise<void> {
  const questions = [
    ["framework", `Framework (${FRAMEWORKS.join(", ")})`],
    ["front", `Web server (${FRONTS.join(", ")})`],
    ["name", "Name of the application"],
  ] as const;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    for (const [name, question] of questions) {
      if (values[name] !== undefined) continue;
      const answer = await terminal.question(`${question} [${defaults[name]}]: `);
      values[name] = answer.trim() === "" ? defaults[name] : answer.trim();
    }
  } finally {
    terminal.close();
  }
}

/**
 * Reads the words, and asks.
 *
 * @throws UsageError for a value that cannot be read
 */
export async function readInitWords(words: readonly string[]): Promise<InitWords> {
  const { values, set, rest } = sort(words);
  const folder = resolve(values.dir ?? ".");
  const ofFolder = basename(folder)
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
  const defaults = { framework: FRAMEWORKS[0]!, front: FRONTS[0]!, name: ofFolder || "app" };
  const isAsking =
    process.stdin.isTTY && process.stdout.isTTY && !set.has("yes") && !set.has("help");
  if (isAsking) await askMissing(values, defaults);
  const chosen = { ...defaults, ...values };
  const name = checkedName(chosen.name);
  const address = rest.some((word) => ADDRESS.test(word))
    ? []
    : [`--socket=/run/${name}/${name}.sock`];
  const site = rest.some((word) => /^--server-?name=/i.test(word))
    ? []
    : ["--server-name=localhost"];
  return {
    isHelp: set.has("help"),
    framework: oneOf("--framework", chosen.framework, FRAMEWORKS),
    front: oneOf("--front", chosen.front, FRONTS),
    name,
    folder,
    isForced: set.has("force"),
    rest: [...address, ...site, ...rest],
  };
}
