/**
 * The words behind `postern config` → which web server, its options, and the words of the application that are left.
 *
 * Reads no file and makes no configuration. A word belongs to the web server where config-options.ts names it; everything
 * else is arguments.ts's.
 */
import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import { checkValue, readText } from "../serve/check.ts";
import { closest } from "../serve/suggestion.ts";
import { TARGETS, type Target } from "../front/render.ts";
import { optionDeclarations, optionName } from "./arguments.ts";
import { CONFIG_OPTIONS } from "./config-options.ts";

/** What was asked for. */
export interface ConfigWords {
  /** Undefined: help. */
  readonly target: Target | undefined;
  /** Checked values of config-options.ts, by name. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Words of the application, each `--name=value`, `--name`, or its path. */
  readonly rest: readonly string[];
}

const key = (name: string): string => name.toLowerCase().replaceAll("-", "");
const byKey = new Map(CONFIG_OPTIONS.map((row) => [key(row.name), row]));

/** How parseArgs has to read each option of a configuration and of the application: whether a value follows. */
export function configDeclarations(): Record<string, { type: "boolean" | "string" }> {
  const own = CONFIG_OPTIONS.filter(({ takes }) => takes.type !== "boolean");
  return {
    ...optionDeclarations(),
    ...Object.fromEntries(own.map(({ name }) => [optionName(name), { type: "string" as const }])),
  };
}

/** Sorts words, one after the other. */
class Sorter {
  readonly values = new Map<string, unknown>();
  readonly rest: string[] = [];
  name: string | undefined;
  isHelp = false;

  /** Takes an option; `word` is how the application's side would read it. */
  option(name: string, text: string | undefined, word: string): void {
    const row = byKey.get(key(name));
    if (row === undefined) return void this.rest.push(word);
    const label = `--${optionName(row.name)}`;
    const written = text ?? (row.takes.type === "boolean" ? "true" : undefined);
    if (written === undefined) throw new UsageError(`${label} has no value; write it behind.`);
    const value = checkValue(row, readText(row, written, label), label);
    const former = this.values.get(row.name);
    const adds = Array.isArray(former) && Array.isArray(value);
    this.values.set(row.name, adds ? [...former, ...value] : value);
  }

  bare(word: string): void {
    if (this.name === undefined) this.name = word;
    else this.rest.push(word);
  }
}

function targetOf(name: string | undefined): Target {
  const names = TARGETS.map((target) => target.name);
  const found = TARGETS.find((target) => target.name === name);
  if (found !== undefined) return found;
  if (name === undefined) {
    throw new UsageError(
      `Which web server? Write one of ${names.join(", ")}; see postern config --help.`,
    );
  }
  const meant = closest(name, names);
  const remedy = meant === undefined ? `it takes ${names.join(", ")}` : `did you mean ${meant}?`;
  throw new UsageError(`No configuration is known for ${JSON.stringify(name)}; ${remedy}`);
}

/**
 * Reads the words.
 *
 * @throws UsageError for an unknown web server and a value that cannot be read
 */
export function readConfigWords(words: readonly string[]): ConfigWords {
  const sorter = new Sorter();
  const { tokens } = parseArgs({
    args: [...words],
    options: configDeclarations(),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option") {
      const { name, rawName, value } = token;
      if (rawName === "-h" || key(name) === "help") sorter.isHelp = true;
      else sorter.option(name, value, value === undefined ? rawName : `${rawName}=${value}`);
    } else if (token.kind === "positional") {
      const word = /^([A-Za-z][A-Za-z0-9.-]*)=(.*)$/s.exec(token.value);
      if (word === null) sorter.bare(token.value);
      else sorter.option(word[1]!, word[2]!, `--${optionName(word[1]!)}=${word[2]!}`);
    }
  }
  const target = sorter.isHelp ? undefined : targetOf(sorter.name);
  return { target, values: sorter.values, rest: sorter.rest };
}
