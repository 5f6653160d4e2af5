/**
 * Bytes of an unfinished head, kept by a decoder until the rest has come.
 * It interprets nothing and sets no limit of its own. Twin: native/core/gathered_bytes.h.
 */

const NO_BYTES = new Uint8Array(0);
/** First size: a usual head fits. */
const CAPACITY_FIRST = 2048;

/** Bytes that grow with what came, never with what was announced. Owned by one decoder. */
export class GatheredBytes {
  /** The memory; what counts is [0, length). */
  bytes: Uint8Array = NO_BYTES;
  /** Bytes kept so far. */
  length = 0;

  /**
   * Adds bytes.
   *
   * @param source where they are, borrowed
   * @param start  offset of the first one
   * @param count  how many; precondition: length + count <= bytesMax
   * @param bytesMax most bytes there may ever be
   */
  append(source: Uint8Array, start: number, count: number, bytesMax: number): void {
    const needed = this.length + count;
    if (needed > this.bytes.length) {
      let capacity = this.bytes.length > 0 ? this.bytes.length : CAPACITY_FIRST;
      while (capacity < needed) capacity *= 2;
      const grown = new Uint8Array(capacity < bytesMax ? capacity : bytesMax);
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(source.subarray(start, start + count), this.length);
    this.length = needed;
  }

  /** Copies all of them. */
  copyTo(target: Uint8Array, start: number): void {
    target.set(this.bytes.subarray(0, this.length), start);
  }

  /** Gives the memory back. */
  release(): void {
    this.bytes = NO_BYTES;
    this.length = 0;
  }
}
