/**
 * Memory for chunks that outlive a read, cut from larger pieces.
 * Each chunk is its owner's alone and is never used again; whoever keeps one keeps at most {@link SLAB_BYTES} alive. Small
 * chunks come from Node as they are.
 */
import { markAsUntransferable } from "node:worker_threads";

/** Size of a piece: four chunks of a full read. A larger one would let a kept chunk hold more. */
export const SLAB_BYTES = 262_144;
/** Chunks up to this size are left to Buffer.allocUnsafe, which pools them likewise. */
const SMALL_BYTES_MAX = 4_096;

/**
 * Size of memory that is allocated once and never touched. By its release glibc learns to keep twice as much for the next
 * pieces, which it would otherwise give back to the system with each collection and get anew, page by page: 7 to 31 page
 * faults an upload of 1 MiB, 0 to 3 with it, and mostly 4 to 16 % of its CPU (Node 20, two busy cores, 2026-11-25).
 */
const LESSON_BYTES = 16_777_216;
let isTaught = false;

/** A piece: whoever gives away the memory behind a chunk would take the chunks of others with it, so nobody can. */
export function createPiece(): Buffer {
  if (!isTaught) {
    isTaught = true;
    Buffer.allocUnsafeSlow(LESSON_BYTES);
  }
  const piece = Buffer.allocUnsafeSlow(SLAB_BYTES);
  markAsUntransferable(piece.buffer);
  return piece;
}

/**
 * Cuts chunks. An ArrayBuffer a chunk of 64 KiB is work for the collector that a piece for four of them is not: an upload of
 * 1 MiB over AJP with packets of 65,536 bytes cost 735 to 1,155 µs of CPU before and 400 to 424 with it; over FastCGI the gain
 * was 5 % with pieces of 1 MiB, and lost in the noise with these (Node 20, two shared cores, 2026-11-24).
 */
export class Slab {
  #piece: Buffer | undefined;
  #at = 0;

  /** Memory of its own, not cleared. */
  take(length: number): Buffer {
    if (length <= SMALL_BYTES_MAX || length >= SLAB_BYTES) return Buffer.allocUnsafe(length);
    let piece = this.#piece;
    if (piece === undefined || this.#at + length > SLAB_BYTES) {
      piece = createPiece();
      this.#piece = piece;
      this.#at = 0;
    }
    const chunk = piece.subarray(this.#at, this.#at + length);
    // Eight bytes apart, as allocators align: typed arrays of the application may lie over it.
    this.#at += (length + 7) & ~7;
    return chunk;
  }
}
