/**
 * Received pieces of any size → whole frames, joined only when a frame is complete.
 * It knows no protocol: the caller says from a frame's first bytes how long it is.
 */

/** Collects frames. */
export class FrameBuffer {
  readonly #prefixBytes: number;
  readonly #frameBytes: (prefix: Buffer) => number;
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #neededBytes: number;

  /**
   * @param prefixBytes how many bytes tell a frame's length
   * @param frameBytes  length of the whole frame, by at least its prefix; may throw
   */
  constructor(prefixBytes: number, frameBytes: (prefix: Buffer) => number) {
    this.#prefixBytes = prefixBytes;
    this.#frameBytes = frameBytes;
    this.#neededBytes = prefixBytes;
  }

  /**
   * Takes received bytes and hands on every frame that is complete.
   *
   * @param frame called with each whole frame, which is the receiver's
   */
  push(chunk: Buffer, frame: (bytes: Buffer) => void): void {
    this.#pieces.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#neededBytes) return;
    let held = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces);
    this.#neededBytes = this.#prefixBytes;
    while (held.length >= this.#prefixBytes) {
      const bytes = this.#frameBytes(held);
      if (held.length < bytes) {
        this.#neededBytes = bytes;
        break;
      }
      frame(held.subarray(0, bytes));
      held = held.subarray(bytes);
    }
    this.#pieces = held.length === 0 ? [] : [held];
    this.#heldBytes = held.length;
  }
}
