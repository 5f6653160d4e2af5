/**
 * What a decoder said about a stream, as integers: fast enough for a million streams.
 * Every call's result, row and field row is recorded, and the bytes it put into the head area. It resolves nothing.
 */
import type { Engine } from "../../src/engine/engine.ts";
import { EVENT_WIDTH, FIELD_WIDTH, RowKind, StateCell } from "../../src/wire/abi.ts";
import type { Decoder } from "../../src/wire/decoder.ts";
import { DECODED_PROTOCOLS } from "./engines.ts";
import type { Receiver, Stream } from "./streams.ts";

/** Records one connection after the other of one engine. */
export class Recorder implements Receiver {
  readonly ints: Int32Array = new Int32Array(1 << 20);
  length = 0;
  /** Event rows since the last stream began. */
  rowCount = 0;
  readonly #engine: Engine;
  readonly #remainder: Uint8Array = new Uint8Array(80_000);
  #remainderLength = 0;
  #decoder: Decoder | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Decodes a whole stream; what was recorded before is gone. */
  record(stream: Stream): void {
    this.length = 0;
    this.rowCount = 0;
    this.#remainderLength = 0;
    this.#decoder?.release?.();
    this.#decoder = this.#engine.createDecoder(DECODED_PROTOCOLS[stream.protocol], stream.options);
    stream.play(this);
  }

  receive(bytes: Uint8Array): void {
    const { ring } = this.#engine;
    const start = ring.readStart - this.#remainderLength;
    if (this.#remainderLength > 0) {
      ring.bytes.set(this.#remainder.subarray(0, this.#remainderLength), start);
    }
    ring.bytes.set(bytes, ring.readStart);
    this.#decode(start, ring.readStart + bytes.length);
  }

  note(event: number, exchangeId: number): void {
    this.#decoder!.note(event, exchangeId);
    if (this.#remainderLength === 0) return;
    const { ring } = this.#engine;
    const start = ring.readStart - this.#remainderLength;
    ring.bytes.set(this.#remainder.subarray(0, this.#remainderLength), start);
    this.#decode(start, ring.readStart);
  }

  #decode(from: number, end: number): void {
    const { ring, tables } = this.#engine;
    let start = from;
    for (;;) {
      const count = this.#decoder!.decode(start, end);
      const consumed = tables.state[StateCell.CONSUMED]!;
      const more = tables.state[StateCell.MORE]!;
      if (consumed < start || consumed > end)
        throw new Error(`consumed ${consumed} of [${start}, ${end}]`);
      this.#push(count);
      this.#push(consumed);
      this.#push(more);
      this.rowCount += count;
      for (let row = 0; row < count; row++) this.#row(row * EVENT_WIDTH);
      if (more === 0) {
        this.#remainderLength = end - consumed;
        if (this.#remainderLength > 0) this.#remainder.set(ring.bytes.subarray(consumed, end));
        return;
      }
      if (consumed === start && count === 0) throw new Error("MORE without rows or progress");
      start = consumed;
    }
  }

  #row(at: number): void {
    const { events, fields } = this.#engine.tables;
    for (let i = 0; i < EVENT_WIDTH; i++) this.#push(events[at + i]!);
    if (events[at] !== RowKind.HEAD) return;
    const first = events[at + 3]! * FIELD_WIDTH;
    const last = first + events[at + 4]! * FIELD_WIDTH;
    for (let i = first; i < last; i++) this.#push(fields[i]!);
    this.#pushHash(fields[first]!, fields[first + 1]!);
  }

  /** The head's bytes: they must be the same in both engines, wherever they were put. */
  #pushHash(start: number, length: number): void {
    const bytes = this.#engine.ring.bytes;
    let hash = 0;
    for (let i = start; i < start + length; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    this.#push(hash);
  }

  #push(value: number): void {
    if (this.length === this.ints.length) throw new Error("recording is full");
    this.ints[this.length++] = value;
  }
}

/** Index of the first difference of two recordings, or −1. */
export function firstDifference(one: Recorder, other: Recorder): number {
  const count = Math.min(one.length, other.length);
  for (let i = 0; i < count; i++) {
    if (one.ints[i] !== other.ints[i]) return i;
  }
  return one.length === other.length ? -1 : count;
}
