/**
 * What an application writes on the socket of an upgrade request → a response head and the bytes behind it.
 * It reads HTTP/1.1 as applications write it, 101 or a refusal; chunks and hop-by-hop fields of a refusal are taken
 * off, since the front server frames the response. It sends nothing. RFC 9112 §4 to §7.
 */
import { STATUS_CODES } from "node:http";
import { UsageError } from "../../errors.ts";
import type { ResponseHead } from "../../http/head.ts";
import { ChunkedBody } from "./chunked-body.ts";
import { FieldCollector } from "./response-fields.ts";

/** A head that has not ended by then is none. Node's own client takes no more than 16 KiB. */
const HEAD_BYTES_MAX = 65_536;
const HEAD_END = "\r\n\r\n";
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/;
const START = "HTTP/1.";
const NOTHING = Buffer.alloc(0);

interface Parsed extends ResponseHead {
  readonly isChunked: boolean;
}

function noHead(): UsageError {
  return new UsageError(
    "What was written on the socket of an upgrade request is no HTTP/1.1 response head; " +
      "write `HTTP/1.1 101 Switching Protocols` with its fields first, or another status to refuse.",
  );
}

/** One `Name: value` line; folded lines are obsolete and none (RFC 9112 §5.2). */
function readField(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  if (colon < 1) throw noHead();
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

/** @throws UsageError when it is no head; TypeError, as node's setHeader, for a name or value with wrong characters */
function parseHead(text: string): Parsed {
  const [first = "", ...lines] = text.split("\r\n");
  const [, digits, words] = STATUS_LINE.exec(first) ?? [];
  if (digits === undefined) throw noHead();
  const status = Number(digits);
  const collector = new FieldCollector(false);
  const kept: string[] = [];
  let isChunked = false;
  for (const line of lines) {
    const [name, value] = readField(line);
    const lower = name.toLowerCase();
    const switches = status === 101 && (lower === "upgrade" || lower === "connection");
    if (switches) kept.push(name, value);
    if (lower === "transfer-encoding") isChunked = /\bchunked$/i.test(value);
    // A 101 has no body: a length there would be one of the bytes that follow.
    if (status === 101 && lower === "content-length") continue;
    collector.add(name, value, false);
  }
  return {
    status,
    reason: words || STATUS_CODES[status] || "Unknown",
    fields: [...kept, ...collector.fields],
    contentLength: collector.contentLength,
    isChunked: isChunked && collector.contentLength < 0,
  };
}

/** One raw response, as it is written. */
export class RawResponse {
  /** Undefined until it is whole; informational ones but 101 are left out. */
  head: ResponseHead | undefined;
  /** Is the whole response there? Never so after a 101, nor where only a close ends the body. */
  complete = false;
  readonly #isBodiless: (status: number) => boolean;
  #held: Buffer = NOTHING;
  #dueBytes = -1;
  #chunked: ChunkedBody | undefined;

  /** @param isBodiless has a response of this status no body (the request was HEAD)? */
  constructor(isBodiless: (status: number) => boolean) {
    this.#isBodiless = isBodiless;
  }

  /**
   * The writing has ended. Where only a close ends the body, it is complete now.
   *
   * @returns the last bytes of the body
   */
  finish(): readonly Buffer[] {
    if (this.head === undefined || this.accepts || this.complete || this.#dueBytes >= 0) return [];
    const plain = this.#chunked === undefined ? NOTHING : this.#chunked.takePlain();
    if (plain === undefined) return [];
    this.complete = true;
    return [plain];
  }

  /** Was the upgrade accepted? */
  get accepts(): boolean {
    return this.head?.status === 101;
  }

  /**
   * Takes what was written next.
   *
   * @returns bytes behind the head: raw after a 101, else body
   * @throws UsageError when no response head begins it; TypeError for a field that node would not set
   */
  take(chunk: Buffer): readonly Buffer[] {
    let rest = chunk;
    while (this.head === undefined) {
      this.#held = this.#held.length === 0 ? rest : Buffer.concat([this.#held, rest]);
      const end = this.#held.indexOf(HEAD_END);
      if (end < 0) {
        const seen = this.#held.toString("latin1", 0, START.length);
        if (!START.startsWith(seen) || this.#held.length > HEAD_BYTES_MAX) throw noHead();
        return [];
      }
      const parsed = parseHead(this.#held.toString("latin1", 0, end));
      rest = this.#held.subarray(end + HEAD_END.length);
      this.#held = NOTHING;
      if (parsed.status < 200 && parsed.status !== 101) continue;
      this.#begin(parsed);
    }
    return this.accepts ? [rest] : this.#body(rest);
  }

  #begin(parsed: Parsed): void {
    this.head = parsed;
    if (this.accepts) return;
    this.complete = this.#isBodiless(parsed.status);
    this.#dueBytes = parsed.contentLength;
    if (parsed.isChunked) this.#chunked = new ChunkedBody();
  }

  #body(bytes: Buffer): readonly Buffer[] {
    if (this.complete) return [];
    if (this.#chunked !== undefined) {
      const pieces = this.#chunked.take(bytes);
      this.complete = this.#chunked.complete;
      return pieces;
    }
    if (this.#dueBytes < 0) return [bytes];
    const piece = bytes.subarray(0, this.#dueBytes);
    this.#dueBytes -= piece.length;
    this.complete = this.#dueBytes === 0;
    return [piece];
  }
}
