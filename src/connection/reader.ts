/**
 * The reading half of one connection: chunks of a socket, or what the kernel wrote into the shared ring → rows → calls.
 * It keeps the unfinished frame between two reads, and nothing else; it neither pauses nor closes.
 */
import type { Engine } from "../engine/engine.ts";
import { StateCell } from "../wire/abi.ts";
import type { Decoder } from "../wire/decoder.ts";
import { MARGIN_BYTES, READ_BYTES } from "../wire/ring.ts";
import { dispatchRow } from "./dispatch.ts";
import type { TransportListener } from "./transport.ts";

/** Reads one connection. */
export class Reader {
  readonly #engine: Engine;
  readonly #decoder: Decoder;
  readonly #target: TransportListener;
  #remainder: Buffer | undefined;

  constructor(engine: Engine, decoder: Decoder, target: TransportListener) {
    this.#engine = engine;
    this.#decoder = decoder;
    this.#target = target;
  }

  /** Is a frame unfinished? */
  get partial(): boolean {
    return this.#remainder !== undefined;
  }

  /** Decodes what was held back, once the decoder was told that it may go on. */
  readHeld(): void {
    const held = this.#remainder;
    this.#remainder = undefined;
    if (held !== undefined) this.read(held);
  }

  /** Forgets what is unfinished. */
  discard(): void {
    this.#remainder = undefined;
  }

  /**
   * Decodes a chunk and dispatches its rows.
   *
   * @returns false when bytes stand behind an upgrade request that was not answered yet: the peer has to wait
   */
  read(chunk: Buffer): boolean {
    try {
      return this.#readParts(chunk);
    } catch (error) {
      this.#target.threw(error);
      return true;
    }
  }

  /** As {@link read}, of the `length` bytes that stand at the beginning of the ring's {@link Ring.readView}. */
  readInPlace(length: number): boolean {
    try {
      const rest = this.#remainder;
      const start = this.#engine.ring.readStart;
      // So much is only held behind an unanswered upgrade.
      if (rest !== undefined && rest.length > MARGIN_BYTES) {
        return this.#readParts(this.#engine.ring.readView.subarray(0, length));
      }
      if (!this.#target.deaf) this.#decodeBehind(rest, start, start + length);
      return true;
    } catch (error) {
      this.#target.threw(error);
      return true;
    }
  }

  #readParts(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length; at += READ_BYTES) {
      if (this.#target.deaf) return true;
      const to = Math.min(at + READ_BYTES, chunk.length);
      const rest = this.#remainder;
      if (rest !== undefined && rest.length > MARGIN_BYTES) {
        this.#remainder = Buffer.concat([rest, chunk.subarray(at)]);
        return false;
      }
      this.#readPart(chunk, at, to, rest);
    }
    return true;
  }

  /** Decodes chunk[from, to), at most READ_BYTES, after what the last read left. */
  #readPart(chunk: Buffer, from: number, to: number, rest: Buffer | undefined): void {
    const { ring } = this.#engine;
    const { readStart } = ring;
    chunk.copy(ring.bytes, readStart, from, to);
    this.#decodeBehind(rest, readStart, readStart + (to - from));
  }

  /** Decodes ring bytes [readStart, end) with what the last read left right-aligned in front of them. */
  #decodeBehind(rest: Buffer | undefined, readStart: number, end: number): void {
    const { ring } = this.#engine;
    let start = readStart;
    if (rest !== undefined) {
      start -= rest.length;
      ring.bytes.set(rest, start);
      this.#remainder = undefined;
    }
    const consumed = this.#decode(start, end);
    if (consumed < end && !this.#target.deaf) {
      this.#remainder = Buffer.from(ring.bytes.subarray(consumed, end));
    }
  }

  #decode(start: number, end: number): number {
    const { ring, tables } = this.#engine;
    const { state } = tables;
    let at = start;
    for (;;) {
      const count = this.#decoder.decode(at, end);
      at = state[StateCell.CONSUMED]!;
      const more = state[StateCell.MORE] === 1;
      for (let i = 0; i < count; ) {
        i += dispatchRow(this.#target, ring, tables, i, count);
        if (this.#target.deaf) return end;
      }
      if (!more) return at;
    }
  }
}
