/**
 * What a protocol is to the rest of the house: a decoder, a head reader and an encoder.
 * It decodes and encodes nothing itself. Each protocol's folder exports one object of this shape.
 */
import type { FieldBlock } from "../http/field-block.ts";
import type { BodyPiece, ProtocolName, RequestHead, ResponseHead } from "../http/head.ts";
import type { IdentityPolicy } from "../http/identity.ts";
import type { Decoder } from "../wire/decoder.ts";
import type { DecoderOptions } from "../wire/limits.ts";
import type { Ring } from "../wire/ring.ts";
import type { Tables } from "../wire/tables.ts";

/** Options that reading a head needs. */
export interface HeadOptions {
  /** Forces the mount prefix, "" included; undefined: found by cgi/script-name.ts. */
  readonly scriptName: string | undefined;
  /** Takes the mount prefix off `url`. */
  readonly stripScriptName: boolean;
  /** Which of the peer's words about the client are believed. */
  readonly trust: IdentityPolicy;
  /** AJP: the secret's SHA-256, or undefined when none is asked for. */
  readonly ajpSecretHash: Buffer | undefined;
  /** AJP: names of request attributes that may pass beside the known ones. */
  readonly ajpAttributes: RegExp | undefined;
}

/** What the HEAD row says beside its fields. */
export interface HeadMeta {
  /** A {@link BodyKind}. */
  readonly bodyKind: number;
  /** META_A and META_B of the head row. */
  readonly metaA: number;
  readonly metaB: number;
}

/** How a response ends on the wire. */
export interface ResponseEnd {
  /** FastCGI: appStatus, 0 = well. */
  readonly appStatus: number;
  /** FastCGI: protocolStatus. */
  readonly protocolStatus: number;
  /** AJP: may the peer use the connection again? */
  readonly reuse: boolean;
  /** FastCGI: was STDOUT begun, so that its stream must be ended? */
  readonly stdout: boolean;
  /** FastCGI: was STDERR begun, so that its stream must be ended? */
  readonly stderr: boolean;
}

/** Collects the bytes of one write. Strings are latin1. */
export interface Output {
  /** Adds bytes; they are not copied and must not change until they are written. */
  bytes(chunk: Uint8Array): void;
  /** Adds a latin1 string. */
  text(latin1: string): void;
}

/** Adds a piece of a body, or the part [start, end) of it. */
export function addPiece(
  out: Output,
  piece: BodyPiece,
  start = 0,
  end: number = piece.length,
): void {
  if (typeof piece === "string")
    out.text(start === 0 && end === piece.length ? piece : piece.slice(start, end));
  else out.bytes(start === 0 && end === piece.length ? piece : piece.subarray(start, end));
}

/**
 * Bytes up to this many become text that leaves in one piece with what is around them: on its own each piece costs as
 * much as copying some hundred bytes (50 ns for 13 bytes, 70 for 512).
 */
const TEXT_BYTES_MAX = 512;

/** Buffer's own method, which takes any Uint8Array; its types leave it out. */
const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array): string;
};

/** A piece of a body as latin1 text, or undefined for many bytes, which go out where they lie. */
export function pieceText(piece: BodyPiece): string | undefined {
  if (typeof piece === "string") return piece;
  return piece.length <= TEXT_BYTES_MAX ? latin1Slice.call(piece) : undefined;
}

/** Turns a response into bytes. Holds no state of any exchange. */
export interface Encoder {
  /**
   * Encodes any of: the head, a piece of body, the end — together, so that they can leave in one write.
   *
   * @param out        where the bytes go
   * @param exchangeId FastCGI request id; ignored by the others
   * @param head       the response head, the first time; undefined after it
   * @param chunk      body bytes, or undefined. Never empty
   * @param end        the end, the last time
   * @throws RangeError when the head cannot be encoded (AJP: larger than a packet); nothing was added then
   */
  response(
    out: Output,
    exchangeId: number,
    head: ResponseHead | undefined,
    chunk: BodyPiece | undefined,
    end: ResponseEnd | undefined,
  ): void;
  /** Asks the peer to pass on what it holds (AJP: a chunk of no bytes); nothing elsewhere. */
  flush(out: Output, exchangeId: number): void;
  /** Error text for the peer's log (FastCGI STDERR); dropped elsewhere. */
  stderr(out: Output, exchangeId: number, chunk: Uint8Array): void;
  /** Most body bytes that come for one want (AJP); 0 where they come unasked, and reading is paused instead. */
  readonly wantBytes: number;
  /** Asks for body bytes, so many times (AJP Get Body Chunk); nothing elsewhere. */
  want(out: Output, exchangeId: number, count: number): void;
  /**
   * Answers a CONTROL row.
   *
   * @param type    the row's detail
   * @param content the frame's content, borrowed
   * @returns false when the frame gets no answer
   */
  control(out: Output, type: number, content: Uint8Array): boolean;
}

/** What an encoder has to know of a server's options. */
export interface EncoderOptions {
  readonly ajpPacketBytes: number;
  /** Values of GET_VALUES_RESULT. */
  readonly maxConnections: number;
  readonly maxRequests: number;
  readonly multiplex: boolean;
}

/** One protocol. */
export interface Protocol {
  readonly name: Exclude<ProtocolName, "http">;
  /** As the addon numbers it: {@link ProtocolNumber}. */
  readonly number: number;
  /** The TypeScript engine's decoder: the executable specification. */
  createDecoder(ring: Ring, tables: Tables, options: DecoderOptions): Decoder;
  /**
   * Reads a request's head.
   *
   * @throws ProtocolError of request scope when a field breaks a rule
   */
  readHead(fields: FieldBlock, meta: HeadMeta, options: HeadOptions): RequestHead;
  createEncoder(options: EncoderOptions): Encoder;
  /** Can the front server that sent this head carry an upgrade: 101 from us, then bytes both ways? */
  carriesUpgrade(head: RequestHead): boolean;
  /** Length of this request's body where its front server answers each of several wants; 0 where it may lose one. */
  lengthAskedAhead(head: RequestHead): number;
}
