/**
 * Responses → AJP 1.3 packets: Send Headers, Send Body Chunk, End Response, Get Body Chunk, CPong.
 * It keeps no state of a request and writes to no socket. Apache JServ Protocol 1.3, "Response packet structure".
 */
import type { BodyPiece, ResponseHead } from "../../http/head.ts";
import {
  addPiece,
  type Encoder,
  type EncoderOptions,
  type Output,
  type ResponseEnd,
} from "../protocol.ts";
import { CHUNK_OVERHEAD_BYTES, HEADER_BYTES, PacketType } from "./constants.ts";
import { responseHeaderCode } from "./names.ts";

const u16 = (value: number): string => String.fromCharCode((value >> 8) & 255, value & 255);
const string = (value: string): string => `${u16(value.length)}${value}\0`;
/** A packet around a payload. */
const packet = (payload: string): string => `AB${u16(payload.length)}${payload}`;

const CPONG = packet(String.fromCharCode(PacketType.CPONG));
const FLUSH = packet(`${String.fromCharCode(PacketType.SEND_BODY_CHUNK)}${u16(0)}\0`);
const END_REUSE = packet(String.fromCharCode(PacketType.END_RESPONSE, 1));
const END_CLOSE = packet(String.fromCharCode(PacketType.END_RESPONSE, 0));

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
    const name = encodedName(fields[i]!);
    if (name.charCodeAt(0) === 0xa0) coded += name + string(fields[i + 1]!);
    else spelled += name + string(fields[i + 1]!);
  }
  const payload =
    String.fromCharCode(PacketType.SEND_HEADERS) +
    u16(head.status) +
    string(head.reason) +
    u16(fields.length / 2) +
    coded +
    spelled;
  if (payload.length > packetBytes - HEADER_BYTES) {
    throw new RangeError(
      `Response head of ${payload.length} bytes does not fit an AJP packet of ${packetBytes} bytes; ` +
        "send fewer headers, or raise ajp.packetSize here and on the web server alike",
    );
  }
  return packet(payload);
}

function sendChunks(out: Output, chunk: BodyPiece, chunkBytes: number): void {
  for (let start = 0; start < chunk.length; start += chunkBytes) {
    const end = Math.min(start + chunkBytes, chunk.length);
    const length = end - start;
    out.text(
      `AB${u16(length + 4)}${String.fromCharCode(PacketType.SEND_BODY_CHUNK)}${u16(length)}`,
    );
    addPiece(out, chunk, start, end);
    out.text("\0");
  }
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
      if (head !== undefined) out.text(sendHeaders(head, ajpPacketBytes));
      if (chunk !== undefined) sendChunks(out, chunk, chunkBytes);
      if (end !== undefined) out.text(end.reuse ? END_REUSE : END_CLOSE);
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
