/**
 * Responses → FastCGI records: STDOUT, STDERR, END_REQUEST (FastCGI specification §3.3, §5.3, §5.5).
 * It keeps no state of a request and writes to no socket. Reserved bytes are 0 and there is no padding.
 */
import type { BodyPiece, ResponseHead } from "../../http/head.ts";
import { cgiResponseHead } from "../cgi/response-head.ts";
import { flattened } from "../line-memo.ts";
import {
  addPiece,
  type Encoder,
  type EncoderOptions,
  type Output,
  pieceText,
  type ResponseEnd,
} from "../protocol.ts";
import { CONTENT_BYTES_ALIGNED_MAX, RecordType, VERSION } from "./constants.ts";
import { answerControl } from "./control.ts";

/** Largest STDERR record: front servers log a record as one piece, nginx from a buffer of this size. */
const STDERR_BYTES_MAX = 8_192;

/** Numbers of two bytes below this are kept as text: every id and length that short responses have. */
const KEPT_MAX = 2_048;
const numbers = new Array<string | undefined>(KEPT_MAX);
/** STDOUT headers of request 1 by content length: nearly all web servers number their requests so. */
const stdoutHeaders = new Array<string | undefined>(KEPT_MAX);
/** What ends an ordinary response, by request id. */
const ends = new Array<string | undefined>(KEPT_MAX);

/** A big-endian number of two bytes. */
function u16(value: number): string {
  if (value >= KEPT_MAX) return String.fromCharCode(value >> 8, value & 255);
  let text = numbers[value];
  if (text === undefined) {
    text = String.fromCharCode(value >> 8, value & 255);
    numbers[value] = text;
  }
  return text;
}

/** Version and type of a record, by type. */
const beginnings: readonly string[] = Array.from({ length: 12 }, (_, type) =>
  String.fromCharCode(VERSION, type),
);

/** A record header as latin1 text. */
export function recordHeader(type: number, exchangeId: number, contentBytes: number): string {
  return `${beginnings[type]!}${u16(exchangeId)}${u16(contentBytes)}\0\0`;
}

/** Header of a STDOUT record. */
function stdoutHeader(id: number, contentBytes: number): string {
  if (id !== 1 || contentBytes >= KEPT_MAX)
    return recordHeader(RecordType.STDOUT, id, contentBytes);
  let header = stdoutHeaders[contentBytes];
  if (header === undefined) {
    header = flattened(recordHeader(RecordType.STDOUT, id, contentBytes));
    stdoutHeaders[contentBytes] = header;
  }
  return header;
}

/** The content of END_REQUEST with its header, as latin1 text. */
export function endRequest(exchangeId: number, appStatus: number, protocolStatus: number): string {
  return (
    recordHeader(RecordType.END_REQUEST, exchangeId, 8) +
    String.fromCharCode(
      (appStatus >>> 24) & 255,
      (appStatus >>> 16) & 255,
      (appStatus >>> 8) & 255,
      appStatus & 255,
      protocolStatus,
      0,
      0,
      0,
    )
  );
}

/** Cuts one stream's bytes into records. A record is never empty: that would end the stream. */
function stream(
  out: Output,
  type: number,
  id: number,
  chunk: BodyPiece,
  recordBytes: number,
  from = 0,
): void {
  for (let start = from; start < chunk.length; start += recordBytes) {
    const end = Math.min(start + recordBytes, chunk.length);
    out.text(recordHeader(type, id, end - start));
    addPiece(out, chunk, start, end);
  }
}

/** Head text in front of the first bytes of body, in one record where both fit. */
function headAndBody(out: Output, id: number, text: string, chunk: BodyPiece | undefined): void {
  const room = CONTENT_BYTES_ALIGNED_MAX - text.length;
  if (room < 0) {
    stream(out, RecordType.STDOUT, id, Buffer.from(text, "latin1"), CONTENT_BYTES_ALIGNED_MAX);
    if (chunk !== undefined) stream(out, RecordType.STDOUT, id, chunk, CONTENT_BYTES_ALIGNED_MAX);
    return;
  }
  const firstBytes = chunk === undefined ? 0 : Math.min(chunk.length, room);
  out.text(recordHeader(RecordType.STDOUT, id, text.length + firstBytes) + text);
  if (chunk === undefined) return;
  addPiece(out, chunk, 0, firstBytes);
  stream(out, RecordType.STDOUT, id, chunk, CONTENT_BYTES_ALIGNED_MAX, firstBytes);
}

/** The ends of the streams that were begun, and END_REQUEST. */
function endText(id: number, end: ResponseEnd): string {
  const isPlain =
    end.stdout && !end.stderr && end.appStatus === 0 && end.protocolStatus === 0 && id < KEPT_MAX;
  const kept = isPlain ? ends[id] : undefined;
  if (kept !== undefined) return kept;
  const stderrEnd = end.stderr ? recordHeader(RecordType.STDERR, id, 0) : "";
  const stdoutEnd = end.stdout ? recordHeader(RecordType.STDOUT, id, 0) : "";
  const text = flattened(stderrEnd + stdoutEnd + endRequest(id, end.appStatus, end.protocolStatus));
  if (isPlain) ends[id] = text;
  return text;
}

/** Makes the FastCGI encoder. */
export function createEncoder(options: EncoderOptions): Encoder {
  return {
    response(
      out: Output,
      exchangeId: number,
      head: ResponseHead | undefined,
      chunk: BodyPiece | undefined,
      end: ResponseEnd | undefined,
    ): void {
      const ending = end === undefined ? "" : endText(exchangeId, end);
      const headText = head === undefined ? "" : cgiResponseHead(head, true);
      const body = chunk === undefined ? "" : pieceText(chunk);
      if (body !== undefined && headText.length + body.length <= CONTENT_BYTES_ALIGNED_MAX) {
        const length = headText.length + body.length;
        const header = length === 0 ? "" : stdoutHeader(exchangeId, length);
        return out.text(header + headText + body + ending);
      }
      if (head !== undefined) headAndBody(out, exchangeId, headText, chunk);
      else if (chunk !== undefined) {
        stream(out, RecordType.STDOUT, exchangeId, chunk, CONTENT_BYTES_ALIGNED_MAX);
      }
      if (end !== undefined) out.text(ending);
    },
    flush(): void {},
    stderr(out: Output, exchangeId: number, chunk: Uint8Array): void {
      stream(out, RecordType.STDERR, exchangeId, chunk, STDERR_BYTES_MAX);
    },
    wantBytes: 0,
    want(): void {},
    control(out: Output, type: number, content: Uint8Array): boolean {
      return answerControl(out, type, content, options);
    },
  };
}
