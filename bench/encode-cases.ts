/**
 * Protocol × response → functions that encode that response again and again into an output that keeps nothing.
 * Holds no clock. What is encoded is decoded again by hand, byte for byte, before anybody may measure it.
 */
import type { BodyPiece, ResponseHead } from "../src/http/head.ts";
import type { Encoder, Output, ResponseEnd } from "../src/protocols/protocol.ts";
import { PROTOCOLS } from "./cases.ts";
import type { DecodedProtocol } from "./streams.ts";

/** One response. */
export interface BenchResponse {
  readonly head: ResponseHead;
  readonly body: BodyPiece;
}

const HELLO = "Hello, World!";
const PAGE = "x".repeat(65_536);

function response(body: BodyPiece, more: readonly string[] = []): BenchResponse {
  const fields = ["Content-Type", "text/plain", "Content-Length", String(body.length), ...more];
  return { head: { status: 200, reason: "OK", fields, contentLength: body.length }, body };
}

const TEN = [
  ["Date", "Tue, 24 Nov 2026 20:00:00 GMT"],
  ["Cache-Control", "no-cache, private"],
  ["ETag", 'W/"d-7Yi9CR7MvHnCZ7hsIMuvhSyHUv4"'],
  ["Vary", "Accept-Encoding"],
  ["X-Powered-By", "Express"],
  ["X-Request-Id", "0191d1a5-8f3e-7c2b-9a61-2f5de1c0a7b4"],
  ["Strict-Transport-Security", "max-age=31536000"],
  ["Set-Cookie", "session=3f9a7c51d2e84b06a1c5e9f7; Path=/; HttpOnly"],
].flat();

/** The responses of the bench, by name. */
export const RESPONSES: Readonly<Record<string, BenchResponse>> = {
  "hello, text": response(HELLO),
  "hello, bytes": response(Buffer.from(HELLO, "latin1")),
  "ten headers, 1 KiB of text": response("y".repeat(1_024), TEN),
  "64 KiB of bytes": response(Buffer.from(PAGE, "latin1")),
};

const END: ResponseEnd = {
  appStatus: 0,
  protocolStatus: 0,
  reuse: true,
  stdout: true,
  stderr: false,
};
const OPTIONS = { ajpPacketBytes: 8_192, maxConnections: 1, maxRequests: 1, multiplex: false };

/** Lays what is added into one buffer, as a transport does; bytes in large pieces stay where they are. */
class Laying implements Output {
  readonly #buffer = Buffer.allocUnsafeSlow(131_072);
  #at = 0;
  pieces = 0;
  length = 0;
  bytes(chunk: Uint8Array): void {
    this.pieces++;
    this.length += chunk.length;
    if (chunk.length > 4_096) return;
    this.#buffer.set(chunk, this.#at);
    this.#at += chunk.length;
  }
  text(latin1: string): void {
    this.pieces++;
    this.length += latin1.length;
    this.#at += this.#buffer.write(latin1, this.#at, "latin1");
  }
  clear(): void {
    this.#at = 0;
    this.pieces = 0;
    this.length = 0;
  }
}

/** Keeps what is added, as latin1 text. */
class Keeper implements Output {
  all = "";
  bytes(chunk: Uint8Array): void {
    this.all += Buffer.from(chunk).toString("latin1");
  }
  text(latin1: string): void {
    this.all += latin1;
  }
}

/** Encodes one response again and again. */
export interface EncodeCase {
  /** Encodes it; returns the number of bytes. */
  encode(): number;
  /** Pieces and bytes that one encoding adds to the output. */
  size(): { pieces: number; length: number };
  /** Throws an Error unless the body can be read out of the bytes again. */
  check(): void;
}

/** Makes a case. */
export function encodeCase(name: DecodedProtocol, { head, body }: BenchResponse): EncodeCase {
  const encoder: Encoder = PROTOCOLS[name].createEncoder(OPTIONS);
  const out = new Laying();
  return {
    encode: () => {
      out.clear();
      encoder.response(out, 1, head, body, END);
      return out.length;
    },
    size: () => {
      out.clear();
      encoder.response(out, 1, head, body, END);
      return { pieces: out.pieces, length: out.length };
    },
    check: () => {
      const keeper = new Keeper();
      encoder.response(keeper, 1, head, body, END);
      const sent = typeof body === "string" ? body : Buffer.from(body).toString("latin1");
      if (BODIES[name](keeper.all) !== sent) throw new Error(`another body, ${name}`);
    },
  };
}

const afterHead = (stream: string): string => stream.slice(stream.indexOf("\r\n\r\n") + 4);
const u16 = (bytes: string, at: number): number =>
  bytes.charCodeAt(at) * 256 + bytes.charCodeAt(at + 1);

function fastcgiBody(bytes: string): string {
  let stdout = "";
  for (let at = 0; at < bytes.length; ) {
    const length = u16(bytes, at + 4);
    if (bytes.charCodeAt(at + 1) === 6) stdout += bytes.slice(at + 8, at + 8 + length);
    at += 8 + length + bytes.charCodeAt(at + 6);
  }
  return afterHead(stdout);
}

function ajpBody(bytes: string): string {
  let body = "";
  for (let at = 0; at < bytes.length; at += 4 + u16(bytes, at + 2)) {
    if (bytes.charCodeAt(at + 4) === 3) body += bytes.slice(at + 7, at + 7 + u16(bytes, at + 5));
  }
  return body;
}

/** The body in a whole answer, by protocol. */
const BODIES: Readonly<Record<DecodedProtocol, (bytes: string) => string>> = {
  fastcgi: fastcgiBody,
  scgi: afterHead,
  ajp: ajpBody,
};
