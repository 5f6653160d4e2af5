/**
 * One event row → one call: the only switch on row kinds.
 * It copies what has to live longer than the read — a head as one string and its offsets, a body chunk as its own
 * buffer — and decides nothing.
 */
import { type ErrorRow, errorRow, InternalError } from "../errors.ts";
import { type FieldBlock, keptFields } from "../http/field-block.ts";
import type { HeadMeta } from "../protocols/protocol.ts";
import {
  BodyDetail,
  EVENT_WIDTH,
  EventColumn,
  FIELD_WIDTH,
  HeadColumn,
  RowKind,
} from "../wire/abi.ts";
import type { Ring } from "../wire/ring.ts";
import { Slab } from "../wire/slab.ts";
import type { Tables } from "../wire/tables.ts";

/** Who is called. Chunks are owned by the receiver; `content` is borrowed. */
export interface RowReceiver {
  begin(exchangeId: number, detail: number): void;
  head(exchangeId: number, fields: FieldBlock, meta: HeadMeta): void;
  /** @param frames how many brought the chunk */
  body(exchangeId: number, chunk: Buffer, frames: number): void;
  bodyEnd(exchangeId: number, leftover: boolean): void;
  data(exchangeId: number, chunk: Buffer): void;
  dataEnd(exchangeId: number): void;
  abort(exchangeId: number): void;
  control(type: number, contentView: Uint8Array): void;
  error(exchangeId: number, row: ErrorRow): void;
}

const slab = new Slab();

/**
 * How many rows from `index` on are of the same stream, one behind the other; of those that were read to where they stay
 * as many as are one piece.
 */
function rowsOfStream(events: Int32Array, index: number, count: number): number {
  const first = index * EVENT_WIDTH;
  const landed = events[first + EventColumn.DETAIL]! & BodyDetail.LANDED;
  let end = events[first + EventColumn.START]! + events[first + EventColumn.LENGTH]!;
  let rows = 1;
  for (; index + rows < count; rows++) {
    const at = first + rows * EVENT_WIDTH;
    const isSame =
      events[at] === events[first] &&
      events[at + EventColumn.CONNECTION] === events[first + EventColumn.CONNECTION] &&
      events[at + EventColumn.EXCHANGE_ID] === events[first + EventColumn.EXCHANGE_ID] &&
      (events[at + EventColumn.DETAIL]! & BodyDetail.LANDED) === landed;
    if (!isSame || (landed !== 0 && events[at + EventColumn.START] !== end)) break;
    end += events[at + EventColumn.LENGTH]!;
  }
  return rows;
}

/** How many frames have ended with these rows. */
function framesOf(events: Int32Array, index: number, rows: number): number {
  const first = index * EVENT_WIDTH + EventColumn.DETAIL;
  let frames = rows;
  for (let i = 0; i < rows; i++) {
    if ((events[first + i * EVENT_WIDTH]! & BodyDetail.PART) !== 0) frames--;
  }
  return frames;
}

/** The bytes of these rows, many records' perhaps, as one chunk that outlives the read. */
function chunkOf(ring: Ring, events: Int32Array, index: number, rows: number): Buffer {
  const first = index * EVENT_WIDTH + EventColumn.START;
  let length = 0;
  for (let i = 0; i < rows; i++) length += events[first + i * EVENT_WIDTH + 1]!;
  if ((events[first + 2]! & BodyDetail.LANDED) !== 0) {
    return ring.landing!.take(events[first]!, events[first]! + length);
  }
  const chunk = slab.take(length);
  let at = 0;
  for (let i = 0; i < rows; i++) {
    const start = events[first + i * EVENT_WIDTH]!;
    at += ring.bytes.copy(chunk, at, start, start + events[first + i * EVENT_WIDTH + 1]!);
  }
  return chunk;
}

/**
 * The fields of a HEAD row; they own their rows, since the next decode writes over the table.
 *
 * @param text   the head's bytes as a latin1 string
 * @param fields the field table
 * @param first  the head row
 * @param count  field rows with it
 */
export function readFields(
  text: string,
  fields: Int32Array,
  first: number,
  count: number,
): FieldBlock {
  const at = first * FIELD_WIDTH;
  const base = fields[at + HeadColumn.BYTES_START]!;
  return keptFields(text, fields, at + FIELD_WIDTH, count - 1, base);
}

/**
 * Calls the receiver for the event row `index` of the tables, and for those that carry on with its bytes.
 *
 * @param count how many rows there are
 * @returns how many were dispatched, at least one
 */
export function dispatchRow(
  receiver: RowReceiver,
  ring: Ring,
  tables: Tables,
  index: number,
  count: number,
): number {
  const { events } = tables;
  const kind = events[index * EVENT_WIDTH];
  if (kind !== RowKind.BODY && kind !== RowKind.DATA) {
    dispatchOne(receiver, ring, tables, index);
    return 1;
  }
  const rows = rowsOfStream(events, index, count);
  const id = events[index * EVENT_WIDTH + EventColumn.EXCHANGE_ID]!;
  const chunk = chunkOf(ring, events, index, rows);
  if (kind === RowKind.BODY) receiver.body(id, chunk, framesOf(events, index, rows));
  else receiver.data(id, chunk);
  return rows;
}

function dispatchOne(receiver: RowReceiver, ring: Ring, tables: Tables, index: number): void {
  const { events, fields } = tables;
  const at = index * EVENT_WIDTH;
  const id = events[at + 2]!;
  const start = events[at + 3]!;
  const length = events[at + 4]!;
  const detail = events[at + 5]!;
  switch (events[at]) {
    case RowKind.BEGIN:
      return receiver.begin(id, detail);
    case RowKind.HEAD: {
      const row = start * FIELD_WIDTH;
      const meta = {
        bodyKind: detail,
        metaA: fields[row + HeadColumn.META_A]!,
        metaB: fields[row + HeadColumn.META_B]!,
      };
      const bytesStart = fields[row + HeadColumn.BYTES_START]!;
      const text = ring.text(bytesStart, fields[row + HeadColumn.BYTES_LENGTH]!);
      return receiver.head(id, readFields(text, fields, start, length), meta);
    }
    case RowKind.BODY_END:
      return receiver.bodyEnd(id, detail === 1);
    case RowKind.DATA_END:
      return receiver.dataEnd(id);
    case RowKind.ABORT:
      return receiver.abort(id);
    case RowKind.CONTROL:
      return receiver.control(detail, ring.bytes.subarray(start, start + length));
    case RowKind.ERROR: {
      const row = errorRow(detail);
      if (row === undefined)
        throw new InternalError(`A decoder reported the unknown error ${detail}.`);
      return receiver.error(id, row);
    }
    default:
      throw new InternalError(`A decoder wrote a row of the unknown kind ${events[at]}.`);
  }
}
