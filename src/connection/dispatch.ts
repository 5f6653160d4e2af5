/**
 * One event row → one call: the only switch on row kinds.
 * It copies what has to live longer than the read — a head as one string and its offsets, a body chunk as its own
 * buffer — and decides nothing.
 */
import { type ErrorRow, errorRow, InternalError } from "../errors.ts";
import { type FieldBlock, keptFields } from "../http/field-block.ts";
import type { HeadMeta } from "../protocols/protocol.ts";
import { EVENT_WIDTH, FIELD_WIDTH, HeadColumn, RowKind } from "../wire/abi.ts";
import type { Ring } from "../wire/ring.ts";
import type { Tables } from "../wire/tables.ts";

/** Who is called. Chunks are owned by the receiver; `content` is borrowed. */
export interface RowReceiver {
  begin(exchangeId: number, detail: number): void;
  head(exchangeId: number, fields: FieldBlock, meta: HeadMeta): void;
  body(exchangeId: number, chunk: Buffer): void;
  bodyEnd(exchangeId: number, leftover: boolean): void;
  data(exchangeId: number, chunk: Buffer): void;
  dataEnd(exchangeId: number): void;
  abort(exchangeId: number): void;
  control(type: number, contentView: Uint8Array): void;
  error(exchangeId: number, row: ErrorRow): void;
}

/** Bytes of the ring that outlive the read. */
function copyOf(ring: Ring, start: number, length: number): Buffer {
  // Not Buffer.from(view): that takes small chunks from a pool that a long-lived one would keep alive.
  const chunk = Buffer.allocUnsafe(length);
  ring.bytes.copy(chunk, 0, start, start + length);
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

/** The bytes of a HEAD row's head, as latin1 text. */
function headText(ring: Ring, fields: Int32Array, first: number): string {
  const start = fields[first * FIELD_WIDTH + HeadColumn.BYTES_START]!;
  const length = fields[first * FIELD_WIDTH + HeadColumn.BYTES_LENGTH]!;
  return ring.bytes.toString("latin1", start, start + length);
}

/** Calls the receiver for the event row `index` of the tables. */
export function dispatchRow(
  receiver: RowReceiver,
  ring: Ring,
  tables: Tables,
  index: number,
): void {
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
      const meta = {
        bodyKind: detail,
        metaA: fields[start * FIELD_WIDTH + HeadColumn.META_A]!,
        metaB: fields[start * FIELD_WIDTH + HeadColumn.META_B]!,
      };
      const text = headText(ring, fields, start);
      return receiver.head(id, readFields(text, fields, start, length), meta);
    }
    case RowKind.BODY:
      return receiver.body(id, copyOf(ring, start, length));
    case RowKind.BODY_END:
      return receiver.bodyEnd(id, detail === 1);
    case RowKind.DATA:
      return receiver.data(id, copyOf(ring, start, length));
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
