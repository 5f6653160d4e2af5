/**
 * FastCGI records and name-value pairs as a web server writes and reads them (FastCGI specification §3.3, §3.4).
 * It keeps no request's state; fastcgi.ts does. No padding is written: libfcgi loses variables by it.
 */
import { ClientError } from "../errors.ts";
import {
  BODY_BYTES,
  CONTENT_BYTES_MAX,
  HEADER_BYTES,
  VERSION,
} from "../protocols/fastcgi/constants.ts";

/** Header of one record without padding. */
export function recordHeader(type: number, requestId: number, contentBytes: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = VERSION;
  header[1] = type;
  header.writeUInt16BE(requestId, 2);
  header.writeUInt16BE(contentBytes, 4);
  return header;
}

/** One whole record. */
export function encodeRecord(type: number, requestId: number, content: Uint8Array): Buffer {
  return Buffer.concat([recordHeader(type, requestId, content.length), content]);
}

/** Content of BEGIN_REQUEST (§5.1). */
export function encodeBegin(role: number, flags: number): Buffer {
  const content = Buffer.alloc(BODY_BYTES);
  content.writeUInt16BE(role, 0);
  content[2] = flags;
  return content;
}

/** A stream in full: records of the greatest size, and the empty one that ends it. Pairs may be cut. */
export function encodeStream(type: number, requestId: number, content: Uint8Array): Buffer {
  const records: Buffer[] = [];
  for (let start = 0; start < content.length; start += CONTENT_BYTES_MAX) {
    records.push(encodeRecord(type, requestId, content.subarray(start, start + CONTENT_BYTES_MAX)));
  }
  records.push(recordHeader(type, requestId, 0));
  return Buffer.concat(records);
}

/** Name-value pairs (§3.4), latin1. */
export function encodePairs(pairs: Iterable<readonly [name: string, value: string]>): Buffer {
  const pieces: Buffer[] = [];
  for (const [name, value] of pairs) {
    pieces.push(encodeLength(name.length), encodeLength(value.length));
    pieces.push(Buffer.from(name + value, "latin1"));
  }
  return Buffer.concat(pieces);
}

function encodeLength(length: number): Buffer {
  if (length < 128) return Buffer.of(length);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  bytes[0]! |= 0x80;
  return bytes;
}

/**
 * Reads name-value pairs to their end (§3.4).
 *
 * @throws ClientError ERR_CLIENT_RESPONSE when a pair reaches past the end
 */
export function decodePairs(content: Buffer): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  let at = 0;
  const readLength = (): number => {
    const long = at < content.length && content[at]! >= 128;
    const next = at + (long ? 4 : 1);
    if (next > content.length) throw cutPair();
    const length = long ? content.readUInt32BE(at) & 0x7fffffff : content[at]!;
    at = next;
    return length;
  };
  while (at < content.length) {
    const nameLength = readLength();
    const valueLength = readLength();
    if (nameLength + valueLength > content.length - at) throw cutPair();
    const name = content.toString("latin1", at, at + nameLength);
    at += nameLength;
    pairs.push([name, content.toString("latin1", at, at + valueLength)]);
    at += valueLength;
  }
  return pairs;
}

function cutPair(): ClientError {
  return new ClientError("ERR_CLIENT_RESPONSE", "A name-value pair is cut off.", true);
}
