/**
 * The words of Django's runfcgi that are no options of `serve` → what becomes of them here.
 *
 * Says yes to those that ask for what happens anyway, and names the others as coming later. Reads no value of an
 * option: arguments.ts does.
 */
import { UsageError } from "../errors.ts";
import { readBoolean } from "../serve/check.ts";

/** Words that need several processes, or a process without terminal. */
const LATER: ReadonlySet<string> = new Set([
  "maxrequests",
  "minspare",
  "maxspare",
  "maxchildren",
  "workdir",
  "pidfile",
  "outlog",
  "errlog",
]);

/** Words that stand for themselves, without a value: they mean true. */
export const BARE_WORDS: ReadonlySet<string> = new Set(["help", "debug", "daemonize"]);

/** All words of this file, for suggestions. */
export const WORDS: readonly string[] = [...LATER, ...BARE_WORDS];

/** What words have said so far. */
export interface WordState {
  help: boolean;
  debug: boolean;
  /** `daemonize` was there, and false. */
  foreground: boolean;
}

function later(label: string): UsageError {
  return new UsageError(
    `${label} comes with the process manager in a later release; leave it out.`,
    "ERR_LATER",
  );
}

function truth(text: string, label: string): boolean {
  const value = readBoolean(text);
  if (value !== undefined) return value;
  throw new UsageError(`${label} is ${JSON.stringify(text)}; it takes true or false.`);
}

/**
 * Takes one word.
 *
 * @param name  in lower case
 * @param text  its value; undefined where none was written
 * @param label how it was written, for messages
 * @returns false when it is none of these words
 * @throws UsageError for a wrong value, or a word that comes later
 */
export function takeWord(
  state: WordState,
  name: string,
  text: string | undefined,
  label: string,
): boolean {
  if (name === "help") {
    state.help = true;
    return true;
  }
  if (LATER.has(name)) throw later(label);
  if (name === "debug") {
    state.debug = truth(text ?? "true", label);
    return true;
  }
  if (name === "daemonize") {
    if (truth(text ?? "true", label)) throw later(label);
    state.foreground = true;
    return true;
  }
  return false;
}
