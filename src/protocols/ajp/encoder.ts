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
import { CHUNK_OVERHEAD_BYTES, HEADER_BYTES, PacketType } from "./constants.ts";
import { responseHeaderCode } from "./names.ts";

/** Numbers below this are kept as text: lengths, statuses and counts of short responses. */
const KEPT_MAX = 2_048;
const numbers: string[] = [];

/** A big-endian number of two bytes. */
function u16(value: number): string {
  if (value >= KEPT_MAX) return String.fromCharCode((value >> 8) & 255, value & 255);
  let text = numbers[value];
  if (text === undefined) {
    text = String.fromCharCode(value >> 8, value & 255);
    numbers[value] = text;
  }
  return text;
}

const string = (value: string): string => `${u16(value.length)}${value}\0`;
/** A packet around a payload. */
const packet = (payload: string): string => `AB${u16(payload.length)}${payload}`;

const CPONG = packet(String.fromCharCode(PacketType.CPONG));
const FLUSH = packet(`${String.fromCharCode(PacketType.SEND_BODY_CHUNK)}${u16(0)}\0`);
const CHUNK_TYPE = String.fromCharCode(PacketType.SEND_BODY_CHUNK);
const END_REUSE = packet(String.fromCharCode(PacketType.END_RESPONSE, 1));
const END_CLOSE = packet(String.fromCharCode(PacketType.END_RESPONSE, 0));

function endText(end: ResponseEnd | undefined): string {
  if (end === undefined) return "";
  return end.reuse ? END_REUSE : END_CLOSE;
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
/** Type, status and reason, by status, with the reason that came with it last. */
const beginnings: { readonly reason: string; readonly text: string }[] = [];

function beginning(status: number, reason: string): string {
  const kept = beginnings[status];
  if (kept?.reason === reason) return kept.text;
  const text = flattened(
    String.fromCharCode(PacketType.SEND_HEADERS) + u16(status) + string(reason),
  );
  beginnings[status] = { reason, text };
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
  const payload = beginning(head.status, head.reason) + u16(fields.length / 2) + coded + spelled;
  if (payload.length > packetBytes - HEADER_BYTES) {
    throw new RangeError(
      `Response head of ${payload.length} bytes does not fit an AJP packet of ${packetBytes} bytes; ` +
        "send fewer headers, or raise ajp.packetSize here and on the web server alike",
    );
  }
  return packet(payload);
}

/** What precedes the bytes of a Send Body Chunk. */
const chunkHeader = (length: number): string => `AB${u16(length + 4)}${CHUNK_TYPE}${u16(length)}`;

/** Send Body Chunks; the text between two bodies goes out in one piece with what is before and behind it. */
function sendChunks(
  out: Output,
  before: string,
  chunk: BodyPiece,
  chunkBytes: number,
  behind: string,
): void {
  let text = before;
  for (let start = 0; start < chunk.length; start += chunkBytes) {
    const end = Math.min(start + chunkBytes, chunk.length);
    out.text(text + chunkHeader(end - start));
    addPiece(out, chunk, start, end);
    text = "\0";
  }
  out.text(text + behind);
}

/** Makes the AJP encoder. */
export function createEncoder(options: EncoderOptions): Encoder {
  const { ajpPacketBytes } = options;
  const chunkBytes = ajpPacketBytes - CHUNK_OVERHEAD_BYTES;
  // 8186 in a packet of 8192: what a body packet can hold. httpd ignores the number, the others count it.
  const getBodyChunk = packet(
    String.fromCharCode(PacketType.GET_BODY_CHUNK) + u16(ajpPacketBytes - 6),
  );
  return {
    response(
      out: Output,
      _exchangeId: number,
      head: ResponseHead | undefined,
      chunk: BodyPiece | undefined,
      end: ResponseEnd | undefined,
    ): void {
      const headText = head === undefined ? "" : sendHeaders(head, ajpPacketBytes);
      const ending = endText(end);
      if (chunk === undefined) return out.text(headText + ending);
      const body = pieceText(chunk);
      if (body === undefined || body.length > chunkBytes) {
        return sendChunks(out, headText, chunk, chunkBytes, ending);
      }
      out.text(`${headText}${chunkHeader(body.length)}${body}\0${ending}`);
    },
    flush(out: Output): void {
      out.text(FLUSH);
    },
    stderr(): void {},
    pullsBody: true,
    want(out: Output): void {
      out.text(getBodyChunk);
    },
    control(out: Output, type: number): boolean {
      if (type !== PacketType.CPING) return false;
      out.text(CPONG);
      return true;
    },
  };
}
