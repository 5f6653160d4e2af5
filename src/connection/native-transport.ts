/**
 * One connection of the addon's transport as a {@link Transport}: words of its connection → calls with its number.
 * Bytes are read, decoded and written by the addon; rows come by native-hub.ts. After it is gone every word does nothing.
 */
import { PIECES_MAX, type TransportFunctions } from "../engine/transport.ts";
import type { BodyPiece } from "../http/head.ts";
import type { PassedSocket } from "./passed-socket.ts";
import {
  type Flushed,
  INVALID_RECORD,
  type Transport,
  type TransportListener,
} from "./transport.ts";
import type { Writer } from "./writer.ts";

/** Queued bytes from which on a writer should wait, as for a socket of node:net. */
const WAIT_BYTES = 65_536;

/** What the connections of one hub share. */
export interface NativeShare {
  readonly functions: TransportFunctions;
  readonly writer: Writer;
  readonly isUnix: boolean;
  /** The number is free; what the connection has to do about it follows in a later tick. */
  leave(transport: NativeTransport): void;
  /** Decodes what a connection held back, and dispatches its rows. */
  decodeHeld(transport: NativeTransport): void;
}

/** Output that waits for {@link NativeTransport.uncork}. */
interface Held {
  text: string;
  readonly pieces: BodyPiece[];
  readonly told: Flushed[];
  bytes: number;
}

/** Takes what the writer has; returns whether more may follow. */
function hold(held: Held, writer: Writer, written: Flushed | undefined): boolean {
  held.bytes += writer.length;
  if (written !== undefined) held.told.push(written);
  const output = writer.take();
  if (typeof output === "string") held.text += output;
  else {
    if (held.text !== "") held.pieces.push(held.text);
    held.text = "";
    held.pieces.push(...output);
  }
  return held.bytes < WAIT_BYTES;
}

/** One connection. */
export class NativeTransport implements Transport {
  /** As in the column CONNECTION of its rows. */
  readonly id: number;
  /** Who hears of it; nobody before its protocol is known. */
  listener: TransportListener | undefined;
  /** By the coarse clock. */
  readonly openedMs: number;
  readonly #share: NativeShare;
  #queuedBytes = 0;
  /** What was flushed since cork(), and who is to be told once it is sent. */
  #held: Held | undefined;
  #waiting: Flushed[] | undefined;
  #finished: (() => void) | undefined | true;
  #broken = false;
  #destroyed = false;

  constructor(id: number, share: NativeShare, openedMs: number) {
    this.id = id;
    this.#share = share;
    this.openedMs = openedMs;
  }

  get writer(): Writer {
    return this.#share.writer;
  }

  get isUnix(): boolean {
    return this.#share.isUnix;
  }

  get remoteAddress(): string {
    return this.#peer()[0] ?? "";
  }

  get remotePort(): number {
    return Number(this.#peer()[1] ?? 0);
  }

  #peer(): readonly string[] {
    return this.#destroyed ? [] : this.#share.functions.peer(this.id).split(" ");
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get progress(): readonly [doneBytes: number, heldBytes: number] {
    const { functions } = this.#share;
    return [functions.writtenBytes(this.id), functions.queuedBytes(this.id)];
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  get broken(): boolean {
    return this.#broken || this.#destroyed;
  }

  get partial(): boolean {
    return !this.#destroyed && this.#share.functions.isPartial(this.id);
  }

  get movable(): boolean {
    const isOpen = this.#finished === undefined && this.#held === undefined && !this.broken;
    return isOpen && this.#share.functions.isMovable(this.id);
  }

  flush(written?: Flushed): boolean {
    const { writer } = this.#share;
    if (this.#finished !== undefined || this.broken) {
      writer.discard();
      if (written !== undefined) process.nextTick(written, new Error("The connection is closed."));
      return false;
    }
    if (this.#held !== undefined) return hold(this.#held, writer, written);
    if (writer.length > 0) this.#send(writer.take());
    return this.#sent(written);
  }

  #send(output: string | readonly BodyPiece[]): void {
    this.#queuedBytes =
      typeof output === "string"
        ? this.#share.functions.send(this.id, output)
        : this.#sendPieces(output);
  }

  cork(): void {
    this.#held ??= { text: "", pieces: [], told: [], bytes: 0 };
  }

  uncork(): void {
    const held = this.#held;
    this.#held = undefined;
    // Whoever closes it uncorks it first.
    if (held === undefined || this.#destroyed) return;
    const { text, pieces, told } = held;
    if (text !== "" && pieces.length > 0) pieces.push(text);
    if (held.bytes > 0) this.#send(pieces.length > 0 ? pieces : text);
    for (const written of told) this.#sent(written);
  }

  /** What was flushed is with the addon. Returns whether more may follow at once. */
  #sent(written: Flushed | undefined): boolean {
    if (this.#queuedBytes === 0) {
      if (written !== undefined) process.nextTick(written);
      return true;
    }
    if (written !== undefined) {
      this.#waiting ??= [];
      this.#waiting.push(written);
    }
    return this.#queuedBytes < WAIT_BYTES;
  }

  #sendPieces(pieces: readonly BodyPiece[]): number {
    const { functions } = this.#share;
    let queuedBytes = 0;
    for (let i = 0; i < pieces.length; i += PIECES_MAX) {
      const some = pieces.length <= PIECES_MAX ? pieces : pieces.slice(i, i + PIECES_MAX);
      queuedBytes = functions.sendPieces(this.id, some);
    }
    return queuedBytes;
  }

  /** The hub's word: what was queued has gone to the kernel. */
  drained(): void {
    this.#queuedBytes = 0;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) for (const written of waiting) written();
    if (typeof this.#finished === "function") this.#finished();
    if (this.#finished !== undefined) this.#finished = true;
    else this.listener?.drained();
  }

  pause(): void {
    if (!this.#destroyed) this.#share.functions.setReading(this.id, false);
  }

  resume(): void {
    if (!this.#destroyed) this.#share.functions.setReading(this.id, true);
  }

  drop(): void {
    if (!this.#destroyed) this.#share.functions.drop(this.id);
  }

  finish(written?: () => void, quiet = false): void {
    this.uncork();
    if (this.#finished !== undefined || this.broken) {
      if (written !== undefined) process.nextTick(written);
      return;
    }
    const isOver = this.#share.functions.finish(this.id, quiet);
    this.#finished = written ?? true;
    if (written !== undefined && this.#queuedBytes === 0) {
      this.#finished = true;
      process.nextTick(written);
    }
    if (isOver) this.#leave();
  }

  destroy(): void {
    this.#close(false);
  }

  abandon(): void {
    this.#close(!this.isUnix);
  }

  breakOff(invalidRecord: boolean): void {
    this.uncork();
    if (this.broken) return;
    this.#broken = true;
    if (!this.isUnix) return this.#close(true);
    const { functions } = this.#share;
    if (invalidRecord && this.#finished === undefined) {
      functions.sendPieces(this.id, [INVALID_RECORD]);
    }
    if (functions.closeWhenSent(this.id)) this.#leave();
  }

  note(note: number, exchangeId: number): void {
    if (!this.#destroyed) this.#share.functions.note(this.id, note, exchangeId);
  }

  readHeld(): void {
    if (!this.#destroyed) this.#share.decodeHeld(this);
  }

  discard(): void {}

  /** Gives the descriptor away, or −1 where it is gone. */
  release(): number {
    if (this.#destroyed) return -1;
    const fd = this.#share.functions.release(this.id);
    this.#destroyed = true;
    return fd;
  }

  handOver(): PassedSocket {
    const fd = this.#share.functions.release(this.id);
    this.#leave();
    return { fd };
  }

  #close(reset: boolean): void {
    this.uncork();
    if (this.#destroyed) return;
    this.#share.functions.closeNow(this.id, reset);
    this.#leave();
  }

  #leave(): void {
    this.#destroyed = true;
    this.#share.leave(this);
  }

  /** The hub's word: the connection is closed already. */
  gone(): void {
    if (!this.#destroyed) this.#leave();
  }

  /** A tick after it went: whoever waits for a write hears that it never will be, and the connection that it is over. */
  closed(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const error = waiting && new Error("The connection is closed.");
    if (waiting !== undefined) for (const written of waiting) written(error);
    if (typeof this.#finished === "function") this.#finished();
    this.listener?.closed();
  }
}
