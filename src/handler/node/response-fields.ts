/**
 * What a handler set as headers, in any of the forms node:http takes → names and values in turn.
 * It drops what belongs to the front server's connections and checks what node's setHeader has not checked yet.
 * RFC 9110 §5 and §7.6.1; RFC 3875 §6.2 for `Status`.
 */
import { validateHeaderName, validateHeaderValue } from "node:http";
import type { ResponseHead } from "../../http/head.ts";

/** What a name means here. */
const Kind = { PLAIN: 0, DROPPED: 1, CONTENT_LENGTH: 2, VARIABLE: 3, COOKIE: 4 } as const;

/** Never sent: the front server frames the response, and `Status` is ours to write. */
const DROPPED = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "status",
  "script-control",
]);

/** A name as an application spells it. */
interface KnownName {
  readonly lower: string;
  readonly kind: number;
}

/** By spelling. All in it are tokens; an application uses the same few all its life. */
const known = new Map<string, KnownName>();
const KNOWN_MAX = 1_024;

/** @param checked did node's setHeader check the name already? */
function kindOf(name: string, checked: boolean): number {
  const found = known.get(name);
  if (found !== undefined) return found.kind;
  if (!checked) validateHeaderName(name);
  const lower = name.toLowerCase();
  let kind: number = Kind.PLAIN;
  if (DROPPED.has(lower)) kind = Kind.DROPPED;
  else if (lower === "content-length") kind = Kind.CONTENT_LENGTH;
  else if (lower === "cookie") kind = Kind.COOKIE;
  else if (lower.startsWith("variable-")) kind = Kind.VARIABLE;
  if (known.size < KNOWN_MAX) known.set(name, { lower, kind });
  return kind;
}

/** The lower-case spelling of a name that a response has had already; undefined for others, which are to be checked. */
export function lowerOfKnown(name: string): string | undefined {
  return known.get(name)?.lower;
}

/** Up to here a look at each character takes less time than a regular expression takes to start. */
const LOOKED_AT_MAX = 32;

/** Is it a number, or short text of printable characters? Node refuses none of these. */
export function isOrdinary(value: unknown): boolean {
  if (typeof value === "number") return true;
  if (typeof value !== "string" || value.length > LOOKED_AT_MAX) return false;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code < 32 || code > 126) return false;
  }
  return true;
}

/** A Content-Length as it must be written, or −1. */
function lengthOf(value: string): number {
  if (value.length === 0) return -1;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code < 48 || code > 57) return -1;
  }
  return Number(value);
}

type HeaderValue = string | number | readonly (string | number)[];

/** Collects the fields of one response, and becomes its head. */
export class FieldCollector implements ResponseHead {
  status = 200;
  reason = "";
  readonly fields: string[] = [];
  contentLength = -1;
  readonly #authorizer: boolean;

  /** @param authorizer `Variable-` fields mean something in that role only (FastCGI §6.3) */
  constructor(authorizer: boolean) {
    this.#authorizer = authorizer;
  }

  /**
   * Adds one field; an array is as many fields, but for cookies.
   *
   * @param checked did node's setHeader check name and value already?
   */
  add(name: string, value: HeaderValue, checked: boolean): void {
    const kind = kindOf(name, checked);
    if (!Array.isArray(value)) this.#one(kind, name, value as string | number, checked);
    else if (value.length > 1 && kind === Kind.COOKIE) {
      this.#one(kind, name, value.join("; "), checked);
    } else for (const each of value) this.#one(kind, name, each, checked);
  }

  #one(kind: number, name: string, given: string | number, checked: boolean): void {
    // Before it becomes a string: undefined is an error of its own.
    if (!checked && !isOrdinary(given)) validateHeaderValue(name, given as string);
    const value = typeof given === "string" ? given : String(given);
    if (kind !== Kind.PLAIN) {
      if (kind === Kind.DROPPED || (kind === Kind.VARIABLE && !this.#authorizer)) return;
      if (kind === Kind.CONTENT_LENGTH) {
        // A second one would be a lie about the first: front servers answer 502 to two.
        if (this.contentLength >= 0) return;
        this.contentLength = lengthOf(value);
      }
    }
    this.fields.push(name, value);
  }

  /** A length that the handler has not given. */
  addLength(bytes: number): void {
    this.contentLength = bytes;
    this.fields.push("Content-Length", String(bytes));
  }
}

/**
 * Reads the second argument of `_storeHeader`: node's own header map, a flat array, an array of pairs or an object.
 *
 * @param own is it node's own map of lower-case name → [name, value]? Those were checked by setHeader
 */
export function collectFields(collector: FieldCollector, headers: unknown, own: boolean): void {
  if (headers === null || headers === undefined) return;
  if (own) {
    const map = headers as Record<string, [string, HeaderValue]>;
    // It has no prototype.
    for (const key in map) {
      const entry = map[key]!;
      collector.add(entry[0], entry[1], true);
    }
  } else if (Array.isArray(headers)) collectArray(collector, headers);
  else {
    const object = headers as Record<string, HeaderValue>;
    for (const name in object) {
      if (Object.hasOwn(object, name)) collector.add(name, object[name]!, false);
    }
  }
}

function collectArray(collector: FieldCollector, headers: readonly unknown[]): void {
  if (Array.isArray(headers[0])) {
    for (const [name, value] of headers as [string, HeaderValue][])
      collector.add(name, value, false);
    return;
  }
  if (headers.length % 2 !== 0) {
    throw Object.assign(new TypeError("The argument 'headers' is invalid"), {
      code: "ERR_INVALID_ARG_VALUE",
    });
  }
  for (let i = 0; i + 1 < headers.length; i += 2)
    collector.add(headers[i] as string, headers[i + 1] as HeaderValue, false);
}
