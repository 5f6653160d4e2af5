/**
 * Responses → AJP 1.3 packets: Send Headers, Send Body Chunk, End Response, Get Body Chunk, CPong.
 * It keeps no state of a request and writes to no socket. Apache JServ Protocol 1.3, "Response packet structure".
 */
import type { BodyPiece, ResponseHead } from "../../http/head.ts";
import { flattened, LineMemo } from "../line-memo.ts";
import {
  addPiece,
  type Encoder,
  type EncoderOptions,
  type Output,
  pieceText,
  type ResponseEnd,
} from "../protocol.ts";
import {
  BODY_OVERHEAD_BYTES,
  CHUNK_OVERHEAD_BYTES,
  HEADER_BYTES,
  PacketType,
} from "./constants.ts";
import { responseHeaderCode } from "./names.ts";

/** Lengths below this have their headers kept. */
const KEPT_MAX = 2_048;

/** A big-endian number of two bytes. */
const u16 = (value: number): string => String.fromCharCode((value >> 8) & 255, value & 255);
const string = (value: string): string => `${u16(value.length)}${value}\0`;

/** By length of the payload, what precedes it; and by length of the bytes, what precedes them in a Send Body Chunk. */
const packetHeaders = new Array<string | undefined>(KEPT_MAX);
const chunkHeaders = new Array<string | undefined>(KEPT_MAX);

/** Kept as one piece of memory where it is short: each part of a concatenation costs as much as its copy. */
function kept(
  texts: (string | undefined)[],
  length: number,
  make: (length: number) => string,
): string {
  if (length >= KEPT_MAX) return make(length);
  let text = texts[length];
  if (text === undefined) {
    text = flattened(make(length));
    texts[length] = text;
  }
  return text;
}

const CHUNK_TYPE = String.fromCharCode(PacketType.SEND_BODY_CHUNK);
const makePacketHeader = (length: number): string => `AB${u16(length)}`;
const makeChunkHeader = (length: number): string =>
  `AB${u16(length + 4)}${CHUNK_TYPE}${u16(length)}`;
/** A packet around a payload. */
const packet = (payload: string): string =>
  kept(packetHeaders, payload.length, makePacketHeader) + payload;
const chunkHeader = (length: number): string => kept(chunkHeaders, length, makeChunkHeader);

const CPONG = packet(String.fromCharCode(PacketType.CPONG));
const FLUSH = packet(`${CHUNK_TYPE}${u16(0)}\0`);
const END_REUSE = packet(String.fromCharCode(PacketType.END_RESPONSE, 1));
const END_CLOSE = packet(String.fromCharCode(PacketType.END_RESPONSE, 0));

function endText(end: ResponseEnd | undefined): string {
  if (end === undefined) return "";
  return end.reuse ? END_REUSE : END_CLOSE;
}

const CHUNK_END = "\0";
const CHUNK_END_REUSE = flattened(CHUNK_END + END_REUSE);
const CHUNK_END_CLOSE = flattened(CHUNK_END + END_CLOSE);

/** The NUL behind a chunk's bytes, and the end. */
function chunkEnd(end: ResponseEnd | undefined): string {
  if (end === undefined) return CHUNK_END;
  return end.reuse ? CHUNK_END_REUSE : CHUNK_END_CLOSE;
}

/** Names by their lower-case form in packets: the same few come again and again. */
const encodedNames = new Map<string, string>();
const ENCODED_NAMES_MAX = 1_000;

function encodedName(name: string): string {
  let encoded = encodedNames.get(name);
  if (encoded === undefined) {
    const code = responseHeaderCode(name.toLowerCase());
    encoded = code === 0 ? string(name) : u16(code);
    if (encodedNames.size < ENCODED_NAMES_MAX) encodedNames.set(name, encoded);
  }
  return encoded;
}

const lines = new LineMemo((name, value) => encodedName(name) + string(value));
interface Beginning {
  readonly reason: string;
  readonly count: number;
  readonly text: string;
}

/** By status, with the reason and the number of headers that came with it last. */
const beginnings: Beginning[] = [];

/** Type, status, reason, number of headers. */
function beginning(status: number, reason: string, count: number): string {
  const before = beginnings[status];
  if (before?.reason === reason && before.count === count) return before.text;
  const type = String.fromCharCode(PacketType.SEND_HEADERS);
  const text = flattened(type + u16(status) + string(reason) + u16(count));
  beginnings[status] = { reason, count, text };
  return text;
}

/**
 * Send Headers. Coded names come first: lighttpd reads the first name's two bytes as the number of headers, so a
 * spelled first name of n letters would let n headers through.
 *
 * @throws RangeError when the head does not fit a packet
 */
function sendHeaders(head: ResponseHead, packetBytes: number): string {
  let coded = "";
  let spelled = "";
  const { fields } = head;
  for (let i = 0; i < fields.length; i += 2) {
    const line = lines.line(fields[i]!, fields[i + 1]!);
    if (line.charCodeAt(0) === 0xa0) coded += line;
    else spelled += line;
  }
  const payload = beginning(head.status, head.reason, fields.length / 2) + coded + spelled;
  if (payload.length > packetBytes - HEADER_BYTES) {
    throw new RangeError(
      `Response head of ${payload.length} bytes does not fit an AJP packet of ${packetBytes} bytes; ` +
        "send fewer headers, or raise ajp.packetSize here and on the web server alike",
    );
  }
  return packet(payload);
}

/** Send Body Chunks and the end; the text between two stretches of bytes goes out in one piece. */
function sendChunks(
  out: Output,
  before: string,
  chunk: BodyPiece,
  chunkBytes: number,
  end: ResponseEnd | undefined,
): void {
  let text = before;
  for (let start = 0; start < chunk.length; start += chunkBytes) {
    const stop = Math.min(start + chunkBytes, chunk.length);
    out.text(text + chunkHeader(stop - start));
    addPiece(out, chunk, start, stop);
    text = CHUNK_END;
  }
  out.text(chunkEnd(end));
}

/** Makes the AJP encoder. */
export function createEncoder(options: EncoderOptions): Encoder {
  const { ajpPacketBytes } = options;
  const chunkBytes = ajpPacketBytes - CHUNK_OVERHEAD_BYTES;
  // 8186 in a packet of 8192: what a body packet can hold. httpd ignores the number, the others count it.
  const wantBytes = ajpPacketBytes - BODY_OVERHEAD_BYTES;
  const getBodyChunk = packet(String.fromCharCode(PacketType.GET_BODY_CHUNK) + u16(wantBytes));
  return {
    response(
      out: Output,
      _exchangeId: number,
      head: ResponseHead | undefined,
      chunk: BodyPiece | undefined,
      end: ResponseEnd | undefined,
    ): void {
      const headText = head === undefined ? "" : sendHeaders(head, ajpPacketBytes);
      if (chunk === undefined) return out.text(headText + endText(end));
      const body = pieceText(chunk);
      if (body === undefined || body.length > chunkBytes) {
        return sendChunks(out, headText, chunk, chunkBytes, end);
      }
      out.text(headText + chunkHeader(body.length) + body + chunkEnd(end));
    },
    flush(out: Output): void {
      out.text(FLUSH);
    },
    stderr(): void {},
    wantBytes,
    want(out: Output, _exchangeId: number, count: number): void {
      out.text(getBodyChunk.repeat(count));
    },
    control(out: Output, type: number): boolean {
      if (type !== PacketType.CPING) return false;
      out.text(CPONG);
      return true;
    },
  };
}
