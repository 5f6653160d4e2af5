/**
 * Memory that the native transport reads bodies to, so that they stay where they are read.
 * One piece at a time; what was cut of it is its owner's alone and never written again, and whoever keeps some keeps at
 * most a piece alive. Twin of who fills it: native/binding/landing.h.
 */
import { InternalError } from "../errors.ts";
import { createPiece } from "./slab.ts";

/** The pieces of one transport. */
export class Landing {
  #piece: Buffer | undefined;

  /** Another piece; no row may refer to the one before any more. */
  renew(): Buffer {
    const piece = createPiece();
    this.#piece = piece;
    return piece;
  }

  /** What was read to [start, end) of the piece. */
  take(start: number, end: number): Buffer {
    const piece = this.#piece;
    if (piece === undefined) throw new InternalError("A row refers to memory that nobody gave.");
    return piece.subarray(start, end);
  }
}
