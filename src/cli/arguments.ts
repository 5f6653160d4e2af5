/**
 * The words of a command line → what to do: help, version, or an application and its options.
 *
 * Takes `--name value`, `--name=value` and, as Django's runfcgi, `name=value` in any case; later ones win. Checks what
 * a word can be read as; whether options go together is serve/options.ts's to say. Reads no file.
 */
import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import { readText } from "../serve/check.ts";
import { hasText, OPTIONS, type OptionRow } from "../serve/option-table.ts";
import { unknownOption } from "../serve/option-values.ts";
import type { ServeOptions } from "../serve/options.ts";
import { closest } from "../serve/suggestion.ts";
import { PROCESS_OPTIONS, type ProcessOptions, resolveProcessOptions } from "./process-options.ts";
import { BARE_WORDS, isHelp } from "./words.ts";

/** What a command line asks for. */
export type Command = { readonly kind: "help" } | { readonly kind: "version" } | ServeCommand;

/** Serve an application. */
export interface ServeCommand {
  readonly kind: "serve";
  /** Path of the application's module, as written. */
  readonly app: string;
  readonly options: ServeOptions;
  /** Where it was written: paths count from there. */
  readonly folder: string;
  /** The words that were read, for workers to read again. */
  readonly words: readonly string[];
  readonly processes: ProcessOptions;
}

const rows: readonly OptionRow[] = OPTIONS.filter(hasText);
/** Case and dashes do not matter: `--limits.body-bytes`, `limits.bodyBytes=` and `LIMITS.BODYBYTES=` are one. */
const key = (name: string): string => name.toLowerCase().replaceAll("-", "");
const byKey = new Map(rows.map((row) => [key(row.name), row]));
const processByKey = new Map(PROCESS_OPTIONS.map((row) => [key(row.name), row]));
const NAMES: readonly string[] = [...rows, ...PROCESS_OPTIONS].map(({ name }) => name);
/** Options that say where to listen. */
const ADDRESSES: readonly string[] = ["socket", "path", "port"];

/** `limits.bodyBytes` → `limits.body-bytes`. */
export function optionName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Collects what the words say, one after the other. */
class Collector {
  readonly #values = new Map<string, unknown>();
  readonly processes = new Map<string, unknown>();
  app: string | undefined;
  help = false;
  version = false;
  usesWords = false;

  /**
   * Takes one name.
   *
   * @param text  its value; undefined where none was written
   * @param label how the user writes it: `--port`, `port`
   */
  take(name: string, text: string | undefined, label: (name: string) => string): void {
    const row = byKey.get(key(name));
    const own = processByKey.get(key(name));
    if (row !== undefined) {
      this.#set(row, text, label(name));
    } else if (own !== undefined) {
      this.processes.set(own.name, this.#read(own, text, label(name)));
    } else if (isHelp(key(name))) {
      this.help = true;
    } else {
      throw unknownName(name, label);
    }
  }

  #read(row: OptionRow, text: string | undefined, label: string): unknown {
    const written = text ?? (row.takes.type === "boolean" ? "true" : undefined);
    if (written === undefined) throw new UsageError(`${label} has no value; write it behind.`);
    return readText(row, written, label);
  }

  #set(row: OptionRow, text: string | undefined, label: string): void {
    const value = this.#read(row, text, label);
    const former = this.#values.get(row.name);
    const adds = /^(list|folders)$/.test(row.takes.type) && Array.isArray(former);
    this.#values.set(row.name, adds ? former.concat(value) : value);
  }

  /** Takes a word without name: the application, or one of the few words that need no value. */
  takeBare(word: string): void {
    if (BARE_WORDS.has(word.toLowerCase())) {
      this.usesWords ||= word.toLowerCase() !== "help";
      this.take(word, undefined, (name) => name);
    } else if (this.app === undefined) {
      this.app = word;
    } else {
      throw unexpectedWord(word, this.app);
    }
  }

  options(): ServeOptions {
    const nested: Record<string, unknown> = {};
    for (const [name, value] of this.#values) {
      const [first = "", second] = name.split(".");
      if (second === undefined) nested[first] = value;
      else nested[first] = { ...(nested[first] as object | undefined), [second]: value };
    }
    return nested as ServeOptions;
  }

  hasAddress(): boolean {
    return ADDRESSES.some((name) => this.#values.has(name));
  }
}

function unknownName(name: string, label: (name: string) => string): UsageError {
  const word = closest(name, NAMES);
  // An option of the process may be closer than any of `serve`: only then the suggestion is made here.
  if (word === undefined || !processByKey.has(key(word))) {
    return unknownOption(name, (option) => label(optionName(option)));
  }
  return new UsageError(
    `Unknown option ${label(name)}; did you mean ${label(optionName(word))}?`,
    "ERR_UNKNOWN_OPTION",
  );
}

function unexpectedWord(word: string, app: string): UsageError {
  const meant = closest(word, NAMES);
  const remedy = meant === undefined ? "write options as name=value." : `did you mean ${meant}=…?`;
  return new UsageError(
    `Unknown word ${JSON.stringify(word)} after the application ${JSON.stringify(app)}; ${remedy}`,
    "ERR_UNKNOWN_OPTION",
  );
}

/** How parseArgs has to read each option: whether a value follows. */
export function optionDeclarations(): Record<string, { type: "boolean" | "string" }> {
  const valued = [...rows, ...PROCESS_OPTIONS]
    .filter(({ takes }) => takes.type !== "boolean")
    .flatMap(({ name }) => [name, optionName(name)]);
  return Object.fromEntries(valued.map((name) => [name, { type: "string" as const }]));
}

const dashed = (name: string): string => `--${name}`;
const plain = (name: string): string => name;

/** Is this an option that is true or false? */
function isSwitch(name: string): boolean {
  return (byKey.get(key(name)) ?? processByKey.get(key(name)))?.takes.type === "boolean";
}

function takeOption(
  collector: Collector,
  token: { readonly name: string; readonly rawName: string; readonly value?: string | undefined },
): void {
  const { name, rawName, value } = token;
  if (rawName === "-h") collector.help = true;
  else if (rawName === "-v" || rawName === "-V" || key(name) === "version")
    collector.version = true;
  else if (!rawName.startsWith("--")) throw unknownOption(name, () => rawName);
  else if (/^no-/.test(name) && isSwitch(name.slice(3))) {
    collector.take(name.slice(3), "false", dashed);
  } else collector.take(name, value, dashed);
}

/**
 * Reads a command line.
 *
 * @param words what stands behind the program's name
 * @param app   the application where none is written; undefined: that is a mistake
 * @throws UsageError for anything unknown, unreadable or missing
 */
export function readArguments(words: readonly string[], app?: string): Command {
  const collector = new Collector();
  const { tokens } = parseArgs({
    args: [...words],
    options: optionDeclarations(),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option") {
      takeOption(collector, token);
    } else if (token.kind === "positional") {
      const word = /^([A-Za-z][A-Za-z0-9.-]*)=(.*)$/s.exec(token.value);
      collector.usesWords ||= word !== null;
      if (word === null) collector.takeBare(token.value);
      else collector.take(word[1]!, word[2]!, plain);
    }
  }
  collector.app ??= app;
  return commandOf(collector, words);
}

function commandOf(collector: Collector, words: readonly string[]): Command {
  const { app } = collector;
  if (collector.help) return { kind: "help" };
  if (collector.version) return { kind: "version" };
  if (app === undefined) {
    throw new UsageError(
      'No application: write the path of its module, as in "postern ./app.js --port 9000"; see postern --help.',
      "ERR_NO_APP",
    );
  }
  return {
    kind: "serve",
    app,
    folder: process.cwd(),
    words,
    processes: resolveProcessOptions(collector.processes, {
      words: collector.usesWords,
      address: collector.hasAddress(),
    }),
    options: collector.options(),
  };
}
