/**
 * One accepted socket as the rest of the connection sees it: bytes in, one write out, pause, and the ways to end.
 * It decodes nothing and decides nothing; every decision of a socket's life is the connection's.
 * This is the `node` transport, over node:net.
 */
import type { Socket } from "node:net";
import { Writer } from "./writer.ts";

/** What a transport tells its connection. */
export interface TransportListener {
  /** Bytes came; the chunk is ours. */
  received(chunk: Buffer): void;
  /** The peer will send nothing more. `closed`: nor will it read (unix sockets alone can tell). */
  ended(closed: boolean): void;
  /** The socket is gone; `error` when it broke. Nothing follows. */
  closed(error: Error | undefined): void;
  /** What was queued has gone to the kernel. */
  drained(): void;
}

/** Eight bytes of version 0: no front server takes them for the end of a response. */
const INVALID_RECORD = Buffer.alloc(8);
const NOTHING = Buffer.alloc(0);

/** One accepted socket. */
export class Transport {
  readonly writer: Writer = new Writer();
  /** Does the peer come by a unix socket? Then there is no reset, but a full close can be told from a half-close. */
  readonly isUnix: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: Socket;
  readonly #listener: TransportListener;
  #error: Error | undefined;
  #finished = false;
  #broken = false;

  constructor(socket: Socket, listener: TransportListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.isUnix = socket.remoteAddress === undefined;
    this.remoteAddress = socket.remoteAddress ?? "";
    this.remotePort = socket.remotePort ?? 0;
    socket.on("data", (chunk: Buffer) => listener.received(chunk));
    socket.on("end", () => this.#ended());
    socket.on("drain", () => listener.drained());
    socket.on("error", (error: Error) => {
      this.#error = error;
    });
    socket.on("close", () => listener.closed(this.#error));
  }

  /** Bytes that were written and are not with the kernel yet. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /**
   * Two numbers for what the peer has not taken: of a stalled peer they stay the same. Whole chunks that are done count,
   * and what libuv still holds of the present one, or a slow reader of one large chunk would look like a dead one.
   */
  get progress(): readonly [doneBytes: number, heldBytes: number] {
    const socket = this.#socket as Socket & { _handle?: { writeQueueSize?: number } | null };
    return [socket.bytesWritten - socket.writableLength, socket._handle?.writeQueueSize ?? 0];
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** Is it gone, or about to go in a way that the peer sees as a failure? */
  get broken(): boolean {
    return this.#broken || this.#socket.destroyed;
  }

  /** Writes what the writer holds. Returns false when more should wait for `drained`. */
  flush(written?: (error?: Error | null) => void): boolean {
    if (this.#finished || this.broken) {
      this.writer.discard();
      if (written !== undefined) process.nextTick(written, new Error("The connection is closed."));
      return false;
    }
    if (this.writer.length === 0) {
      if (written !== undefined) process.nextTick(written);
      return !this.#socket.writableNeedDrain;
    }
    return this.writer.flush(this.#socket, written);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends our side once everything is written; reading goes on. `written`: that has happened, or never will. */
  finish(written?: () => void): void {
    if (this.#finished || this.broken) {
      if (written !== undefined) process.nextTick(written);
      return;
    }
    this.#finished = true;
    this.#socket.end(written);
  }

  /** Closes both sides now. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Closes on a peer that takes nothing: by a reset over TCP, so that what it has does not look complete. */
  abandon(): void {
    if (this.isUnix) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /**
   * Ends so that the peer cannot take it for a complete response: a reset over TCP; over a unix socket, which knows
   * none, an invalid record for FastCGI and a plain close otherwise.
   *
   * @param invalidRecord does the peer read records (FastCGI)?
   */
  breakOff(invalidRecord: boolean): void {
    if (this.broken) return;
    this.#broken = true;
    if (!this.isUnix) {
      this.#socket.resetAndDestroy();
      return;
    }
    if (invalidRecord && !this.#finished) this.#socket.write(INVALID_RECORD);
    this.#socket.destroySoon();
  }

  /** FIN has two meanings. A unix socket whose peer is wholly gone answers a write of no bytes with EPIPE. */
  #ended(): void {
    if (!this.isUnix || this.#socket.destroyed || this.#finished) {
      this.#listener.ended(false);
      return;
    }
    this.#socket.write(NOTHING, (error) => this.#listener.ended(error != null));
  }
}
