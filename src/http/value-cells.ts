/**
 * Which values of a head are wanted by their place in its text → a cell pair each, start and length, that the head fills.
 * For whoever copies bytes and makes no strings: lines of a log. It reads no head; heads know where their values are.
 */
import { FIELD_NAMES, fieldId } from "./field-names.ts";

/** Values that are more than a field: a policy or a correction may stand between the two. */
export type JudgedValue = "addr" | "user" | "uri" | "proto";

/** CGI's field of each of them. */
const FIELDS: Readonly<Record<JudgedValue, number>> = {
  addr: fieldId("REMOTE_ADDR"),
  user: fieldId("REMOTE_USER"),
  uri: fieldId("REQUEST_URI"),
  proto: fieldId("SERVER_PROTOCOL"),
};

/** The length of a value that is not in the text as it should be: ask for it by its name. */
export const ELSEWHERE = -1;

/** Places of one head's values at a time. */
export class ValueCells {
  /** Start and length of each value, from its cell on; length 0 is "there is none". Cell 0 is nobody's. */
  readonly cells: Int32Array;
  /** The cell of each field's value, by id; 0 is "not wanted". */
  readonly byId: Uint16Array = new Uint16Array(FIELD_NAMES.length);
  /** Cells of judged values, or 0. */
  addr = 0;
  user = 0;
  uri = 0;
  proto = 0;
  readonly #wanted: number[] = [];

  constructor(cells: Int32Array) {
    this.cells = cells;
  }

  /** Cells of all values that are wanted. */
  get wanted(): readonly number[] {
    return this.#wanted;
  }

  /** Wants a value; returns the cell where it is from now on, which is `cell` or an earlier one. */
  want(value: number | JudgedValue, cell: number): number {
    const id = typeof value === "number" ? value : FIELDS[value];
    if (this.byId[id]! > 0) return this.byId[id]!;
    this.byId[id] = cell;
    if (typeof value === "string") this[value] = cell;
    this.#wanted.push(cell);
    return cell;
  }

  /** Takes up the next head: nothing has a place, or everything is {@link ELSEWHERE}. */
  begin(length: 0 | typeof ELSEWHERE): void {
    const { cells } = this;
    for (const cell of this.#wanted) cells[cell + 1] = length;
  }
}
