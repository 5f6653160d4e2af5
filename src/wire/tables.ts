/**
 * The tables that decoders write rows into: events, fields and a few cells of state.
 * It gives them no meaning; columns and kinds are in abi.ts. One set serves all connections of one ring.
 * The addon is given these arrays once and holds references to them.
 */
import {
  EVENT_ROWS,
  EVENT_WIDTH,
  FIELD_ROWS_EXTRA,
  FIELD_WIDTH,
  STATE_CELLS,
  StateCell,
} from "./abi.ts";

/** Tables of one ring. Rows are overwritten by the next `decode`. */
export interface Tables {
  readonly events: Int32Array;
  readonly fields: Int32Array;
  readonly state: Int32Array;
}

/**
 * Makes a set of tables.
 *
 * @param fieldCount `limits.fieldCount`: the most fields one head may have
 * @param heads      how many heads with so many fields shall fit
 */
export function createTables(fieldCount: number, heads = 1): Tables {
  const eventCells = EVENT_ROWS * EVENT_WIDTH;
  const fieldCells = (fieldCount + FIELD_ROWS_EXTRA) * FIELD_WIDTH * heads;
  // One piece of memory: the addon asks of each piece, call by call, whether it is still there.
  const cells = new Int32Array(eventCells + fieldCells + STATE_CELLS);
  return {
    events: cells.subarray(0, eventCells),
    fields: cells.subarray(eventCells, eventCells + fieldCells),
    state: cells.subarray(eventCells + fieldCells),
  };
}

/** Writes event rows for one decoder; the TypeScript twin of native's row writer. */
export class RowWriter {
  readonly #tables: Tables;
  #events = 0;
  #fields = 0;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Event rows written since {@link begin}. */
  get eventCount(): number {
    return this.#events;
  }

  /** Field rows written since {@link begin}; the index of the next one. */
  get fieldCount(): number {
    return this.#fields;
  }

  /** Starts a decode call: both tables are empty again. */
  begin(): void {
    this.#events = 0;
    this.#fields = 0;
  }

  /** Is there room for `events` more event rows and `fields` more field rows? */
  hasRoom(events: number, fields: number): boolean {
    return (
      (this.#events + events) * EVENT_WIDTH <= this.#tables.events.length &&
      (this.#fields + fields) * FIELD_WIDTH <= this.#tables.fields.length
    );
  }

  /** Writes one event row. Precondition: {@link hasRoom}. */
  event(kind: number, exchangeId: number, start: number, length: number, detail: number): void {
    const events = this.#tables.events;
    const at = this.#events * EVENT_WIDTH;
    events[at] = kind;
    events[at + 1] = 0;
    events[at + 2] = exchangeId;
    events[at + 3] = start;
    events[at + 4] = length;
    events[at + 5] = detail;
    this.#events++;
  }

  /** Writes one field row. Precondition: {@link hasRoom}. */
  field(name: number, nameLength: number, valueStart: number, valueLength: number): void {
    const fields = this.#tables.fields;
    const at = this.#fields * FIELD_WIDTH;
    fields[at] = name;
    fields[at + 1] = nameLength;
    fields[at + 2] = valueStart;
    fields[at + 3] = valueLength;
    this.#fields++;
  }

  /** Takes field rows back to `count`, when a head turns out to be wrong half-way. */
  rewindFields(count: number): void {
    this.#fields = count;
  }

  /** Writes `fields[row * 4 + column]`, for head rows whose numbers are known only at their end. */
  setField(row: number, column: number, value: number): void {
    this.#tables.fields[row * FIELD_WIDTH + column] = value;
  }

  /** Ends a decode call and returns the number of event rows. */
  end(consumed: number, more: boolean): number {
    this.#tables.state[StateCell.CONSUMED] = consumed;
    this.#tables.state[StateCell.MORE] = more ? 1 : 0;
    return this.#events;
  }
}
