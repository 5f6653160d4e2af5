/**
 * AJP packets as a web server writes and reads them: Forward Request and body packets out, Send Headers in.
 * It keeps no state of a connection; ajp.ts does. Apache JServ Protocol 1.3, ajpv13a and ajpv13ext.
 */
import { ClientError, UsageError } from "../errors.ts";
import {
  AttributeCode,
  CODED_NAME,
  HEADER_BYTES,
  MAGIC_FROM_SERVER,
  METHOD_STORED,
  NULL_STRING,
  PacketType,
} from "../protocols/ajp/constants.ts";
import { methodCode, requestHeaderCode, RESPONSE_HEADER_NAMES } from "../protocols/ajp/names.ts";
import { serverNameAndPort, splitUrl } from "./request-head.ts";
import type { ParsedHead } from "./response-parser.ts";
import type { PreparedRequest } from "./session.ts";

/** Variables that a Forward Request has a field of its own for. */
const FIELD_PARAMS: ReadonlySet<string> = new Set(
  "SERVER_PROTOCOL REMOTE_ADDR REMOTE_HOST SERVER_NAME SERVER_PORT HTTPS SSL_CIPHER_USEKEYSIZE".split(
    " ",
  ),
);

/** Variables that are attributes with a code of their own. */
const CODED_PARAMS: ReadonlyMap<string, number> = new Map([
  ["REMOTE_USER", AttributeCode.REMOTE_USER],
  ["AUTH_TYPE", AttributeCode.AUTH_TYPE],
  ["QUERY_STRING", AttributeCode.QUERY_STRING],
  ["JVM_ROUTE", AttributeCode.JVM_ROUTE],
  ["SSL_CLIENT_CERT", AttributeCode.SSL_CERT],
  ["SSL_CIPHER", AttributeCode.SSL_CIPHER],
  ["SSL_SESSION_ID", AttributeCode.SSL_SESSION],
]);

/** Variables that Apache sends as request attributes under a name of AJP's. */
const NAMED_PARAMS: ReadonlyMap<string, string> = new Map([
  ["REMOTE_PORT", "AJP_REMOTE_PORT"],
  ["SERVER_ADDR", "AJP_LOCAL_ADDR"],
  ["SSL_PROTOCOL", "AJP_SSL_PROTOCOL"],
]);

const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);

/** A string, or the null string for undefined. */
function encodeString(text: string | undefined): Buffer {
  if (text === undefined) return u16(NULL_STRING);
  return Buffer.concat([u16(text.length), Buffer.from(`${text}\0`, "latin1")]);
}

/** One packet to the application. */
export function encodePacket(payload: Uint8Array): Buffer {
  return Buffer.concat([u16(MAGIC_FROM_SERVER), u16(payload.length), payload]);
}

/**
 * A body packet; undefined is the end marker of a body of unknown length.
 *
 * @param raw without the inner length, as lighttpd; its end marker is an empty packet
 */
export function encodeBody(piece: Uint8Array | undefined, raw: boolean): Buffer {
  if (raw) return encodePacket(piece ?? Buffer.alloc(0));
  const bytes = piece ?? Buffer.alloc(0);
  return encodePacket(Buffer.concat([u16(bytes.length), bytes]));
}

/**
 * The Forward Request packet.
 *
 * @param packetBytes the packet size of both sides
 * @throws UsageError when it does not fit, or a param has no place in AJP
 */
export function encodeForward(
  request: PreparedRequest,
  packetBytes: number,
  secret: string | undefined,
): Buffer {
  const { params } = request;
  const [path, query] = splitUrl(request.url);
  const [serverName, serverPort] = serverNameAndPort(request);
  const param = (name: string, otherwise: string | undefined): string | undefined =>
    Object.hasOwn(params, name) ? params[name] : otherwise;
  const method = methodCode(request.method);
  const headers = forwardHeaders(request);
  const https = (param("HTTPS", "off") ?? "off").toLowerCase();
  const pieces = [
    Buffer.of(PacketType.FORWARD_REQUEST, method === 0 ? METHOD_STORED : method),
    encodeString(param("SERVER_PROTOCOL", "HTTP/1.1")),
    encodeString(path),
    encodeString(param("REMOTE_ADDR", "127.0.0.1")),
    encodeString(param("REMOTE_HOST", undefined)),
    encodeString(param("SERVER_NAME", serverName)),
    u16(Number(param("SERVER_PORT", serverPort) ?? 80) & 0xffff),
    Buffer.of(https === "on" || https === "1" ? 1 : 0),
    u16(headers.length),
    ...headers,
    encodeAttributes(request, query, secret),
    method === 0
      ? Buffer.concat([Buffer.of(AttributeCode.STORED_METHOD), encodeString(request.method)])
      : Buffer.alloc(0),
    Buffer.of(AttributeCode.ARE_DONE),
  ];
  const packet = encodePacket(Buffer.concat(pieces));
  if (packet.length > packetBytes) {
    throw new UsageError(
      `The request head takes ${packet.length} bytes, more than packetSize ${packetBytes}; raise it on both sides.`,
    );
  }
  return packet;
}

/** Each header as name and value, coded where there is a code. */
function forwardHeaders(request: PreparedRequest): Buffer[] {
  const pairs = [...request.headers];
  if (request.contentLength !== undefined)
    pairs.push(["Content-Length", `${request.contentLength}`]);
  // As Apache: it is how the other side knows that there is a body of unknown length.
  else if (request.body !== undefined) pairs.push(["Transfer-Encoding", "chunked"]);
  return pairs.map(([name, value]) => {
    const code = requestHeaderCode(name.toLowerCase());
    return Buffer.concat([code === 0 ? encodeString(name) : u16(code), encodeString(value)]);
  });
}

function encodeAttributes(
  request: PreparedRequest,
  query: string | undefined,
  secret: string | undefined,
): Buffer {
  const pieces: Buffer[] = [];
  const coded = (code: number, value: string | undefined): void => {
    if (value !== undefined) pieces.push(Buffer.of(code), encodeString(value));
  };
  const named = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    pieces.push(Buffer.of(AttributeCode.REQ_ATTRIBUTE), encodeString(name), encodeString(value));
  };
  coded(AttributeCode.SECRET, secret);
  if (!Object.hasOwn(request.params, "QUERY_STRING")) coded(AttributeCode.QUERY_STRING, query);
  for (const [name, value] of Object.entries(request.params)) {
    if (FIELD_PARAMS.has(name)) continue;
    const code = CODED_PARAMS.get(name);
    const attribute = NAMED_PARAMS.get(name);
    if (code !== undefined) coded(code, value);
    else if (attribute !== undefined) named(attribute, value);
    else throw new UsageError(`AJP has no place for the param ${name}; use attributes.`);
  }
  const keyBits = request.params.SSL_CIPHER_USEKEYSIZE;
  if (keyBits !== undefined)
    pieces.push(Buffer.of(AttributeCode.SSL_KEY_SIZE), u16(Number(keyBits)));
  for (const [name, value] of Object.entries(request.attributes)) named(name, value);
  return Buffer.concat(pieces);
}

/**
 * Reads a Send Headers payload.
 *
 * @param payload with its type byte
 * @throws ClientError ERR_CLIENT_RESPONSE when a string or number reaches past the end
 */
export function decodeHeaders(payload: Buffer): ParsedHead {
  let at = 1;
  const readNumber = (): number => {
    if (at + 2 > payload.length) throw cutHeaders();
    const value = payload.readUInt16BE(at);
    at += 2;
    return value;
  };
  const readString = (length: number): string => {
    if (length === NULL_STRING) return "";
    if (at + length >= payload.length || payload[at + length] !== 0) throw cutHeaders();
    const text = payload.toString("latin1", at, at + length);
    at += length + 1;
    return text;
  };
  const status = readNumber();
  const reason = readString(readNumber());
  const rawHeaders: string[] = [];
  for (let count = readNumber(); count > 0; count--) {
    const lengthOrCode = readNumber();
    const coded = lengthOrCode >> 8 === CODED_NAME;
    const name = coded ? RESPONSE_HEADER_NAMES[lengthOrCode & 0xff] : readString(lengthOrCode);
    if (name === undefined || name === "") throw cutHeaders();
    rawHeaders.push(name, readString(readNumber()));
  }
  return { status, reason, rawHeaders };
}

function cutHeaders(): ClientError {
  return new ClientError("ERR_CLIENT_RESPONSE", "Its headers are cut off or badly coded.", true);
}

/** Whole length of a packet from the application, by its first four bytes. */
export function packetBytes(header: Buffer, magic: number, maxBytes: number): number {
  if (header.readUInt16BE(0) !== magic) {
    throw new ClientError("ERR_CLIENT_RESPONSE", "A packet does not begin with 41 42.", true);
  }
  const bytes = HEADER_BYTES + header.readUInt16BE(2);
  if (bytes > maxBytes) {
    throw new ClientError(
      "ERR_CLIENT_RESPONSE",
      `A packet has ${bytes} bytes; expected ${maxBytes}.`,
      true,
    );
  }
  return bytes;
}
