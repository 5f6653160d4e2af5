/**
 * A body to send → pieces of at most so many bytes, counted against a promised length.
 * It writes nothing and buffers no more than the piece it was given. Nothing of a protocol is in here.
 */
import { UsageError } from "../errors.ts";
import type { ClientBody } from "./session.ts";

/** Reads a body piece by piece. One reader at a time. */
export class BodySource {
  /** Bytes in all, or undefined when nobody has promised. */
  readonly length: number | undefined;
  readonly #iterator: AsyncIterator<Uint8Array> | undefined;
  #rest: Uint8Array | undefined;
  #readBytes = 0;
  #done = false;

  /**
   * @param body   bytes, a string (sent as UTF-8) or an async iterable of bytes
   * @param length promised length in bytes, for an iterable whose length is known
   * @throws UsageError when bytes are there and their number is another
   */
  constructor(body: ClientBody, length?: number) {
    if (typeof body === "string" || body instanceof Uint8Array) {
      const bytes = typeof body === "string" ? Buffer.from(body) : body;
      if (length !== undefined && length !== bytes.length) {
        throw new UsageError(
          `Content-Length is ${length}, but the body has ${bytes.length} bytes; leave the header out.`,
        );
      }
      this.length = bytes.length;
      this.#rest = bytes;
    } else {
      this.length = length;
      this.#iterator = body[Symbol.asyncIterator]();
    }
  }

  /** Has everything been read? */
  get done(): boolean {
    return this.#done;
  }

  /**
   * The next piece.
   *
   * @param maxBytes its largest length
   * @returns undefined at the end
   * @throws UsageError when the body is longer or shorter than promised; whatever the iterable throws
   */
  async read(maxBytes: number): Promise<Uint8Array | undefined> {
    while (!this.#done) {
      const rest = this.#rest;
      if (rest !== undefined && rest.length > 0) {
        const piece = rest.subarray(0, maxBytes);
        this.#rest = rest.subarray(piece.length);
        return piece;
      }
      this.#rest = await this.#next();
      if (this.#rest === undefined) this.#done = true;
      else this.#readBytes += this.#rest.length;
      this.#compareLength();
    }
    return undefined;
  }

  /** Reads no more; lets an iterable clean up. */
  cancel(): void {
    if (this.#done) return;
    this.#done = true;
    this.#rest = undefined;
    // A generator's own failure while it cleans up has no reader any more.
    this.#iterator?.return?.()?.catch(() => undefined);
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#iterator === undefined) return undefined;
    const { value, done } = await this.#iterator.next();
    return done === true ? undefined : value;
  }

  #compareLength(): void {
    if (this.#iterator === undefined || this.length === undefined) return;
    const tooLong = this.#readBytes > this.length;
    if (tooLong || (this.#done && this.#readBytes < this.length)) {
      const error = new UsageError(
        `Content-Length is ${this.length}, but the body has ${tooLong ? "more" : "only"} ` +
          `${tooLong ? "bytes" : `${this.#readBytes} bytes`}; leave the header out.`,
      );
      this.cancel();
      throw error;
    }
  }
}

/** Reads all of a body into memory, for a protocol without unknown lengths. */
export async function collectBody(source: BodySource): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = await source.read(Number.POSITIVE_INFINITY);
    if (piece === undefined) return Buffer.concat(pieces);
    pieces.push(piece);
  }
}
