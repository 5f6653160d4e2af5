/**
 * The bytes an application writes (STDOUT, or an SCGI answer) → status, reason and header fields.
 * It keeps no body: what stands behind the empty line is given back. RFC 3875 §6, read as leniently as web servers
 * do: CRLF or LF, cut anywhere, `Status` anywhere, an HTTP status line in its place.
 */
import { ClientError } from "../errors.ts";

/** Largest response head taken, in bytes. */
const HEAD_BYTES_MAX = 1_048_576;

/** A response head as the application wrote it, without its `Status` field. */
export interface ParsedHead {
  readonly status: number;
  readonly reason: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
}

const LF = 10;
const CR = 13;
const STATUS_LINE = /^HTTP\/\d(?:\.\d)? (\d{3})(?: (.*))?$/;
const STATUS = /^(\d{3})(?:[ \t]+(.*))?$/;
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/;

/** Collects a response head from pieces of any size. */
export class ResponseParser {
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** Line length so far without CRs, so that an empty line is seen across pieces; −1 before the first byte. */
  #line = -1;
  #head: ParsedHead | undefined;

  /** The head, once it is complete. */
  get head(): ParsedHead | undefined {
    return this.#head;
  }

  /** Has any byte come? */
  get begun(): boolean {
    return this.#bytes > 0;
  }

  /**
   * Takes the next bytes. Precondition: `head` is undefined.
   *
   * @param chunk kept until the head is complete; not copied
   * @returns the bytes behind the head once it is complete (maybe none), undefined before that
   * @throws ClientError ERR_CLIENT_RESPONSE when this is no response head
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (byte === LF) {
        if (this.#line <= 0) {
          this.#keep(chunk.subarray(0, i + 1));
          this.#head = parseHead(Buffer.concat(this.#pieces).toString("latin1"));
          this.#pieces = [];
          return chunk.subarray(i + 1);
        }
        this.#line = 0;
      } else if (byte !== CR) {
        this.#line = Math.max(this.#line, 0) + 1;
      }
    }
    this.#keep(chunk);
    return undefined;
  }

  #keep(chunk: Uint8Array): void {
    this.#pieces.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > HEAD_BYTES_MAX)
      throw broken(`Its head is larger than ${HEAD_BYTES_MAX} bytes.`);
  }
}

function broken(detail: string): ClientError {
  return new ClientError("ERR_CLIENT_RESPONSE", detail, true);
}

function parseHead(text: string): ParsedHead {
  const lines = text.split(/\r?\n/);
  // The empty line and what split leaves behind it.
  lines.length -= 2;
  let status = 0;
  let reason = "";
  const rawHeaders: string[] = [];
  let location = false;
  for (const [index, line] of lines.entries()) {
    const first = index === 0 ? STATUS_LINE.exec(line) : null;
    const field = first === null ? FIELD.exec(line) : null;
    if (first === null && (field === null || /[\0\r]/.test(field[2]!))) {
      throw broken(`Line ${index + 1} of its head is no header field.`);
    }
    const stated =
      first ?? (field![1]!.toLowerCase() === "status" ? STATUS.exec(field![2]!) : undefined);
    if (stated === null) throw broken("Its Status is not three digits.");
    if (stated !== undefined) {
      if (status !== 0) throw broken("It has two statuses.");
      status = Number(stated[1]);
      reason = stated[2] ?? "";
      continue;
    }
    location ||= field![1]!.toLowerCase() === "location";
    rawHeaders.push(field![1]!, field![2]!);
  }
  if (status === 0 && rawHeaders.length === 0) throw broken("Its head is empty.");
  // RFC 3875 §6.2.3: a Location alone is a redirect.
  if (status === 0)
    return { status: location ? 302 : 200, reason: location ? "Found" : "OK", rawHeaders };
  return { status, reason, rawHeaders };
}
