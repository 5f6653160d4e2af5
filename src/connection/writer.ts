/**
 * Collects the bytes of one write: text and small pieces as one latin1 string, large ones where they lie.
 * It frames nothing, waits for nothing and writes nothing: a transport takes what it holds.
 */
import type { BodyPiece } from "../http/head.ts";
import type { Output } from "../protocols/protocol.ts";

/**
 * Bytes up to this length become part of the text: a string of its own costs less than another piece of a writev.
 * The limit itself was not measured; bench/encode.bench.ts has what a short response costs as text and as pieces.
 */
const TEXT_BYTES_MAX = 1_024;

const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start?: number, end?: number): string;
};

/** The output of connections, between two writes. */
export class Writer implements Output {
  #text = "";
  #pieces: BodyPiece[] | undefined;
  #length = 0;
  /** Bytes that were taken out, ever. */
  takenBytes = 0;

  /** Bytes collected. */
  get length(): number {
    return this.#length;
  }

  bytes(chunk: Uint8Array): void {
    const { length } = chunk;
    if (length <= TEXT_BYTES_MAX) {
      if (length > 0) this.text(latin1Slice.call(chunk, 0, length));
      return;
    }
    this.#pieces ??= [];
    if (this.#text !== "") this.#pieces.push(this.#text);
    this.#text = "";
    this.#pieces.push(chunk);
    this.#length += length;
  }

  text(latin1: string): void {
    this.#text += latin1;
    this.#length += latin1.length;
  }

  /** Forgets what was collected. */
  discard(): void {
    this.#text = "";
    this.#pieces = undefined;
    this.#length = 0;
  }

  /** Takes what was collected out: one latin1 string, or several pieces, none of them empty. */
  take(): string | readonly BodyPiece[] {
    const text = this.#text;
    const pieces = this.#pieces;
    this.takenBytes += this.#length;
    this.discard();
    if (pieces === undefined) return text;
    if (text !== "") pieces.push(text);
    return pieces;
  }
}
