/**
 * PARAMS bytes → field rows (FastCGI specification §3.4, name-value pairs).
 * It gathers nothing and frames nothing: it is given a stretch of the stream, in place or put together.
 * Twin: native/core/fastcgi_params.cc — same checks in the same order.
 *
 *   0              1 or 4          +nameLength   +valueLength
 *   ┌─────────────┬───────────────┬─────────────┬──────────────┐
 *   │ nameLength  │ valueLength   │ name        │ value        │   a length below 128 is one byte,
 *   │ 1 or 4 bytes│ 1 or 4 bytes  │             │              │   else four with the top bit set
 *   └─────────────┴───────────────┴─────────────┴──────────────┘
 */
import { ERRORS } from "../../errors.ts";
import { fieldId, lookupFieldName } from "../../http/field-names.ts";
import { FIELD_ROWS_EXTRA, FIELD_WIDTH } from "../../wire/abi.ts";
import type { DecoderOptions } from "../../wire/limits.ts";
import type { Ring } from "../../wire/ring.ts";
import type { RowWriter, Tables } from "../../wire/tables.ts";
import { ContentLengthField } from "../content-length.ts";
import type { RequestSlot } from "./request-table.ts";

const CONTENT_LENGTH = fieldId("CONTENT_LENGTH");

/** {@link ParamsReader.readPair}: the lengths are not whole yet. */
const INCOMPLETE = 0;

/** {@link ParamsReader.write}: the tables are full; try again with empty ones. */
export const NO_ROOM = -1;

/** Reads pairs against the limits of one server. Remembers only the last pair and the last head's CONTENT_LENGTH. */
export class ParamsReader {
  /** CONTENT_LENGTH of the head that {@link write} read last. */
  readonly contentLength: ContentLengthField = new ContentLengthField();
  /** `limits.headBytes`, and never more than the head area holds. */
  readonly headBytes: number;
  readonly #words: DataView;
  readonly #fieldCount: number;
  readonly #nameBytes: number;
  readonly #valueBytes: number;
  #nameLength = 0;
  #valueLength = 0;

  constructor(ring: Ring, tables: Tables, options: DecoderOptions) {
    const fieldRows = tables.fields.length / FIELD_WIDTH - FIELD_ROWS_EXTRA;
    this.#words = ring.words;
    this.headBytes = Math.min(options.headBytes, ring.headEnd - ring.readEnd);
    this.#fieldCount = Math.min(options.fieldCount, fieldRows);
    this.#nameBytes = options.nameBytes;
    this.#valueBytes = options.valueBytes;
  }

  /**
   * Reads the two lengths of the pair at `at` and checks them as soon as each is known.
   * Precondition: at < end.
   *
   * @param streamStart offset where the PARAMS stream begins
   * @param pairCount   pairs before this one
   * @returns offset of the name; {@link INCOMPLETE}; or minus the number of an error
   */
  readPair(
    bytes: Uint8Array,
    at: number,
    end: number,
    streamStart: number,
    pairCount: number,
  ): number {
    if (pairCount >= this.#fieldCount) return -ERRORS.LIMIT_FIELD_COUNT.number;
    let offset = at;
    let nameLength = bytes[offset]!;
    if (nameLength < 0x80) {
      offset += 1;
    } else {
      if (end - offset < 4) return INCOMPLETE;
      nameLength = readLength(bytes, offset);
      offset += 4;
    }
    if (nameLength > this.#nameBytes) return -ERRORS.LIMIT_NAME_BYTES.number;
    if (offset >= end) return INCOMPLETE;
    let valueLength = bytes[offset]!;
    if (valueLength < 0x80) {
      offset += 1;
    } else {
      if (end - offset < 4) return INCOMPLETE;
      valueLength = readLength(bytes, offset);
      offset += 4;
    }
    if (valueLength > this.#valueBytes) return -ERRORS.LIMIT_VALUE_BYTES.number;
    // Two 31-bit lengths: their sum does not fit 32 bits signed (F17f).
    if (offset - streamStart + nameLength + valueLength > this.headBytes) {
      return -ERRORS.LIMIT_HEAD_BYTES.number;
    }
    this.#nameLength = nameLength;
    this.#valueLength = valueLength;
    return offset;
  }

  /**
   * Checks the pairs of what has been gathered so far, from where the last check stopped.
   *
   * @returns 0, or the number of an error
   */
  scan(slot: RequestSlot): number {
    const { bytes, length } = slot.gather;
    while (slot.scanOffset < length) {
      const name = this.readPair(bytes, slot.scanOffset, length, 0, slot.pairCount);
      if (name < 0) return -name;
      if (name === INCOMPLETE) return 0;
      slot.scanOffset = name + this.#nameLength + this.#valueLength;
      slot.pairCount++;
    }
    return 0;
  }

  /**
   * Writes the field rows of a whole PARAMS stream: head row, then one row for each pair with a name.
   *
   * @param bytes the ring
   * @returns 0; {@link NO_ROOM}; or the number of an error. Field rows are taken back unless it is 0
   */
  write(bytes: Uint8Array, start: number, end: number, rows: RowWriter): number {
    const firstRow = rows.fieldCount;
    if (!rows.hasRoom(0, 1)) return NO_ROOM;
    rows.field(start, end - start, 0, 0);
    this.contentLength.clear();
    let at = start;
    let pairCount = 0;
    let failure = 0;
    while (at < end) {
      const name = this.readPair(bytes, at, end, start, pairCount);
      if (name <= 0) {
        failure = name === INCOMPLETE ? ERRORS.FCGI_PARAMS.number : -name;
        break;
      }
      const value = name + this.#nameLength;
      if (this.#nameLength + this.#valueLength > end - name) {
        failure = ERRORS.FCGI_PARAMS.number;
        break;
      }
      pairCount++;
      at = value + this.#valueLength;
      // A pair without a name is counted and dropped (F17g).
      if (this.#nameLength === 0) continue;
      if (!rows.hasRoom(0, 1)) {
        failure = NO_ROOM;
        break;
      }
      const id = lookupFieldName(this.#words, name, this.#nameLength);
      rows.field(id > 0 ? id : -name, this.#nameLength, value, this.#valueLength);
      if (id === CONTENT_LENGTH) this.contentLength.add(bytes, value, this.#valueLength);
    }
    if (failure !== 0) rows.rewindFields(firstRow);
    return failure;
  }
}

/** A four-byte length: 31 bits, the top bit only says that there are four. */
function readLength(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! & 0x7f) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  );
}
