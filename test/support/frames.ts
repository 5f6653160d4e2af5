/**
 * Builders of frames as front servers send them: records, packets, netstrings. Good ones by default, bad ones by one
 * changed word. They decode nothing and know no limits.
 */
import { CONTENT_BYTES_MAX, RecordType } from "../../src/protocols/fastcgi/constants.ts";

/** Bytes of a latin1 string. */
export const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

/** One FastCGI record. */
export function record(
  type: number,
  id: number,
  content: string | Uint8Array = "",
  changed: { version?: number; padding?: number; reserved?: number } = {},
): Buffer {
  const bytes = typeof content === "string" ? latin1(content) : content;
  const { version = 1, padding = 0, reserved = 0 } = changed;
  const header = Buffer.from([
    version,
    type,
    id >> 8,
    id & 0xff,
    bytes.length >> 8,
    bytes.length & 0xff,
    padding,
    reserved,
  ]);
  return Buffer.concat([header, bytes, Buffer.alloc(padding, 0xee)]);
}

/** BEGIN_REQUEST. */
export const begin = (id = 1, role = 1, flags = 1): Buffer =>
  record(RecordType.BEGIN_REQUEST, id, Buffer.from([role >> 8, role & 0xff, flags, 0, 0, 0, 0, 0]));

const length = (n: number): Buffer => {
  if (n < 128) return Buffer.from([n]);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n + 0x8000_0000);
  return bytes;
};

/** Name-value pairs as PARAMS and GET_VALUES have them. */
export const pairs = (fields: readonly (readonly [string, string])[]): Buffer =>
  Buffer.concat(
    fields.flatMap(([name, value]) => [
      length(name.length),
      length(value.length),
      latin1(name),
      latin1(value),
    ]),
  );

/** PARAMS of a request: records with these pairs, as large as can be, and the empty one. */
export function params(id: number, fields: readonly (readonly [string, string])[]): Buffer {
  const stream = pairs(fields);
  const records: Buffer[] = [];
  for (let at = 0; at < stream.length; at += CONTENT_BYTES_MAX) {
    records.push(record(RecordType.PARAMS, id, stream.subarray(at, at + CONTENT_BYTES_MAX)));
  }
  return Buffer.concat([...records, record(RecordType.PARAMS, id)]);
}

/** A STDIN record; without content the end of STDIN. */
export const stdin = (id: number, content = ""): Buffer => record(RecordType.STDIN, id, content);

/** An SCGI request's netstring. */
export function netstring(fields: readonly (readonly [string, string])[]): Buffer {
  const headers = fields.map(([name, value]) => `${name}\0${value}\0`).join("");
  return latin1(`${headers.length}:${headers},`);
}

/** One AJP packet from the web server. */
export function packet(payload: Uint8Array | string = ""): Buffer {
  const bytes = typeof payload === "string" ? latin1(payload) : payload;
  return Buffer.concat([Buffer.from([0x12, 0x34, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** A u16. */
export const u16 = (n: number): Buffer => Buffer.from([n >> 8, n & 0xff]);

/** An AJP string; null is ff ff. */
export const ajpString = (text: string | null): Buffer =>
  text === null ? u16(0xffff) : Buffer.concat([u16(text.length), latin1(text), Buffer.from([0])]);

/** An AJP body packet with its inner length. */
export const bodyPacket = (text: string): Buffer =>
  packet(Buffer.concat([u16(text.length), latin1(text)]));

/** What a Forward Request says. */
export interface Forward {
  method?: number;
  uri?: string | null;
  /** Names as string, or as whole code A0xx. */
  headers?: readonly (readonly [string | number, string | null])[];
  headerCount?: number;
  /** Attribute code and value; bytes are put as they are. */
  attributes?: readonly (readonly [number, ...(string | null | Uint8Array)[]])[];
  end?: Uint8Array;
}

/** An AJP Forward Request. */
export function forward(said: Forward = {}): Buffer {
  const { method = 2, uri = "/", headers = [], attributes = [], end = Buffer.from([0xff]) } = said;
  const parts: Uint8Array[] = [Buffer.from([2, method])];
  for (const text of ["HTTP/1.1", uri, "192.0.2.7", null, "example.test"]) {
    parts.push(ajpString(text));
  }
  parts.push(u16(80), Buffer.from([0]), u16(said.headerCount ?? headers.length));
  for (const [name, value] of headers) {
    parts.push(typeof name === "number" ? u16(name) : ajpString(name), ajpString(value));
  }
  for (const [code, ...values] of attributes) {
    parts.push(Buffer.from([code]));
    for (const value of values) {
      parts.push(value instanceof Uint8Array ? value : ajpString(value));
    }
  }
  return packet(Buffer.concat([...parts, end]));
}
