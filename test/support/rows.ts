/**
 * Drives a decoder as a connection does, and resolves its rows to something a person can read.
 * It keeps the unfinished remainder, puts it right before the new bytes, and calls again on MORE; it judges nothing
 * but the promises of the seam (consumed never outside the given range, progress on MORE).
 */
import type { Engine } from "../../src/engine/engine.ts";
import { errorRow } from "../../src/errors.ts";
import { readFields } from "../../src/connection/dispatch.ts";
import type { FieldBlock } from "../../src/http/field-block.ts";
import { FIELD_NAMES } from "../../src/http/field-names.ts";
import type { HeadMeta } from "../../src/protocols/protocol.ts";
import {
  BodyKind,
  EVENT_WIDTH,
  FIELD_WIDTH,
  KEEP_CONNECTION,
  Role,
  RowKind,
  StateCell,
} from "../../src/wire/abi.ts";
import type { Decoder } from "../../src/wire/decoder.ts";
import type { DecoderOptions } from "../../src/wire/limits.ts";
import { READ_BYTES } from "../../src/wire/ring.ts";
import { DECODED_PROTOCOLS, type DecodedProtocol } from "./engines.ts";

/** One row, resolved. Which members there are depends on the kind. */
export interface ReadableRow {
  kind: string;
  /** Exchange id. */
  id: number;
  role?: string;
  keep?: boolean;
  /** HEAD: NONE, KNOWN or UNKNOWN. */
  body?: string;
  /** HEAD: names and values as latin1. */
  fields?: [string, string][];
  /** HEAD of AJP. */
  meta?: { method: number; ssl: boolean; port: number; headers: number };
  /** BODY, DATA, CONTROL: the bytes as latin1. Adjacent rows of one exchange are joined. */
  text?: string;
  /** CONTROL: the frame's type. */
  type?: number;
  /** BODY_END: the leftover of an ended exchange is complete. */
  leftover?: boolean;
  /** ERROR. */
  code?: string;
}

const nameOf = (names: Record<string, number>, value: number): string =>
  Object.keys(names).find((name) => names[name] === value) ?? `?${value}`;

/** A connection of one decoder; what it decodes is in `rows`. */
export class DecodedConnection {
  readonly rows: ReadableRow[] = [];
  /** What a head reader is given for each HEAD row, in their order. */
  readonly heads: { readonly fields: FieldBlock; readonly meta: HeadMeta }[] = [];
  /** How often a table was full. */
  moreCount = 0;
  readonly #engine: Engine;
  readonly #protocol: DecodedProtocol;
  readonly #decoder: Decoder;
  #remainder: Buffer = Buffer.alloc(0);

  constructor(engine: Engine, protocol: DecodedProtocol, options: DecoderOptions) {
    this.#engine = engine;
    this.#protocol = protocol;
    this.#decoder = engine.createDecoder(DECODED_PROTOCOLS[protocol], options);
  }

  /** Bytes of an unfinished frame. */
  get remainderBytes(): number {
    return this.#remainder.length;
  }

  /** Codes of the ERROR rows so far. */
  get codes(): string[] {
    return this.rows.flatMap((row) => row.code ?? []);
  }

  /** Kinds of the rows so far, as one string. */
  get kinds(): string {
    return this.rows.map((row) => row.kind).join(" ");
  }

  /**
   * Receives bytes, in reads of at most READ_BYTES.
   *
   * @param after bytes that lie behind the received ones in the ring, where a decoder must not look
   */
  receive(chunk: Uint8Array, after?: Uint8Array): this {
    for (let at = 0; at < chunk.length; at += READ_BYTES) {
      this.#read(chunk.subarray(at, at + READ_BYTES), after);
    }
    return this;
  }

  /** Tells the decoder what we did; bytes it has left are given to it again. */
  note(event: number, exchangeId: number): this {
    this.#decoder.note(event, exchangeId);
    if (this.#remainder.length > 0) this.#read(new Uint8Array(0), undefined);
    return this;
  }

  #read(chunk: Uint8Array, after: Uint8Array | undefined): void {
    const { ring, tables } = this.#engine;
    let start = ring.readStart - this.#remainder.length;
    const end = ring.readStart + chunk.length;
    ring.bytes.set(this.#remainder, start);
    ring.bytes.set(chunk, ring.readStart);
    if (after !== undefined) {
      ring.bytes.set(after.subarray(0, Math.max(0, ring.readEnd - end)), end);
    }
    for (;;) {
      const count = this.#decoder.decode(start, end);
      const consumed = tables.state[StateCell.CONSUMED]!;
      const more = tables.state[StateCell.MORE]!;
      if (consumed < start || consumed > end) {
        throw new Error(`consumed ${consumed} is outside [${start}, ${end}]`);
      }
      for (let row = 0; row < count; row++) this.#resolve(row * EVENT_WIDTH, start, end);
      if (more === 0) {
        this.#remainder = Buffer.from(ring.bytes.subarray(consumed, end));
        return;
      }
      if (consumed === start && count === 0) throw new Error("MORE without rows or progress");
      start = consumed;
      this.moreCount++;
    }
  }

  #text(start: number, length: number, from: number, to: number): string {
    const { ring } = this.#engine;
    const inRead = start >= from && start + length <= to;
    const inHeadArea = start >= ring.readEnd && start + length <= ring.headEnd;
    if (length < 0 || (length > 0 && !inRead && !inHeadArea)) {
      throw new Error(`bytes [${start}, +${length}) are neither read nor gathered`);
    }
    return ring.bytes.toString("latin1", start, start + length);
  }

  #resolve(at: number, from: number, to: number): void {
    const events = this.#engine.tables.events;
    const kind = events[at]!;
    const id = events[at + 2]!;
    const start = events[at + 3]!;
    const length = events[at + 4]!;
    const detail = events[at + 5]!;
    if (events[at + 1] !== 0) throw new Error("connection column is not 0");
    const row: ReadableRow = { kind: nameOf(RowKind, kind), id };
    switch (kind) {
      case RowKind.BEGIN:
        row.role = nameOf(Role, detail & ~KEEP_CONNECTION);
        row.keep = (detail & KEEP_CONNECTION) !== 0;
        break;
      case RowKind.HEAD:
        row.body = nameOf(BodyKind, detail);
        this.#resolveHead(row, start, length, from, to);
        this.#keepHead(start, length, detail);
        break;
      case RowKind.BODY:
      case RowKind.DATA: {
        if (length <= 0) throw new Error("empty BODY or DATA row");
        row.text = this.#text(start, length, from, to);
        const last = this.rows.at(-1);
        if (last?.kind === row.kind && last.id === id) {
          last.text += row.text;
          return;
        }
        break;
      }
      case RowKind.BODY_END:
        if (detail === 1) row.leftover = true;
        break;
      case RowKind.CONTROL:
        row.type = detail;
        row.text = this.#text(start, length, from, to);
        break;
      case RowKind.ERROR:
        row.code = errorRow(detail)?.code ?? `?${detail}`;
        break;
      default:
        break;
    }
    this.rows.push(row);
  }

  #keepHead(first: number, count: number, bodyKind: number): void {
    const { fields } = this.#engine.tables;
    const [start, length, metaA, metaB] = fields.subarray(first * FIELD_WIDTH);
    const text = this.#engine.ring.bytes.toString("latin1", start!, start! + length!);
    const meta = { bodyKind, metaA: metaA!, metaB: metaB! };
    this.heads.push({ fields: readFields(text, fields, first, count), meta });
  }

  #resolveHead(row: ReadableRow, first: number, count: number, from: number, to: number): void {
    const fields = this.#engine.tables.fields;
    const head = first * FIELD_WIDTH;
    const bytesStart = fields[head]!;
    const bytesEnd = bytesStart + fields[head + 1]!;
    this.#text(bytesStart, bytesEnd - bytesStart, from, to);
    row.fields = [];
    for (let i = 1; i < count; i++) {
      const at = (first + i) * FIELD_WIDTH;
      const name = fields[at]!;
      const nameLength = fields[at + 1]!;
      const valueStart = fields[at + 2]!;
      const valueLength = fields[at + 3]!;
      for (const [start, length] of [
        [name > 0 ? 0 : -name, name > 0 ? 0 : nameLength],
        [valueStart, valueLength],
      ] as const) {
        if (length > 0 && (start < bytesStart || start + length > bytesEnd)) {
          throw new Error("name or value outside the head's bytes");
        }
      }
      row.fields.push([
        name > 0 ? FIELD_NAMES[name]! : this.#text(-name, nameLength, from, to),
        this.#text(valueStart, valueLength, from, to),
      ]);
    }
    const metaA = fields[head + 2]!;
    const metaB = fields[head + 3]!;
    if (this.#protocol === "ajp") {
      row.meta = {
        method: metaA & 0xff,
        ssl: (metaA & 0x100) !== 0,
        port: metaB & 0xffff,
        headers: metaB >>> 16,
      };
    } else if (metaA !== 0 || metaB !== 0) {
      throw new Error("META_A and META_B are 0 but for AJP");
    }
  }
}
