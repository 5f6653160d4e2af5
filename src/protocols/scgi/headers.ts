/**
 * The headers of one SCGI netstring → field rows (SCGI protocol document: name NUL value NUL).
 * It looks at a whole block only; length, comma and body are the decoder's. Remembers what the decoder asks afterwards.
 * Twin: native/core/scgi_headers.cc — same checks in the same order.
 */
import { ERRORS } from "../../errors.ts";
import { fieldId, lookupFieldName } from "../../http/field-names.ts";
import { FIELD_ROWS_EXTRA, FIELD_WIDTH } from "../../wire/abi.ts";
import type { DecoderOptions } from "../../wire/limits.ts";
import type { Ring } from "../../wire/ring.ts";
import type { RowWriter, Tables } from "../../wire/tables.ts";
import { ContentLengthField } from "../content-length.ts";

const CONTENT_LENGTH = fieldId("CONTENT_LENGTH");
const SCGI = fieldId("SCGI");
const HTTP_UPGRADE = fieldId("HTTP_UPGRADE");
const DIGIT_ONE = 0x31;

/** Reads header blocks against the limits of one server. */
export class HeaderReader {
  /** CONTENT_LENGTH of the block read last. */
  readonly contentLength: ContentLengthField = new ContentLengthField();
  /** Had it an HTTP_UPGRADE that is not empty? */
  asksUpgrade = false;
  /** In strict mode: is CONTENT_LENGTH not first, SCGI not 1, or a name there twice? */
  breaksStrictRules = false;
  readonly #words: DataView;
  readonly #fieldCount: number;
  readonly #nameBytes: number;
  readonly #valueBytes: number;
  readonly #strict: boolean;

  constructor(ring: Ring, tables: Tables, options: DecoderOptions) {
    const fieldRows = tables.fields.length / FIELD_WIDTH - FIELD_ROWS_EXTRA;
    this.#words = ring.words;
    this.#fieldCount = Math.min(options.fieldCount, fieldRows);
    this.#nameBytes = options.nameBytes;
    this.#valueBytes = options.valueBytes;
    this.#strict = options.scgiStrict;
  }

  /**
   * Writes head row and field rows. Precondition: the tables are empty.
   *
   * @returns 0, or the number of an error
   */
  write(bytes: Uint8Array, start: number, end: number, rows: RowWriter): number {
    const words = this.#words;
    rows.field(start, end - start, 0, 0);
    this.contentLength.clear();
    this.asksUpgrade = false;
    let isFirst = true;
    let contentLengthFirst = false;
    let scgiOne = false;
    let at = start;
    let count = 0;
    while (at < end) {
      if (count >= this.#fieldCount) return ERRORS.LIMIT_FIELD_COUNT.number;
      count++;
      const nameEnd = findNul(words, at, end);
      if (nameEnd === end || nameEnd === at) return ERRORS.SCGI_HEADERS.number;
      const nameLength = nameEnd - at;
      if (nameLength > this.#nameBytes) return ERRORS.LIMIT_NAME_BYTES.number;
      const value = nameEnd + 1;
      const valueEnd = findNul(words, value, end);
      if (valueEnd === end) return ERRORS.SCGI_HEADERS.number;
      const valueLength = valueEnd - value;
      if (valueLength > this.#valueBytes) return ERRORS.LIMIT_VALUE_BYTES.number;
      const id = lookupFieldName(words, at, nameLength);
      rows.field(id > 0 ? id : -at, nameLength, value, valueLength);
      if (id === CONTENT_LENGTH) {
        this.contentLength.add(bytes, value, valueLength);
        if (isFirst) contentLengthFirst = true;
      } else if (id === HTTP_UPGRADE) {
        if (valueLength > 0) this.asksUpgrade = true;
      } else if (id === SCGI) {
        scgiOne = valueLength === 1 && bytes[value] === DIGIT_ONE;
      }
      isFirst = false;
      at = valueEnd + 1;
    }
    this.breaksStrictRules =
      this.#strict && !(contentLengthFirst && scgiOne && !hasNameTwice(bytes, start, end));
    return 0;
  }
}

/** Offset of the first NUL in [at, end), or `end`. */
function findNul(words: DataView, at: number, end: number): number {
  let offset = at;
  for (; offset + 4 <= end; offset += 4) {
    const four = words.getInt32(offset, true);
    // The top bit of each byte that is 0, the lowest of them without fail.
    const nul = (four - 0x0101_0101) & ~four & 0x8080_8080;
    if (nul !== 0) return offset + ((31 - Math.clz32(nul & -nul)) >> 3);
  }
  while (offset < end && words.getUint8(offset) !== 0) offset++;
  return offset;
}

/** Is a name there twice? Only strict mode asks, of a block that is well-formed. */
function hasNameTwice(bytes: Uint8Array, start: number, end: number): boolean {
  const seen = new Set<string>();
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
  const parts = text.split("\0");
  for (let i = 0; i + 1 < parts.length; i += 2) {
    if (seen.has(parts[i]!)) return true;
    seen.add(parts[i]!);
  }
  return false;
}
