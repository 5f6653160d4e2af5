/**
 * What a handler set as headers, in any of the forms node:http takes → names and values in turn.
 * It drops what belongs to the front server's connections and checks what node's setHeader has not checked yet.
 * RFC 9110 §5 and §7.6.1; RFC 3875 §6.2 for `Status`.
 */
import { validateHeaderName, validateHeaderValue } from "node:http";

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

type HeaderValue = string | number | readonly (string | number)[];

/** Collects the fields of one response. */
export class FieldCollector {
  readonly fields: string[] = [];
  /** Value of Content-Length, or −1. */
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
    if (!checked) validateHeaderName(name);
    if (Array.isArray(value)) {
      if (value.length > 1 && name.length === 6 && name.toLowerCase() === "cookie") {
        this.#one(name, value.join("; "), checked);
      } else for (const each of value) this.#one(name, each, checked);
    } else this.#one(name, value as string | number, checked);
  }

  #one(name: string, given: string | number, checked: boolean): void {
    // Before it becomes a string: undefined is an error of its own.
    if (!checked) validateHeaderValue(name, given as string);
    const value = String(given);
    const lower = name.toLowerCase();
    if (DROPPED.has(lower) || (!this.#authorizer && lower.startsWith("variable-"))) return;
    if (lower === "content-length") {
      // A second one would be a lie about the first: front servers answer 502 to two.
      if (this.contentLength >= 0) return;
      this.contentLength = /^[0-9]+$/.test(value) ? Number(value) : -1;
    }
    this.fields.push(name, value);
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
    for (const entry of Object.values(headers as Record<string, [string, HeaderValue]>)) {
      collector.add(entry[0], entry[1], true);
    }
  } else if (Array.isArray(headers)) {
    if (Array.isArray(headers[0])) {
      for (const [name, value] of headers as [string, HeaderValue][])
        collector.add(name, value, false);
    } else {
      if (headers.length % 2 !== 0) {
        throw Object.assign(new TypeError("The argument 'headers' is invalid"), {
          code: "ERR_INVALID_ARG_VALUE",
        });
      }
      for (let i = 0; i + 1 < headers.length; i += 2)
        collector.add(headers[i], headers[i + 1], false);
    }
  } else {
    for (const [name, value] of Object.entries(headers as Record<string, HeaderValue>)) {
      collector.add(name, value, false);
    }
  }
}
