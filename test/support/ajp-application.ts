/**
 * What a scripted AJP application says and what it reads of a request; bytes are the `<` sides of the test vectors.
 * It reads by the AJP 1.3 documentation, not by the client's own tables, and starts nothing: scripted-application.ts does.
 */
import { expect } from "vitest";
import { hex } from "./scripted-peer.ts";

/** Vector A01: Send Headers, Send Body Chunk, End Response with reuse. */
export const A01: Buffer =
  hex(`41 42 00 1f 04 00 c8 00 02 4f 4b 00 00 02 a0 01 00 0a 74 65 78 74 2f 70 6c 61 69 6e 00 a0 03 00
  01 32 00 41 42 00 06 03 00 02 68 69 00 41 42 00 02 05 01`);

/** Vectors A02 and A04: 200, and the end. */
export const OK: Buffer = hex("41 42 00 0a 04 00 c8 00 02 4f 4b 00 00 00 41 42 00 02 05 01");
/** As OK, but the connection is not to be used again. */
export const NO_REUSE: Buffer = hex("41 42 00 0a 04 00 c8 00 02 4f 4b 00 00 00 41 42 00 02 05 00");
/** Get Body Chunk: as much as fits. */
export const GET_BODY: Buffer = hex("41 42 00 03 06 1f fa");

/** A Forward Request as it stands in its packet; a code of a header name is hexadecimal text. */
export interface ForwardRequest {
  readonly method: number;
  readonly protocol: string | null;
  readonly uri: string | null;
  readonly address: string | null;
  readonly host: string | null;
  readonly server: string | null;
  readonly port: number;
  readonly tls: number;
  readonly headers: (string | null)[][];
  readonly attributes: (string | number | null)[][];
}

/** Reads the strings and codes of a Forward Request; throws where it is not well formed. */
export function decodeForward(payload: Buffer): ForwardRequest {
  let at = 0;
  const byte = (): number => payload[at++]!;
  const u16 = (): number => byte() * 256 + byte();
  const text = (length = u16()): string | null => {
    if (length === 0xffff) return null;
    const value = payload.toString("latin1", at, at + length);
    at += length;
    expect(byte()).toBe(0);
    return value;
  };
  expect(byte()).toBe(2);
  const method = byte();
  const [protocol, uri, address, host, server] = [text(), text(), text(), text(), text()];
  const [port, tls] = [u16(), byte()];
  const headers = [];
  for (let count = u16(); count > 0; count--) {
    const code = u16();
    headers.push([code >> 8 === 0xa0 ? code.toString(16) : text(code), text()]);
  }
  const attributes = [];
  for (let code = byte(); code !== 0xff; code = byte()) {
    if (code === 0x0a) attributes.push([code, text(), text()]);
    else if (code === 0x0b) attributes.push([code, u16()]);
    else attributes.push([code, text()]);
  }
  expect(at).toBe(payload.length);
  return { method, protocol, uri, address, host, server, port, tls, headers, attributes };
}
