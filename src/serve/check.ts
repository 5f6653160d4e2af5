/**
 * One value of one option → the value as it is kept, or a sentence that names option, value and what is allowed.
 *
 * Text of the command line and the environment is first read into a value, and then checked like any other. Knows
 * nothing of how options depend on each other: options.ts does.
 */
import { UsageError } from "../errors.ts";
import type { ProtocolName } from "../http/head.ts";
import type { FolderSettings } from "../server/settings.ts";
import { FD_MAX, type OptionRow, type OptionType } from "./option-table.ts";

/** Every spelling of a protocol, and the protocol. */
const PROTOCOLS: ReadonlyMap<string, ProtocolName | "auto"> = new Map([
  ["fastcgi", "fastcgi"],
  ["fcgi", "fastcgi"],
  ["scgi", "scgi"],
  ["ajp", "ajp"],
  ["ajp13", "ajp"],
  ["http", "http"],
  ["auto", "auto"],
]);
const ENGINES: readonly unknown[] = ["auto", "native", "typescript"];
const TRANSPORTS: readonly unknown[] = ["auto", "native", "node"];
/** Ways to write yes and no. */
const YES: ReadonlySet<string> = new Set(["true", "yes", "t", "y", "on", "1"]);
const NO: ReadonlySet<string> = new Set(["false", "no", "f", "n", "off", "0"]);
/** Most of a wrong value that a message repeats, in characters. */
const SHOWN_MAX = 120;

/** What an option allows, as the end of "it takes …". */
function allowed(takes: OptionType): string {
  switch (takes.type) {
    case "integer":
      return takes.infinite === true
        ? `a whole number from ${takes.min}, or Infinity`
        : `a whole number from ${takes.min} to ${takes.max}`;
    case "boolean":
      return "true or false";
    case "octal":
      return "permission bits from 0 to 0777, in text as octal digits";
    case "account":
      return "a name or a number";
    case "engine":
      return '"auto", "native" or "typescript"';
    case "transport":
      return '"auto", "native" or "node"';
    case "protocol":
      return '"fastcgi", "scgi", "ajp", "http", a list of these, or "auto"';
    case "descriptor":
      return `a number from 0 to ${FD_MAX}, "stdin", "systemd" or "systemd:NAME"`;
    case "list":
      return "a list of addresses";
    case "folders":
      return 'PREFIX=DIR with a PREFIX that begins with "/", or several of them';
    case "pattern":
      return "a regular expression";
    case "signal":
      return "an AbortSignal";
    case "function":
      return "a function";
    default:
      return "text that is not empty";
  }
}

/** A value as a message shows it; nothing of a secret. */
function show(name: string, value: unknown): string {
  if (value === "") return "empty";
  if (name === "ajp.secret") return `of type ${typeof value}`;
  if (typeof value === "string") {
    return JSON.stringify(value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value);
  }
  if (typeof value === "object" && value !== null)
    return Array.isArray(value) ? show(name, value.join(",")) : "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/** Options that take the path of a socket. */
const SOCKETS: ReadonlySet<string> = new Set(["socket", "path"]);

/**
 * Refuses a name that other programs take for an abstract socket: it would become a file of that name (reliability O-4).
 *
 * @throws UsageError
 */
function checkAbstract(name: string, value: unknown): void {
  if (!SOCKETS.has(name) || typeof value !== "string" || !value.startsWith("@")) return;
  throw new UsageError(
    `${name} is ${show(name, value)}, as abstract sockets are written; these carry no permissions, so give the path of a ` +
      `file (./${value} for one of that name).`,
  );
}

/**
 * The error for a wrong value.
 *
 * @param label how the option was written: `port`, `--port`, `POSTERN_PORT`
 */
export function wrongValue(option: OptionRow, value: unknown, label: string): UsageError {
  return new UsageError(
    `${label} is ${show(option.name, value)}; it takes ${allowed(option.takes)}.`,
  );
}

/** Reads yes and no in any usual spelling and case; undefined for anything else. */
export function readBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (YES.has(word)) return true;
  return NO.has(word) ? false : undefined;
}

function readInteger(text: string): number | undefined {
  if (/^infinity$/i.test(text)) return Number.POSITIVE_INFINITY;
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}

function readPattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    // Not a regular expression: the caller says so.
    return undefined;
  }
}

/**
 * Reads the text of a command line or an environment variable.
 *
 * @returns a value for {@link checkValue}
 * @throws UsageError when the text cannot be read as what the option takes
 */
export function readText(option: OptionRow, text: string, label: string): unknown {
  const value = fromText(option.takes, text);
  if (value === undefined) throw wrongValue(option, text, label);
  checkAbstract(option.name, value);
  return value;
}

function fromText(takes: OptionType, text: string): unknown {
  switch (takes.type) {
    case "integer":
      return readInteger(text);
    case "boolean":
      return readBoolean(text);
    case "pattern":
      return readPattern(text);
    case "descriptor":
      return /^\d{1,9}$/.test(text) ? Number(text) : text;
    case "list":
    case "protocol":
      return text.split(",").map((part) => part.trim());
    case "folders":
      // A comma may be part of a folder's name; one before a prefix is not.
      return foldersIn(text.split(/,(?=\/[^=]*=)/));
    default:
      return text;
  }
}

/**
 * Checks a value and brings it into the form that is kept.
 *
 * @param label how the option was written
 * @returns integer: number · boolean · text · octal: number · account: number or text · protocol: list of names, or
 *   "auto" · descriptor: number or "systemd…" · list: list of text · pattern: RegExp over the whole text
 * @throws UsageError for a wrong type or range
 */
export function checkValue(option: OptionRow, value: unknown, label: string): unknown {
  const kept = keep(option.takes, value);
  if (kept === undefined) throw wrongValue(option, value, label);
  checkAbstract(option.name, kept);
  return kept;
}

/** The value as it is kept; undefined when it is wrong. */
function keep(takes: OptionType, value: unknown): unknown {
  switch (takes.type) {
    case "integer":
      return keepInteger(takes, value);
    case "boolean":
      return typeof value === "boolean" ? value : undefined;
    case "octal":
      return keepBits(value);
    case "account":
      if (typeof value === "number") return isWhole(value, 0, 0xffff_fffe) ? value : undefined;
      return isText(value) ? value : undefined;
    case "engine":
      return ENGINES.includes(value) ? value : undefined;
    case "transport":
      return TRANSPORTS.includes(value) ? value : undefined;
    case "protocol":
      return keepProtocols(value);
    case "descriptor":
      return keepDescriptor(value);
    case "list":
      return Array.isArray(value) && value.every(isText) ? Object.freeze([...value]) : undefined;
    case "folders":
      return keepFolders(value);
    case "pattern":
      if (!(value instanceof RegExp)) return undefined;
      return new RegExp(`^(?:${value.source})$`, value.flags.replace(/[gy]/g, ""));
    case "function":
      return typeof value === "function" ? value : undefined;
    case "signal":
      return value instanceof AbortSignal ? value : undefined;
    default:
      return isText(value) || (value === "" && takes.empty === true) ? value : undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function keepInteger(
  takes: Extract<OptionType, { type: "integer" }>,
  value: unknown,
): number | undefined {
  if (value === Number.POSITIVE_INFINITY && takes.infinite === true) return value;
  // `port: process.env.PORT` is how ports are usually given, so digits count as a number.
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return isWhole(number, takes.min, takes.max) ? number : undefined;
}

function keepBits(value: unknown): number | undefined {
  const bits =
    typeof value === "string" && /^(0o?)?[0-7]{1,4}$/.test(value)
      ? Number.parseInt(value.replace("o", ""), 8)
      : value;
  return isWhole(bits, 0, 0o777) ? bits : undefined;
}

function keepProtocols(value: unknown): readonly ProtocolName[] | "auto" | undefined {
  const words: readonly unknown[] = Array.isArray(value) ? value : [value];
  const names = new Set<ProtocolName>();
  for (const word of words) {
    const name = typeof word === "string" ? PROTOCOLS.get(word.toLowerCase()) : undefined;
    if (name === "auto" && words.length === 1) return name;
    if (name === undefined || name === "auto") return undefined;
    names.add(name);
  }
  return names.size === 0 ? undefined : Object.freeze([...names]);
}

/** `PREFIX=DIR` cut in two; undefined when one of them is something else. */
function pairsOf(texts: readonly unknown[]): [string, unknown][] | undefined {
  const pairs = texts.map((text) => (isText(text) ? /^([^=]*)=(.*)$/s.exec(text) : null));
  const cut = pairs.map((match): [string, unknown] => [match?.[1] ?? "", match?.[2]]);
  return cut.every(isPair) ? cut : undefined;
}

function isPair([prefix, folder]: readonly [string, unknown]): boolean {
  return prefix.startsWith("/") && isText(folder);
}

/** The texts, if all of them are `PREFIX=DIR`. */
function foldersIn(texts: readonly string[]): readonly string[] | undefined {
  return pairsOf(texts) === undefined ? undefined : texts;
}

function keepFolders(value: unknown): readonly FolderSettings[] | undefined {
  const list = typeof value === "string" ? [value] : value;
  if (typeof list !== "object" || list === null) return undefined;
  const pairs = Array.isArray(list) ? pairsOf(list) : Object.entries(list);
  if (pairs === undefined || !pairs.every(isPair)) return undefined;
  return Object.freeze(pairs.map(([prefix, folder]) => ({ prefix, folder: folder as string })));
}

function keepDescriptor(value: unknown): number | string | undefined {
  if (value === "stdin") return 0;
  if (typeof value === "string") return /^systemd(:[^:]+)?$/.test(value) ? value : undefined;
  return isWhole(value, 0, FD_MAX) ? value : undefined;
}
