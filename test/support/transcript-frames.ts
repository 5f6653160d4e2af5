/**
 * Frames as a web server writes them, good by default and bad by one changed word: records, netstrings, packets.
 * It sends nothing and reads nothing; transcript.ts does. Written by hand, so that encoders of src/ are not their judge.
 */

/** Names and values, latin1; an array of pairs where a name repeats. */
export type Pairs = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

/** Pairs of either form as a list. */
export function listOf(pairs: Pairs): readonly (readonly [string, string])[] {
  return Array.isArray(pairs) ? pairs : Object.entries(pairs);
}

const bytes = (content: Uint8Array | string): Buffer =>
  typeof content === "string" ? Buffer.from(content, "latin1") : Buffer.from(content);

const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 255);

/** Record types by name. */
export const Type = {
  BEGIN: 1,
  ABORT: 2,
  END: 3,
  PARAMS: 4,
  STDIN: 5,
  STDOUT: 6,
  STDERR: 7,
  DATA: 8,
  GET_VALUES: 9,
  GET_VALUES_RESULT: 10,
  UNKNOWN_TYPE: 11,
} as const;

/** One FastCGI record. */
export function record(word: {
  type: number;
  id?: number;
  content?: Uint8Array | string;
  padding?: number;
  version?: number;
}): Buffer {
  const { type, id = 1, padding = 0, version = 1 } = word;
  const content = bytes(word.content ?? "");
  const header = [Buffer.of(version, type), u16(id), u16(content.length), Buffer.of(padding, 0)];
  return Buffer.concat([...header, content, Buffer.alloc(padding, 0xee)]);
}

/** BEGIN_REQUEST. */
export function begin(id = 1, word: { role?: number; keep?: boolean } = {}): Buffer {
  const content = Buffer.alloc(8);
  content.writeUInt16BE(word.role ?? 1, 0);
  content[2] = word.keep === true ? 1 : 0;
  return record({ type: Type.BEGIN, id, content });
}

/** Name-value pairs, every length in its shortest form. */
export function pairs(variables: Pairs): Buffer {
  const length = (text: string): Buffer => {
    if (text.length < 128) return Buffer.of(text.length);
    const four = Buffer.alloc(4);
    four.writeUInt32BE((text.length | 0x80000000) >>> 0);
    return four;
  };
  return Buffer.concat(
    listOf(variables).flatMap(([name, value]) => [
      length(name),
      length(value),
      bytes(name),
      bytes(value),
    ]),
  );
}

/** A whole PARAMS stream. */
export function params(id: number, variables: Pairs): Buffer {
  const content = pairs(variables);
  const records: Buffer[] = [];
  for (let at = 0; at < content.length; at += 65_535) {
    records.push(record({ type: Type.PARAMS, id, content: content.subarray(at, at + 65_535) }));
  }
  return Buffer.concat([...records, record({ type: Type.PARAMS, id })]);
}

/** STDIN with its end. */
export function stdin(id: number, body: Uint8Array | string = ""): Buffer {
  const content = bytes(body);
  const records: Buffer[] = [];
  for (let at = 0; at < content.length; at += 65_535) {
    records.push(record({ type: Type.STDIN, id, content: content.subarray(at, at + 65_535) }));
  }
  return Buffer.concat([...records, record({ type: Type.STDIN, id })]);
}

/** What every request of these tests says unless a test says otherwise. */
export const USUAL: Readonly<Record<string, string>> = {
  REQUEST_METHOD: "GET",
  REQUEST_URI: "/",
  SERVER_PROTOCOL: "HTTP/1.1",
  HTTP_HOST: "example.test",
};

/** A whole FastCGI request: BEGIN, PARAMS, and STDIN with its end. */
export function fastcgiRequest(
  word: {
    id?: number;
    keep?: boolean;
    role?: number;
    params?: Readonly<Record<string, string>>;
    body?: Uint8Array | string;
  } = {},
): Buffer {
  const { id = 1, keep = false, role = 1, body = "" } = word;
  const sent = body.length === 0 ? {} : { CONTENT_LENGTH: String(body.length) };
  const variables = { ...USUAL, ...sent, ...word.params };
  return Buffer.concat([begin(id, { role, keep }), params(id, variables), stdin(id, body)]);
}

/** A netstring of SCGI headers, without a body. */
export function netstring(headers: Pairs): Buffer {
  const content = bytes(
    listOf(headers)
      .map(([name, value]) => `${name}\0${value}\0`)
      .join(""),
  );
  return Buffer.concat([bytes(`${content.length}:`), content, bytes(",")]);
}

/** A whole SCGI request. */
export function scgiRequest(
  word: { params?: Readonly<Record<string, string>>; body?: Uint8Array | string } = {},
): Buffer {
  const body = bytes(word.body ?? "");
  const first = { CONTENT_LENGTH: String(body.length), SCGI: "1" };
  return Buffer.concat([netstring({ ...first, ...USUAL, ...word.params }), body]);
}

/** An AJP packet from the web server. */
export function packet(payload: Uint8Array | string): Buffer {
  const content = bytes(payload);
  return Buffer.concat([Buffer.of(0x12, 0x34), u16(content.length), content]);
}

/** An AJP string; null where there is none. */
export function ajpString(text: string | null): Buffer {
  if (text === null) return Buffer.of(0xff, 0xff);
  return Buffer.concat([u16(text.length), bytes(text), Buffer.of(0)]);
}

/** A Forward Request; header names are spelled out unless they are two bytes `\xa0\x..`. */
export function forwardRequest(
  word: {
    method?: number;
    uri?: string;
    port?: number;
    tls?: boolean;
    headers?: Pairs;
    query?: string;
    secret?: string;
    storedMethod?: string;
    remoteUser?: string;
    attributes?: Pairs;
  } = {},
): Buffer {
  const headers = listOf(word.headers ?? { Host: "example.test" });
  const coded = (code: number, text: string | undefined): Buffer[] =>
    text === undefined ? [] : [Buffer.of(code), ajpString(text)];
  return packet(
    Buffer.concat([
      Buffer.of(2, word.method ?? 2),
      ajpString("HTTP/1.1"),
      ajpString(word.uri ?? "/"),
      ajpString("192.0.2.7"),
      ajpString(null),
      ajpString("example.test"),
      u16(word.port ?? 80),
      Buffer.of(word.tls === true ? 1 : 0),
      u16(headers.length),
      ...headers.flatMap(([name, value]) => [
        name.charCodeAt(0) === 0xa0 ? bytes(name) : ajpString(name),
        ajpString(value),
      ]),
      ...coded(3, word.remoteUser),
      ...coded(5, word.query),
      ...coded(12, word.secret),
      ...coded(13, word.storedMethod),
      ...listOf(word.attributes ?? []).flatMap(([name, value]) => [
        Buffer.of(10),
        ajpString(name),
        ajpString(value),
      ]),
      Buffer.of(0xff),
    ]),
  );
}

/** An AJP body packet; without bytes the end marker of httpd. */
export function bodyPacket(body: Uint8Array | string = ""): Buffer {
  return packet(Buffer.concat([u16(body.length), bytes(body)]));
}

/** CPING. */
export const CPING: Buffer = packet(Buffer.of(10));
/** CPONG. */
export const CPONG: Buffer = Buffer.of(0x41, 0x42, 0, 1, 9);
/** The request for another body packet, of packets of 8192 bytes. */
export const GET_BODY_CHUNK: Buffer = Buffer.of(0x41, 0x42, 0, 3, 6, 0x1f, 0xfa);
