/**
 * Bytes that a worker prints → whole lines of text that are safe to show and to keep (reliability O-8, B-96, B-97).
 *
 * What would move a terminal's cursor, or end a line early, is escaped as `\x1b`; tabs and colours pass. Writes nothing,
 * and adds nothing to a line: who said it is the caller's to tell.
 */
import { isUtf8 } from "node:buffer";

/** Longest line, in bytes; longer ones are cut into pieces, so that a worker without line ends holds no memory. */
const LINE_BYTES_MAX = 16_384;
const LINE_END = 10;
const CARRIAGE_RETURN = 13;
/** First byte of a character of UTF-8: not 10xxxxxx. */
const isBegin = (byte: number): boolean => (byte & 0xc0) !== 0x80;

/** Control characters less tab, and those of C1, which some terminals obey as well. */
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/;
/** The same, but `ESC [ … m` is taken as a whole: it sets colours and nothing else. */
const EACH_CONTROL = /\x1b\[[0-9;:]{0,32}m|[\x00-\x08\x0a-\x1f\x7f-\x9f]/g;

function escaped(match: string): string {
  if (match.length > 1) return match;
  return `\\x${match.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** Text with every control character but tab escaped; colours pass. */
export function escapeControls(text: string): string {
  return CONTROLS.test(text) ? text.replace(EACH_CONTROL, escaped) : text;
}

/** Text of bytes; those that are no UTF-8 are escaped one by one. */
function textOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return escapeControls(bytes.toString("utf8"));
  return escapeControls(bytes.toString("latin1")).replace(/[\xa0-\xff]/g, escaped);
}

/** Gathers the lines of one stream. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #take: (line: string) => void;
  /** Of a line that has not ended. */
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** @param take hears each line, without its end, in order */
  constructor(take: (line: string) => void, maxLineBytes: number = LINE_BYTES_MAX) {
    this.#take = take;
    this.#maxLineBytes = maxLineBytes;
  }

  /** The next bytes of the stream; they are copied where they are kept. */
  add(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      this.#line(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) return;
    this.#rest.push(Buffer.from(chunk.subarray(start)));
    this.#restBytes += chunk.length - start;
    if (this.#restBytes > this.#maxLineBytes) this.#cut();
  }

  /** The stream ended: what is left is a line, though nobody ended it. */
  end(): void {
    if (this.#restBytes > 0) this.#line(Buffer.alloc(0));
  }

  #line(last: Buffer): void {
    let bytes = this.#restBytes === 0 ? last : Buffer.concat([...this.#rest, last]);
    this.#rest = [];
    this.#restBytes = 0;
    // "\r\n" is a line end as well.
    if (bytes[bytes.length - 1] === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1);
    this.#take(textOf(this.#cutAll(bytes)));
  }

  /** Gives away pieces of the longest size until one is left. */
  #cutAll(bytes: Buffer): Buffer {
    let left = bytes;
    while (left.length > this.#maxLineBytes) {
      let end = this.#maxLineBytes;
      // A character is not cut, unless what stands there is none.
      while (end > this.#maxLineBytes - 3 && !isBegin(left[end]!)) end--;
      if (!isBegin(left[end]!)) end = this.#maxLineBytes;
      this.#take(textOf(left.subarray(0, end)));
      left = left.subarray(end);
    }
    return left;
  }

  #cut(): void {
    const left = this.#cutAll(Buffer.concat(this.#rest));
    this.#rest = [left];
    this.#restBytes = left.length;
  }
}
