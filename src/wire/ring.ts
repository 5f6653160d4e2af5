/**
 * The memory that received bytes live in while they are decoded and dispatched.
 * It reads no socket and interprets nothing. One ring serves all connections of one server and thread.
 *
 *   0            MARGIN_BYTES          +READ_BYTES            +headBytes
 *   ┌─────────────┬─────────────────────┬──────────────────────┐
 *   │ front margin│ read area           │ head area            │
 *   └─────────────┴─────────────────────┴──────────────────────┘
 *     unfinished    a read always         heads that had to be gathered from
 *     frame, right- begins here           several records or reads, put together
 *     aligned                             by the decoder; every offset is a ring offset
 *
 * Bytes are valid until the dispatch of the read that brought them returns.
 */

import type { Landing } from "./landing.ts";

/** Front margin: the largest unfinished frame, 8 + 65,535 + 255 bytes of a FastCGI record, rounded up. */
export const MARGIN_BYTES = 67_584;
/** Read area: what libuv reads at once. */
export const READ_BYTES = 65_536;

const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
};

/** One ring. `bytes` is the whole memory; numbers are offsets into it. */
export interface Ring {
  readonly bytes: Buffer;
  /** The same memory, for looks at four bytes at once. */
  readonly words: DataView;
  /** The read area's first READ_BYTES: where the kernel may write what one read brings. */
  readonly readView: Buffer;
  /** Where a read begins: MARGIN_BYTES. */
  readonly readStart: number;
  /** Where the read area ends and the head area begins. */
  readonly readEnd: number;
  /** End of the ring. */
  readonly headEnd: number;
  /** Where rows with BodyDetail.LANDED have their bytes; undefined where there are no such rows. */
  readonly landing?: Landing;
  /** Bytes as a latin1 string of their own. */
  text(start: number, length: number): string;
}

/**
 * Makes a ring.
 *
 * @param headBytes `limits.headBytes`: size of the head area, in bytes
 * @param readBytes size of the read area, in bytes
 */
export function createRing(headBytes: number, readBytes: number = READ_BYTES): Ring {
  const readEnd = MARGIN_BYTES + readBytes;
  const headEnd = readEnd + headBytes;
  // allocUnsafeSlow: never a slice of Node's shared pool, since the addon keeps a pointer to it.
  const bytes = Buffer.allocUnsafeSlow(headEnd);
  // Not toString(), which looks at its arguments for as long as the rest takes.
  const text = (start: number, length: number): string =>
    latin1Slice.call(bytes, start, start + length);
  const readView = bytes.subarray(MARGIN_BYTES, Math.min(readEnd, MARGIN_BYTES + READ_BYTES));
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { bytes, words, readView, readStart: MARGIN_BYTES, readEnd, headEnd, text };
}
