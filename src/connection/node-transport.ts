/**
 * An accepted socket of node:net as a {@link Transport}: bytes → the shared ring → rows, and back.
 * It runs wherever Node does, with either engine's decoders; what it is told and asked is transport.ts's.
 */
import type { Socket } from "node:net";
import type { Engine } from "../engine/engine.ts";
import type { Decoder } from "../wire/decoder.ts";
import { isUnixSocket, own, type SocketOwner } from "./own-socket.ts";
import { holdsHandle, type PassedSocket, takeHandle } from "./passed-socket.ts";
import { Reader } from "./reader.ts";
import {
  type Flushed,
  INVALID_RECORD,
  type Transport,
  type TransportListener,
} from "./transport.ts";
import type { Writer } from "./writer.ts";

const NOTHING = Buffer.alloc(0);

/** One accepted socket. */
export class NodeTransport implements Transport, SocketOwner {
  readonly writer: Writer;
  readonly isUnix: boolean;
  readonly #socket: Socket;
  readonly #listener: TransportListener;
  readonly #reader: Reader;
  readonly #decoder: Decoder;
  #dropping = false;
  #finished = false;
  #broken = false;

  /**
   * @param socket   one that no byte is held of
   * @param engine   whose decoder and ring it is
   * @param inPlace  may the kernel write into the ring? Then "data" is not heard of this socket, by anybody
   */
  constructor(
    socket: Socket,
    engine: Engine,
    decoder: Decoder,
    writer: Writer,
    listener: TransportListener,
    inPlace: boolean,
  ) {
    this.#socket = socket;
    this.#decoder = decoder;
    this.#reader = new Reader(engine, decoder, listener);
    this.#listener = listener;
    this.writer = writer;
    this.isUnix = isUnixSocket(socket);
    own(socket, this, inPlace ? engine.ring.readView : undefined);
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? "";
  }

  get remotePort(): number {
    return this.#socket.remotePort ?? 0;
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Whole chunks that are done count, and what libuv still holds of the present one. */
  get progress(): readonly [doneBytes: number, heldBytes: number] {
    const socket = this.#socket as Socket & { _handle?: { writeQueueSize?: number } | null };
    return [socket.bytesWritten - socket.writableLength, socket._handle?.writeQueueSize ?? 0];
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  get broken(): boolean {
    return this.#broken || this.#socket.destroyed;
  }

  get partial(): boolean {
    return this.#reader.partial;
  }

  get movable(): boolean {
    const socket = this.#socket;
    const isOpen = !this.broken && !this.#finished && !this.#dropping && !socket.readableEnded;
    const isQuiet = !this.#reader.partial && this.#decoder.resting && !socket.isPaused();
    const isEmpty = socket.writableLength === 0 && socket.readableLength === 0;
    return isOpen && isQuiet && isEmpty && holdsHandle(socket);
  }

  /** Takes bytes of the socket; the chunk is ours. */
  received(chunk: Buffer): void {
    if (this.#dropping) return this.#listener.dropped();
    this.#listener.readBegins();
    if (!this.#reader.read(chunk)) this.#listener.windowFull();
    this.#listener.readEnds();
  }

  /** The kernel has written that many bytes into the ring. */
  receivedInPlace(length: number): void {
    if (this.#dropping) return this.#listener.dropped();
    this.#listener.readBegins();
    if (!this.#reader.readInPlace(length)) this.#listener.windowFull();
    this.#listener.readEnds();
  }

  flush(written?: Flushed): boolean {
    if (this.#finished || this.broken) {
      this.writer.discard();
      if (written !== undefined) process.nextTick(written, new Error("The connection is closed."));
      return false;
    }
    if (this.writer.length === 0) {
      if (written !== undefined) process.nextTick(written);
      return !this.#socket.writableNeedDrain;
    }
    const socket = this.#socket;
    const output = this.writer.take();
    if (typeof output === "string") return socket.write(output, "latin1", written);
    socket.cork();
    const last = output.length - 1;
    for (let i = 0; i < last; i++) socket.write(output[i]!, "latin1");
    const roomy = socket.write(output[last]!, "latin1", written);
    socket.uncork();
    return roomy;
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  drop(): void {
    this.#dropping = true;
    this.#socket.resume();
  }

  finish(written?: () => void): void {
    if (this.#finished || this.broken) {
      if (written !== undefined) process.nextTick(written);
      return;
    }
    this.#finished = true;
    this.#socket.end(written);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  abandon(): void {
    if (this.isUnix) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

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

  note(note: number, exchangeId: number): void {
    this.#decoder.note(note, exchangeId);
  }

  readHeld(): void {
    this.#reader.readHeld();
  }

  discard(): void {
    this.#reader.discard();
  }

  handOver(): PassedSocket {
    return { handle: takeHandle(this.#socket) };
  }

  /** "drain" of the socket. */
  drained(): void {
    this.#listener.drained();
  }

  /** "close" of the socket. */
  closed(): void {
    this.#listener.closed();
    this.#decoder.release?.();
  }

  /** FIN has two meanings. A unix socket whose peer is wholly gone answers a write of no bytes with EPIPE. */
  ended(): void {
    if (!this.isUnix || this.#socket.destroyed || this.#finished) {
      this.#listener.ended(false, false);
      return;
    }
    this.#socket.write(NOTHING, (error) => this.#listener.ended(error != null, false));
  }
}
