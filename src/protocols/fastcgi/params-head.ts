/**
 * A whole PARAMS stream → the HEAD row of its request (FastCGI specification §5.2; RFC 3875 §4.1.2 for the body's length).
 * Where the stream lies in one piece in the ring it is read there; else the gathered pieces are put into the head area.
 * It frames nothing and decides nothing about the connection. Twin: native/core/fastcgi_params_head.cc.
 */
import { ERRORS } from "../../errors.ts";
import { BodyKind, Role, RowKind } from "../../wire/abi.ts";
import type { DecoderOptions } from "../../wire/limits.ts";
import type { Ring } from "../../wire/ring.ts";
import type { RowWriter } from "../../wire/tables.ts";
import { LENGTH_INVALID, readContentLength } from "../content-length.ts";
import { HEADER_BYTES, RecordType, VERSION } from "./constants.ts";
import { NO_ROOM, type ParamsReader } from "./params.ts";
import { RequestState, type RequestSlot } from "./request-table.ts";

/** {@link HeadWriter.writeHead}: nothing is known of the body's length. */
const LENGTH_UNKNOWN = -1;
/** {@link HeadWriter.writeHead}: CONTENT_LENGTH is no length. */
const LENGTH_WRONG = -2;

/** Writes the HEAD rows of one connection. */
export class HeadWriter {
  readonly #ring: Ring;
  readonly #rows: RowWriter;
  readonly #params: ParamsReader;
  readonly #headRecords: number;
  readonly #bodyBytes: number;
  /** Where the next gathered head goes; heads of one call stand one after the other. */
  #headOffset: number;

  constructor(ring: Ring, rows: RowWriter, params: ParamsReader, options: DecoderOptions) {
    this.#ring = ring;
    this.#rows = rows;
    this.#params = params;
    this.#headRecords = options.headRecords;
    this.#bodyBytes = options.bodyBytes;
    this.#headOffset = ring.readEnd;
  }

  /** Starts a decode call: the head area is empty again. */
  begin(): void {
    this.#headOffset = this.#ring.readEnd;
  }

  /**
   * Counts a PARAMS record with content, before any of it is kept.
   *
   * @returns 0, or the number of an error
   */
  announce(slot: RequestSlot, contentBytes: number): number {
    slot.paramsBytes += contentBytes;
    slot.paramsRecords++;
    if (slot.paramsBytes > this.#params.headBytes) return ERRORS.LIMIT_HEAD_BYTES.number;
    return slot.paramsRecords > this.#headRecords ? ERRORS.LIMIT_HEAD_RECORDS.number : 0;
  }

  /** Takes {@link announce} of the first record back: it will be read again. */
  retract(slot: RequestSlot): void {
    slot.paramsBytes = 0;
    slot.paramsRecords = 0;
  }

  /** Is there, before `end`, the header of an empty PARAMS record of this id at `at`? */
  endsAt(id: number, at: number, end: number): boolean {
    const bytes = this.#ring.bytes;
    return (
      end - at >= HEADER_BYTES &&
      bytes[at] === VERSION &&
      bytes[at + 1] === RecordType.PARAMS &&
      ((bytes[at + 2]! << 8) | bytes[at + 3]!) === id &&
      bytes[at + 4] === 0 &&
      bytes[at + 5] === 0
    );
  }

  /**
   * Writes the head of a request whose PARAMS were gathered.
   * Precondition: room for two event rows.
   *
   * @returns 0; {@link NO_ROOM}; or the number of an error
   */
  writeGathered(slot: RequestSlot): number {
    if (slot.scanOffset !== slot.gather.length) return ERRORS.FCGI_PARAMS.number;
    const start = this.#headOffset;
    const end = start + slot.gather.length;
    if (end > this.#ring.headEnd) return NO_ROOM;
    slot.gather.copyTo(this.#ring.bytes, start);
    const result = this.writeHead(slot, start, end);
    if (result === 0) this.#headOffset = end;
    return result;
  }

  /**
   * Writes HEAD, its field rows and, where there is no body, BODY_END; the request is in its body then.
   * Precondition: room for two event rows.
   *
   * @param start ring offset of the first PARAMS byte
   * @param end   ring offset after the last one
   * @returns 0; {@link NO_ROOM}; or the number of an error
   */
  writeHead(slot: RequestSlot, start: number, end: number): number {
    const rows = this.#rows;
    const firstRow = rows.fieldCount;
    const failure = this.#params.write(this.#ring.bytes, start, end, rows);
    if (failure !== 0) return failure;
    const length = this.#readLength();
    if (length === LENGTH_WRONG) {
      rows.rewindFields(firstRow);
      return ERRORS.CONTENT_LENGTH.number;
    }
    slot.contentLength = length;
    let kind: number = BodyKind.KNOWN;
    if (slot.role === Role.AUTHORIZER || length === 0) kind = BodyKind.NONE;
    else if (length === LENGTH_UNKNOWN) kind = BodyKind.UNKNOWN;
    if (kind === BodyKind.KNOWN && length > this.#bodyBytes) {
      rows.rewindFields(firstRow);
      return ERRORS.LIMIT_BODY_BYTES.number;
    }
    slot.state = RequestState.IN_BODY;
    slot.gather.release();
    rows.event(RowKind.HEAD, slot.id, firstRow, rows.fieldCount - firstRow, kind);
    if (kind === BodyKind.NONE) {
      rows.event(RowKind.BODY_END, slot.id, 0, 0, 0);
      slot.bodyEnded = true;
    }
    return 0;
  }

  /** Body length of the head just read: digits; unknown for none, empty and "-1" (Caddy, IIS); or wrong. */
  #readLength(): number {
    const field = this.#params.contentLength;
    const bytes = this.#ring.bytes;
    if (field.conflicting) return LENGTH_WRONG;
    if (field.length <= 0) return LENGTH_UNKNOWN;
    if (field.length === 2 && bytes[field.start] === 0x2d && bytes[field.start + 1] === 0x31) {
      return LENGTH_UNKNOWN;
    }
    const length = readContentLength(bytes, field.start, field.length);
    return length === LENGTH_INVALID ? LENGTH_WRONG : length;
  }
}

/** Errors that only the end of PARAMS can show; all others belong to the record that holds the pair. */
export function isEndFailure(number: number): boolean {
  return (
    number === ERRORS.FCGI_PARAMS.number ||
    number === ERRORS.CONTENT_LENGTH.number ||
    number === ERRORS.LIMIT_BODY_BYTES.number
  );
}
