/**
 * SCGI bytes → event rows (SCGI protocol document, revision of 2008-06-23).
 *
 *   ┌────────────┬───┬──────────────────────────────────┬───┬──────────────────────┐
 *   │ digits     │ : │ name NUL value NUL  (again, …)   │ , │ CONTENT_LENGTH bytes │
 *   └────────────┴───┴──────────────────────────────────┴───┴──────────────────────┘
 *
 * One connection is one request, exchange 1; its few rows always fit into empty tables. Does no I/O and makes no strings
 * but in strict mode. Twin: native/core/scgi_decoder.cc — same states, same rows, same errors.
 */
import { ERRORS } from "../../errors.ts";
import { BodyKind, Note, Role, RowKind } from "../../wire/abi.ts";
import { GatheredBytes } from "../../wire/bytes.ts";
import type { Decoder } from "../../wire/decoder.ts";
import type { DecoderOptions } from "../../wire/limits.ts";
import type { Ring } from "../../wire/ring.ts";
import { RowWriter, type Tables } from "../../wire/tables.ts";
import { LENGTH_INVALID, readContentLength } from "../content-length.ts";
import { HeaderReader } from "./headers.ts";

/** What the next byte belongs to. */
const State = {
  /** Digits of the netstring's length, or its colon. */
  IN_LENGTH: 0,
  IN_HEADERS: 1,
  EXPECT_COMMA: 2,
  IN_BODY: 3,
  /** The body is complete: one request a connection, so the rest is dropped. */
  AFTER_BODY: 4,
  /** An upgrade was asked for: bytes stay where they are until we have answered. */
  WAITING: 5,
  /** 101 was sent: everything is BODY. */
  UPGRADED: 6,
  /** Failed, or our end has left: everything is dropped. */
  DEAD: 7,
} as const;

const EXCHANGE = 1;
const COLON = 0x3a;
const COMMA = 0x2c;

/** Makes the decoder of one connection, over a ring and tables that it shares with others. */
export function createDecoder(ring: Ring, tables: Tables, options: DecoderOptions): Decoder {
  return new ScgiDecoder(ring, tables, options);
}

class ScgiDecoder implements Decoder {
  readonly #ring: Ring;
  readonly #bytes: Uint8Array;
  readonly #rows: RowWriter;
  readonly #headers: HeaderReader;
  readonly #headBytes: number;
  readonly #bodyBytes: number;
  readonly #gather: GatheredBytes = new GatheredBytes();
  #state: number = State.IN_LENGTH;
  /** Digits of the length seen, and their value so far. */
  #digits = 0;
  #headersLength = 0;
  /** Bytes of the body still to come. */
  #dueBytes = 0;

  constructor(ring: Ring, tables: Tables, options: DecoderOptions) {
    this.#ring = ring;
    this.#bytes = ring.bytes;
    this.#rows = new RowWriter(tables);
    this.#headers = new HeaderReader(ring, tables, options);
    this.#headBytes = Math.min(options.headBytes, ring.headEnd - ring.readEnd);
    this.#bodyBytes = options.bodyBytes;
  }

  decode(start: number, end: number): number {
    this.#rows.begin();
    let at = start;
    while (at < end) {
      if (this.#state === State.WAITING) break;
      at = this.#step(at, end);
    }
    return this.#rows.end(at, false);
  }

  get resting(): boolean {
    return this.#state === State.IN_LENGTH && this.#digits === 0;
  }

  note(event: number, _exchangeId: number): void {
    if (event === Note.ENDED) {
      this.#state = State.DEAD;
      this.#gather.release();
    } else if (event === Note.UPGRADED) {
      const state = this.#state;
      if (state === State.IN_BODY || state === State.AFTER_BODY || state === State.WAITING) {
        this.#state = State.UPGRADED;
      }
    }
  }

  /** Takes at least one byte of [at, end). Returns the offset after what was taken. */
  #step(at: number, end: number): number {
    switch (this.#state) {
      case State.IN_LENGTH:
        return this.#length(at, end);
      case State.IN_HEADERS:
        return this.#head(at, end);
      case State.EXPECT_COMMA:
        if (this.#bytes[at] !== COMMA) return this.#fail(0, ERRORS.SCGI_COMMA.number, end);
        this.#gather.copyTo(this.#bytes, this.#ring.readEnd);
        this.#gather.release();
        return this.#finishHead(this.#ring.readEnd, at + 1, end);
      case State.IN_BODY:
        return this.#body(at, end);
      case State.UPGRADED:
        this.#rows.event(RowKind.BODY, EXCHANGE, at, end - at, 0);
        return end;
      default:
        return end;
    }
  }

  /** One ERROR row, of the exchange or (0) of the connection; then everything is dropped. */
  #fail(exchangeId: number, number: number, end: number): number {
    this.#rows.rewindFields(0);
    this.#rows.event(RowKind.ERROR, exchangeId, 0, 0, number);
    this.#state = State.DEAD;
    this.#gather.release();
    return end;
  }

  /** Digits without leading zero, then a colon; refused at the digit that passes the limit (S10d). */
  #length(at: number, end: number): number {
    const byte = this.#bytes[at]!;
    const digit = byte - 0x30;
    if (byte === COLON && this.#digits > 0) {
      if (this.#headersLength === 0) return this.#fail(0, ERRORS.SCGI_HEADERS.number, end);
      this.#state = State.IN_HEADERS;
      return at + 1;
    }
    const leadingZero = this.#digits > 0 && this.#headersLength === 0;
    if (digit < 0 || digit > 9 || leadingZero) {
      return this.#fail(0, ERRORS.SCGI_LENGTH.number, end);
    }
    this.#digits++;
    this.#headersLength = this.#headersLength * 10 + digit;
    if (this.#headersLength > this.#headBytes) {
      return this.#fail(EXCHANGE, ERRORS.LIMIT_HEAD_BYTES.number, end);
    }
    return at + 1;
  }

  /** The headers: read in place if they and their comma are all here, else gathered. */
  #head(at: number, end: number): number {
    const length = this.#headersLength;
    if (this.#gather.length === 0 && end - at > length) {
      if (this.#bytes[at + length] !== COMMA) return this.#fail(0, ERRORS.SCGI_COMMA.number, end);
      return this.#finishHead(at, at + length + 1, end);
    }
    const n = Math.min(length - this.#gather.length, end - at);
    this.#gather.append(this.#bytes, at, n, this.#headBytes);
    if (this.#gather.length === length) this.#state = State.EXPECT_COMMA;
    return at + n;
  }

  /**
   * The comma has come: rows of the head, or the first thing that is wrong with it.
   *
   * @param start ring offset of the headers, in place or in the head area
   * @param next  offset after the comma
   */
  #finishHead(start: number, next: number, end: number): number {
    const rows = this.#rows;
    const headers = this.#headers;
    const failure = headers.write(this.#bytes, start, start + this.#headersLength, rows);
    if (failure !== 0) {
      const ofConnection = failure === ERRORS.SCGI_HEADERS.number;
      return this.#fail(ofConnection ? 0 : EXCHANGE, failure, end);
    }
    const field = headers.contentLength;
    const length = field.conflicting
      ? LENGTH_INVALID
      : readContentLength(this.#bytes, field.start, field.length);
    if (length === LENGTH_INVALID) return this.#fail(EXCHANGE, ERRORS.CONTENT_LENGTH.number, end);
    if (length > this.#bodyBytes) return this.#fail(EXCHANGE, ERRORS.LIMIT_BODY_BYTES.number, end);
    if (headers.breaksStrictRules) return this.#fail(0, ERRORS.SCGI_STRICT.number, end);
    rows.event(RowKind.BEGIN, EXCHANGE, 0, 0, Role.RESPONDER);
    const kind = length === 0 ? BodyKind.NONE : BodyKind.KNOWN;
    rows.event(RowKind.HEAD, EXCHANGE, 0, rows.fieldCount, kind);
    this.#dueBytes = length;
    if (length > 0) {
      this.#state = State.IN_BODY;
    } else {
      rows.event(RowKind.BODY_END, EXCHANGE, 0, 0, 0);
      this.#state = headers.asksUpgrade ? State.WAITING : State.AFTER_BODY;
    }
    return next;
  }

  #body(at: number, end: number): number {
    const n = Math.min(this.#dueBytes, end - at);
    this.#rows.event(RowKind.BODY, EXCHANGE, at, n, 0);
    this.#dueBytes -= n;
    if (this.#dueBytes === 0) {
      this.#rows.event(RowKind.BODY_END, EXCHANGE, 0, 0, 0);
      this.#state = State.AFTER_BODY;
    }
    return at + n;
  }
}
