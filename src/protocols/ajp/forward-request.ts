/**
 * The payload of a Forward Request → field rows (Apache JServ Protocol 1.3, ajpv13a "Forward Request").
 * It looks at a whole payload only; packets, bodies and states are the decoder's. Coded names stay codes: ids, no strings.
 * Twin: native/core/ajp_forward_request.cc — same checks in the same order.
 *
 *   ┌────┬────────┬──────────┬─────────┬─────────────┬─────────────┬─────────────┬─────────────┬────────┬─────────────┐
 *   │ 02 │ method │ protocol │ req_uri │ remote_addr │ remote_host │ server_name │ server_port │ is_ssl │ num_headers │
 *   │    │ u8     │ string   │ string  │ string      │ string      │ string      │ u16         │ u8     │ u16         │
 *   └────┴────────┴──────────┴─────────┴─────────────┴─────────────┴─────────────┴─────────────┴────────┴─────────────┘
 *   then num_headers × (code A0xx or string, string), attributes × (code, string …), ff
 */
import { ERRORS } from "../../errors.ts";
import { fieldId } from "../../http/field-names.ts";
import { FIELD_ROWS_EXTRA, FIELD_WIDTH, HeadColumn } from "../../wire/abi.ts";
import type { DecoderOptions } from "../../wire/limits.ts";
import type { RowWriter, Tables } from "../../wire/tables.ts";
import { AttributeCode, CODED_NAME, METHOD_MAX, METHOD_STORED, NULL_STRING } from "./constants.ts";
import { ATTRIBUTE_IDS, REQUEST_HEADER_IDS } from "./names.ts";

const CONTENT_LENGTH = fieldId("CONTENT_LENGTH");
const SSL_KEY_SIZE = fieldId("ajp:ssl_key_size");
const SSL_KEY_BITS = fieldId("ajp:ssl_key_bits");

/** Ids of the five strings that every request has, in their order. */
const FIXED_IDS: Uint16Array = Uint16Array.from(
  ["SERVER_PROTOCOL", "ajp:req_uri", "REMOTE_ADDR", "REMOTE_HOST", "SERVER_NAME"].map(fieldId),
);

const CONTENT_LENGTH_NAME: Uint8Array = Buffer.from("content-length", "latin1");
const TRANSFER_ENCODING_NAME: Uint8Array = Buffer.from("transfer-encoding", "latin1");

/** Most digits of a key size that lighttpd writes as a string. */
const KEY_SIZE_DIGITS_MAX = 5;

/** Reads Forward Requests against the limits of one server. */
export class ForwardRequestReader {
  /** Method byte of the request read last. */
  method = 0;
  /** Where its Content-Length is; length −1 when it has none. */
  contentLengthStart = 0;
  contentLengthLength = -1;
  /** Had it more than one Content-Length? Even equal ones are refused (A19). */
  contentLengthTwice = false;
  hasTransferEncoding = false;
  /** Start and length of the string read last; a null string has length 0. */
  #start = 0;
  #length = 0;
  /** Cursor and end of the payload. */
  #at = 0;
  #end = 0;
  #count = 0;
  #hasSecret = false;
  #hasStoredMethod = false;
  readonly #bytes: Uint8Array;
  readonly #rows: RowWriter;
  readonly #fieldCount: number;
  readonly #nameBytes: number;
  readonly #valueBytes: number;

  constructor(bytes: Uint8Array, rows: RowWriter, tables: Tables, options: DecoderOptions) {
    const fieldRows = tables.fields.length / FIELD_WIDTH - FIELD_ROWS_EXTRA;
    this.#bytes = bytes;
    this.#rows = rows;
    this.#fieldCount = Math.min(options.fieldCount, fieldRows);
    this.#nameBytes = options.nameBytes;
    this.#valueBytes = options.valueBytes;
  }

  /**
   * Writes the head row, five fixed rows, a row a header, a row an attribute.
   * Precondition: the field table is empty, and [start, end) is a payload whose first byte is the packet type.
   *
   * @returns 0, or the number of an error
   */
  write(start: number, end: number): number {
    const bytes = this.#bytes;
    this.#clear(start + 2, end);
    if (end - start < 2) return ERRORS.AJP_FORWARD.number;
    const method = bytes[start + 1]!;
    if (method === 0 || (method > METHOD_MAX && method !== METHOD_STORED)) {
      return ERRORS.AJP_FORWARD.number;
    }
    this.method = method;
    this.#rows.field(start, end - start, 0, 0);
    for (let i = 0; i < FIXED_IDS.length; i++) {
      const failure = this.#readValue();
      if (failure !== 0) return failure;
      this.#rows.field(FIXED_IDS[i]!, 0, this.#start, this.#length);
    }
    if (this.#end - this.#at < 5) return ERRORS.AJP_FORWARD.number;
    const port = this.#readNumber();
    const ssl = bytes[this.#at]! !== 0 ? 0x100 : 0;
    this.#at++;
    const headerCount = this.#readNumber();
    for (let i = 0; i < headerCount; i++) {
      const failure = this.#readHeader();
      if (failure !== 0) return failure;
    }
    const failure = this.#readAttributes();
    if (failure !== 0) return failure;
    if (method === METHOD_STORED && !this.#hasStoredMethod) return ERRORS.AJP_FORWARD.number;
    this.#rows.setField(0, HeadColumn.META_A, method | ssl);
    this.#rows.setField(0, HeadColumn.META_B, port | (headerCount << 16));
    return 0;
  }

  #clear(at: number, end: number): void {
    this.contentLengthStart = 0;
    this.contentLengthLength = -1;
    this.contentLengthTwice = false;
    this.hasTransferEncoding = false;
    this.#at = at;
    this.#end = end;
    this.#count = 0;
    this.#hasSecret = false;
    this.#hasStoredMethod = false;
  }

  /** A u16 at the cursor. Precondition: two bytes are there. */
  #readNumber(): number {
    const number = (this.#bytes[this.#at]! << 8) | this.#bytes[this.#at + 1]!;
    this.#at += 2;
    return number;
  }

  /** A string at the cursor: length, bytes, NUL; no NUL inside; ff ff is null. Returns 0 or an error. */
  #readString(): number {
    if (this.#end - this.#at < 2) return ERRORS.AJP_FORWARD.number;
    const length = this.#readNumber();
    const start = this.#at;
    this.#start = start;
    this.#length = 0;
    if (length === NULL_STRING) return 0;
    if (length >= this.#end - start) return ERRORS.AJP_FORWARD.number;
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) {
      if (bytes[start + i] === 0) return ERRORS.AJP_FORWARD.number;
    }
    if (bytes[start + length] !== 0) return ERRORS.AJP_FORWARD.number;
    this.#length = length;
    this.#at = start + length + 1;
    return 0;
  }

  #readValue(): number {
    const failure = this.#readString();
    if (failure !== 0) return failure;
    return this.#length > this.#valueBytes ? ERRORS.LIMIT_VALUE_BYTES.number : 0;
  }

  /** A name that has to be one: neither null nor empty. */
  #readName(): number {
    const failure = this.#readString();
    if (failure !== 0) return failure;
    if (this.#length === 0) return ERRORS.AJP_FORWARD.number;
    return this.#length > this.#nameBytes ? ERRORS.LIMIT_NAME_BYTES.number : 0;
  }

  #readHeader(): number {
    this.#count++;
    if (this.#count > this.#fieldCount) return ERRORS.LIMIT_FIELD_COUNT.number;
    if (this.#end - this.#at < 2) return ERRORS.AJP_FORWARD.number;
    let name: number;
    let nameLength = 0;
    let isContentLength: boolean;
    // Only a first byte of a0 marks a code; lengths 7 and 8 are not codes A007 and A008 (A08).
    if (this.#bytes[this.#at] === CODED_NAME) {
      const code = this.#bytes[this.#at + 1]!;
      name = code < REQUEST_HEADER_IDS.length ? REQUEST_HEADER_IDS[code]! : 0;
      if (name === 0) return ERRORS.AJP_FORWARD.number;
      this.#at += 2;
      isContentLength = name === CONTENT_LENGTH;
    } else {
      const failure = this.#readName();
      if (failure !== 0) return failure;
      name = -this.#start;
      nameLength = this.#length;
      isContentLength = this.#isNamed(CONTENT_LENGTH_NAME);
      if (this.#isNamed(TRANSFER_ENCODING_NAME)) this.hasTransferEncoding = true;
    }
    const failure = this.#readValue();
    if (failure !== 0) return failure;
    if (isContentLength) {
      if (this.contentLengthLength >= 0) this.contentLengthTwice = true;
      this.contentLengthStart = this.#start;
      this.contentLengthLength = this.#length;
    }
    this.#rows.field(name, nameLength, this.#start, this.#length);
    return 0;
  }

  /** Is the string read last this lower-case name, in any case? */
  #isNamed(lowerName: Uint8Array): boolean {
    if (this.#length !== lowerName.length) return false;
    for (let i = 0; i < lowerName.length; i++) {
      const byte = this.#bytes[this.#start + i]!;
      const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
      if (lower !== lowerName[i]) return false;
    }
    return true;
  }

  /** Attributes up to their end, which has to be there; what follows it is ignored. */
  #readAttributes(): number {
    while (this.#at < this.#end) {
      const code = this.#bytes[this.#at]!;
      this.#at++;
      if (code === AttributeCode.ARE_DONE) return 0;
      this.#count++;
      if (this.#count > this.#fieldCount) return ERRORS.LIMIT_FIELD_COUNT.number;
      const failure = this.#readAttribute(code);
      if (failure !== 0) return failure;
    }
    return ERRORS.AJP_FORWARD.number;
  }

  #readAttribute(code: number): number {
    if (code === AttributeCode.SSL_KEY_SIZE) return this.#readKeySize();
    let name = code < ATTRIBUTE_IDS.length ? ATTRIBUTE_IDS[code]! : 0;
    let nameLength = 0;
    if (code === AttributeCode.REQ_ATTRIBUTE) {
      const failure = this.#readName();
      if (failure !== 0) return failure;
      name = -this.#start;
      nameLength = this.#length;
    } else if (name === 0) {
      // An unknown code: the shape of its value is unknown, and so is everything after it (A11).
      return ERRORS.AJP_FORWARD.number;
    }
    const failure = this.#readValue();
    if (failure !== 0) return failure;
    if (code === AttributeCode.SECRET) {
      if (this.#hasSecret) return ERRORS.AJP_FORWARD.number;
      this.#hasSecret = true;
    } else if (code === AttributeCode.STORED_METHOD && this.#length > 0) {
      this.#hasStoredMethod = true;
    }
    this.#rows.field(name, nameLength, this.#start, this.#length);
    return 0;
  }

  /** A u16 number of bits; or, as lighttpd writes it, a string of up to five digits (A10). */
  #readKeySize(): number {
    if (this.#end - this.#at < 2) return ERRORS.AJP_FORWARD.number;
    const start = this.#at;
    const number = this.#readNumber();
    if (this.#digitsFollow(number)) {
      this.#rows.field(SSL_KEY_SIZE, 0, start + 2, number);
      this.#at += number + 1;
    } else {
      this.#rows.field(SSL_KEY_BITS, 0, start, 2);
    }
    return 0;
  }

  /** Do `count` digits (1 to 5) and a NUL stand at the cursor? */
  #digitsFollow(count: number): boolean {
    if (count < 1 || count > KEY_SIZE_DIGITS_MAX || count >= this.#end - this.#at) return false;
    for (let i = 0; i < count; i++) {
      const digit = this.#bytes[this.#at + i]! - 0x30;
      if (digit < 0 || digit > 9) return false;
    }
    return this.#bytes[this.#at + count] === 0;
  }
}
