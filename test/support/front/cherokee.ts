/**
 * Variables → the bytes that Cherokee sends, and the answer that came back over them.
 *
 * Cherokee is in no current distribution, so its habits are written out here: FastCGI with a PARAMS record for every
 * variable and padding in the last one only, flags 0; SCGI with CONTENT_LENGTH and SCGI first and empty values sent.
 */
import { connect } from "./ports.ts";
import type { Address } from "./ports.ts";

const record = (type: number, content: Buffer, paddingBytes = 0): Buffer =>
  Buffer.concat([
    Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, paddingBytes, 0]),
    content,
    Buffer.alloc(paddingBytes),
  ]);

const lengthOf = (text: string): Buffer => {
  if (text.length < 128) return Buffer.from([text.length]);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(text.length + 0x8000_0000);
  return bytes;
};

/** A GET over FastCGI. Names and values are latin1. */
export function cherokeeFastcgi(variables: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(variables).map(([name, value]) =>
    Buffer.concat([lengthOf(name), lengthOf(value), Buffer.from(name + value, "latin1")]),
  );
  const last = pairs.length - 1;
  return Buffer.concat([
    record(1, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])),
    ...pairs.map((pair, index) =>
      record(4, pair, index === last ? (8 - (pair.length % 8)) % 8 : 0),
    ),
    record(4, Buffer.alloc(0)),
    record(5, Buffer.alloc(0)),
  ]);
}

/** A GET over SCGI. */
export function cherokeeScgi(variables: Readonly<Record<string, string>>): Buffer {
  const all = { CONTENT_LENGTH: "0", SCGI: "1", ...variables };
  const head = Object.entries(all)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join("");
  return Buffer.from(`${head.length}:${head},`, "latin1");
}

/** Sends bytes and reads until the gateway closes. */
export async function exchangeBytes(address: Address, bytes: Buffer): Promise<Buffer> {
  const socket = await connect(address);
  socket.setTimeout(10_000, () => socket.destroy(new Error("the gateway does not close")));
  socket.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Contents of all records of one type, in order. */
export function recordContents(bytes: Buffer, type: number): Buffer {
  const contents: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt16BE(at + 4);
    if (bytes[at + 1] === type) contents.push(bytes.subarray(at + 8, end));
    at = end + bytes[at + 6]!;
  }
  return Buffer.concat(contents);
}
