/**
 * AJP packets → event rows (Apache JServ Protocol 1.3, ajpv13a "Packet Structure").
 *
 *   0       2        4
 *   ┌───────┬────────┬─────────┐
 *   │ 12 34 │ length │ payload │   body packets have no type byte: what a packet is depends on what is due
 *   │ u16   │ u16    │         │
 *   └───────┴────────┴─────────┘
 *
 * A packet waits until it is whole. One exchange at a time, numbered 1. Does no I/O and makes no strings.
 * Twin: native/core/ajp_decoder.cc — same states, same rows, same errors.
 */
import { ERRORS } from "../../errors.ts";
import { BodyKind, KEEP_CONNECTION, Note, Role, RowKind } from "../../wire/abi.ts";
import type { Decoder } from "../../wire/decoder.ts";
import type { DecoderOptions } from "../../wire/limits.ts";
import type { Ring } from "../../wire/ring.ts";
import { RowWriter, type Tables } from "../../wire/tables.ts";
import { LENGTH_INVALID, readContentLength } from "../content-length.ts";
import { HEADER_BYTES, MAGIC_FROM_SERVER, PacketType } from "./constants.ts";
import { ForwardRequestReader } from "./forward-request.ts";

/** What may come next. */
const State = {
  /** Forward Request or CPing. */
  IDLE: 0,
  /** A request is open: the body packets that are due. */
  OPEN: 1,
  /** Our end has left; body packets of the ended request are still due. */
  LEFTOVER: 2,
  /** Failed: everything is dropped. */
  DEAD: 3,
} as const;

const EXCHANGE = 1;
/** {@link AjpDecoder}: the request has no Content-Length. */
const LENGTH_ABSENT = -2;
const MAGIC_HIGH = MAGIC_FROM_SERVER >> 8;
const MAGIC_LOW = MAGIC_FROM_SERVER & 0xff;
/** Instead of an offset: stop here, the bytes from here on stay. */
const STOP = -1;
/** Most event rows of one packet: BEGIN, HEAD, BODY_END. */
const ROWS_MAX = 3;
/** Methods that have no body unless a header says so: OPTIONS, GET, HEAD, DELETE, TRACE. */
const BODILESS_METHODS: ReadonlySet<number> = new Set([1, 2, 3, 6, 7]);

/** Makes the decoder of one connection, over a ring and tables that it shares with others. */
export function createDecoder(ring: Ring, tables: Tables, options: DecoderOptions): Decoder {
  return new AjpDecoder(ring, tables, options);
}

class AjpDecoder implements Decoder {
  readonly #bytes: Uint8Array;
  readonly #rows: RowWriter;
  readonly #request: ForwardRequestReader;
  readonly #payloadMax: number;
  readonly #bodyBytes: number;
  readonly #rawBody: boolean;
  #state: number = State.IDLE;
  /** Body packets that are due: the first of a known length, which comes unasked, and one for each that we asked for. */
  #due = 0;
  #more = false;
  /** HEAD was written and our end has not left. */
  #isOpen = false;
  /** BODY_END was written. */
  #bodyEnded = false;
  /** Content-Length, or −1 when unknown; and the body bytes that have come. */
  #contentLength = -1;
  #seenBytes = 0;

  constructor(ring: Ring, tables: Tables, options: DecoderOptions) {
    this.#bytes = ring.bytes;
    this.#rows = new RowWriter(tables);
    this.#request = new ForwardRequestReader(ring.bytes, this.#rows, tables, options);
    this.#payloadMax = options.ajpPacketBytes - HEADER_BYTES;
    this.#bodyBytes = options.bodyBytes;
    this.#rawBody = options.ajpRawBody;
  }

  decode(start: number, end: number): number {
    this.#rows.begin();
    this.#more = false;
    let at = start;
    while (at < end) {
      if (this.#state === State.DEAD) {
        at = end;
        break;
      }
      const next = this.#packet(at, end);
      if (next === STOP) break;
      at = next;
    }
    return this.#rows.end(at, this.#more);
  }

  get resting(): boolean {
    return this.#state === State.IDLE;
  }

  note(event: number, _exchangeId: number): void {
    if (event === Note.ASKED) {
      if (this.#state === State.OPEN) this.#due++;
    } else if (event === Note.ENDED) {
      this.#isOpen = false;
      if (this.#state === State.OPEN) this.#state = this.#due === 0 ? State.IDLE : State.LEFTOVER;
    }
  }

  /** One ERROR row, of the exchange or (0) of the connection; then everything is dropped. */
  #fail(exchangeId: number, number: number, end: number): number {
    this.#rows.event(RowKind.ERROR, exchangeId, 0, 0, number);
    this.#state = State.DEAD;
    return end;
  }

  /** An error of connection scope: of exchange 1 while that is open. */
  #kill(number: number, end: number): number {
    return this.#fail(this.#isOpen ? EXCHANGE : 0, number, end);
  }

  /** One packet at `at`. Returns the offset after it, or {@link STOP}. */
  #packet(at: number, end: number): number {
    const bytes = this.#bytes;
    if (!this.#rows.hasRoom(ROWS_MAX, 0)) {
      this.#more = true;
      return STOP;
    }
    // Judged byte by byte: a peer of another protocol may never send the rest.
    if (bytes[at] !== MAGIC_HIGH) return this.#kill(ERRORS.AJP_MAGIC.number, end);
    if (end - at < 2) return STOP;
    if (bytes[at + 1] !== MAGIC_LOW) return this.#kill(ERRORS.AJP_MAGIC.number, end);
    if (end - at < HEADER_BYTES) return STOP;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (length > this.#payloadMax) return this.#kill(ERRORS.AJP_PACKET_BYTES.number, end);
    const start = at + HEADER_BYTES;
    if (end - start < length) return STOP;
    const next = start + length;
    switch (this.#state) {
      case State.IDLE:
        return this.#idlePacket(start, next, end);
      case State.LEFTOVER:
        if (--this.#due > 0) return next;
        this.#rows.event(RowKind.BODY_END, EXCHANGE, 0, 0, 1);
        this.#state = State.IDLE;
        return next;
      default:
        if (this.#due > 0) return this.#bodyPacket(start, next, end);
        // lighttpd sends an empty packet after every request without a body (A14).
        return length === 0 ? next : this.#kill(ERRORS.AJP_PACKET_TYPE.number, end);
    }
  }

  #idlePacket(start: number, next: number, end: number): number {
    if (start === next) return next;
    switch (this.#bytes[start]) {
      case PacketType.CPING:
        this.#rows.event(RowKind.CONTROL, 0, 0, 0, PacketType.CPING);
        return next;
      case PacketType.FORWARD_REQUEST:
        return this.#forwardRequest(start, next, end);
      default:
        return this.#kill(ERRORS.AJP_PACKET_TYPE.number, end);
    }
  }

  #forwardRequest(start: number, next: number, end: number): number {
    const rows = this.#rows;
    const request = this.#request;
    let failure = request.write(start, next);
    const length = failure === 0 ? this.#readLength() : LENGTH_ABSENT;
    if (length === LENGTH_INVALID) failure = ERRORS.CONTENT_LENGTH.number;
    else if (length > this.#bodyBytes) failure = ERRORS.LIMIT_BODY_BYTES.number;
    if (failure !== 0) {
      rows.rewindFields(0);
      return this.#fail(failure === ERRORS.AJP_FORWARD.number ? 0 : EXCHANGE, failure, end);
    }
    let kind: number = BodyKind.KNOWN;
    if (length === 0) kind = BodyKind.NONE;
    else if (length === LENGTH_ABSENT) {
      const bodiless = BODILESS_METHODS.has(request.method) && !request.hasTransferEncoding;
      kind = bodiless ? BodyKind.NONE : BodyKind.UNKNOWN;
    }
    rows.event(RowKind.BEGIN, EXCHANGE, 0, 0, Role.RESPONDER | KEEP_CONNECTION);
    rows.event(RowKind.HEAD, EXCHANGE, 0, rows.fieldCount, kind);
    if (kind === BodyKind.NONE) rows.event(RowKind.BODY_END, EXCHANGE, 0, 0, 0);
    this.#isOpen = true;
    this.#bodyEnded = kind === BodyKind.NONE;
    this.#contentLength = kind === BodyKind.KNOWN ? length : -1;
    this.#seenBytes = 0;
    this.#state = State.OPEN;
    this.#due = kind === BodyKind.KNOWN ? 1 : 0;
    return next;
  }

  /** Content-Length of the request just read: digits; absent; or invalid, also when it is there twice. */
  #readLength(): number {
    const request = this.#request;
    if (request.contentLengthLength < 0) return LENGTH_ABSENT;
    if (request.contentLengthTwice) return LENGTH_INVALID;
    return readContentLength(this.#bytes, request.contentLengthStart, request.contentLengthLength);
  }

  /** A body packet: inner length and bytes, or (ajp.rawBody) bytes alone; none of them: the end marker. */
  #bodyPacket(start: number, next: number, end: number): number {
    let from = start;
    let count = next - start;
    if (!this.#rawBody && count > 0) {
      if (count < 2) return this.#kill(ERRORS.AJP_BODY_LENGTH.number, end);
      const inner = (this.#bytes[start]! << 8) | this.#bytes[start + 1]!;
      const fits = count === inner + 2 || (count === inner + 3 && this.#bytes[next - 1] === 0);
      if (!fits) return this.#kill(ERRORS.AJP_BODY_LENGTH.number, end);
      from = start + 2;
      count = inner;
    }
    this.#due--;
    if (count === 0) return this.#endMarker(next, end);
    if (this.#bodyEnded) return this.#kill(ERRORS.AJP_BODY_EXCESS.number, end);
    const seenBytes = this.#seenBytes + count;
    if (this.#contentLength < 0) {
      if (seenBytes > this.#bodyBytes) {
        return this.#fail(EXCHANGE, ERRORS.LIMIT_BODY_BYTES.number, end);
      }
    } else if (seenBytes > this.#contentLength) {
      return this.#kill(ERRORS.AJP_BODY_EXCESS.number, end);
    }
    this.#seenBytes = seenBytes;
    this.#rows.event(RowKind.BODY, EXCHANGE, from, count, 0);
    if (seenBytes === this.#contentLength) this.#endBody();
    return next;
  }

  /** The peer has no more body: the end of an unknown length, too early for a known one. */
  #endMarker(next: number, end: number): number {
    if (this.#bodyEnded) return next;
    if (this.#contentLength >= 0) return this.#fail(EXCHANGE, ERRORS.BODY_SHORT.number, end);
    this.#endBody();
    return next;
  }

  #endBody(): void {
    this.#bodyEnded = true;
    this.#rows.event(RowKind.BODY_END, EXCHANGE, 0, 0, 0);
  }
}
