/**
 * Collects the bytes of one write: small pieces are put together, large ones go out where they lie.
 * It frames nothing and waits for nothing; one `flush` is one write, or one writev, of the socket.
 */
import type { Socket } from "node:net";
import type { Output } from "../protocols/protocol.ts";

/** Pieces up to this size are copied together: below about 4 KiB copying is cheaper than another buffer. */
const COPY_BYTES_MAX = 8_192;

type Piece = string | Uint8Array;

/** The output of one connection, between two writes. */
export class Writer implements Output {
  #pieces: Piece[] = [];
  #length = 0;

  /** Bytes collected since the last flush. */
  get length(): number {
    return this.#length;
  }

  bytes(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#pieces.push(chunk);
    this.#length += chunk.length;
  }

  text(latin1: string): void {
    if (latin1.length === 0) return;
    this.#pieces.push(latin1);
    this.#length += latin1.length;
  }

  /** Forgets what was collected. */
  discard(): void {
    this.#pieces = [];
    this.#length = 0;
  }

  /**
   * Writes everything collected in one go.
   *
   * @param written called by the socket when the kernel has the bytes, or with its error
   * @returns what the socket says: false when it wants its writer to wait
   */
  flush(socket: Socket, written: ((error?: Error | null) => void) | undefined): boolean {
    const pieces = this.#pieces;
    const length = this.#length;
    this.discard();
    if (pieces.length === 1 || length <= COPY_BYTES_MAX) {
      return socket.write(join(pieces, 0, pieces.length, length), written);
    }
    socket.cork();
    const buffers = gather(pieces);
    for (let i = 0; i < buffers.length - 1; i++) socket.write(buffers[i]!);
    const roomy = socket.write(buffers[buffers.length - 1]!, written);
    socket.uncork();
    return roomy;
  }
}

/** Runs of small pieces put together, large ones as they are. */
function gather(pieces: readonly Piece[]): Uint8Array[] {
  const buffers: Uint8Array[] = [];
  let start = 0;
  let run = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]!;
    if (piece.length <= COPY_BYTES_MAX) {
      run += piece.length;
      continue;
    }
    if (run > 0) buffers.push(join(pieces, start, i, run));
    buffers.push(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
    start = i + 1;
    run = 0;
  }
  if (run > 0) buffers.push(join(pieces, start, pieces.length, run));
  return buffers;
}

function join(pieces: readonly Piece[], start: number, end: number, length: number): Uint8Array {
  const only = pieces[start]!;
  if (end - start === 1) return typeof only === "string" ? Buffer.from(only, "latin1") : only;
  const buffer = Buffer.allocUnsafe(length);
  let at = 0;
  for (let i = start; i < end; i++) {
    const piece = pieces[i]!;
    if (typeof piece === "string") buffer.write(piece, at, "latin1");
    else buffer.set(piece, at);
    at += piece.length;
  }
  return buffer;
}
