/**
 * One request's fields: one latin1 string and the places of names and values in it.
 * Names and values become strings when they are asked for, not before; nothing is interpreted.
 * It does not know where string and places came from.
 */
import { FIELD_NAMES } from "./field-names.ts";
import type { ValueCells } from "./value-cells.ts";

/** Integers a field has: nameId or −nameStart, nameLength, valueStart, valueLength. */
export const FIELD_CELLS = 4;

/**
 * Cells of one slab. A typed array costs 200 to 300 ns to make, whatever its size, so the rows of several heads share
 * one: about fifteen of a browser's. As long as one of them lives, so does the slab, hence no more than 8 KiB.
 */
const SLAB_CELLS = 2_048;

let slab = new Int32Array(SLAB_CELLS);
let slabUsed = 0;

/** Fields of one request, in the order they came. Immutable. */
export class FieldBlock {
  /** The whole head as latin1: every name and value is a part of it. */
  readonly text: string;
  /** How many fields there are. */
  readonly count: number;
  /** Memory that holds the rows, and others before and after them. */
  readonly rows: Int32Array;
  /** Index of the first cell of the first row. */
  readonly first: number;
  /** What offsets in the rows count from: the offset of the first character of `text`. At least 1. */
  readonly base: number;

  /**
   * @param text  the head's bytes as a latin1 string
   * @param rows  holds four integers a field from cell `first` on, offsets from `base`; a name is an id (> 0), or minus
   *              the offset of its first byte. Kept, not copied: see {@link keptFields}
   */
  constructor(text: string, rows: Int32Array, first: number, count: number, base: number) {
    this.text = text;
    this.count = count;
    this.rows = rows;
    this.first = first;
    this.base = base;
  }

  /** Id of the i-th name, or 0 when it has none. */
  id(i: number): number {
    const name = this.rows[this.first + i * FIELD_CELLS]!;
    return name > 0 ? name : 0;
  }

  /** The i-th name, in CGI spelling where it has an id, as it was sent otherwise. */
  name(i: number): string {
    const at = this.first + i * FIELD_CELLS;
    const name = this.rows[at]!;
    if (name > 0) return FIELD_NAMES[name]!;
    const start = -name - this.base;
    return this.text.slice(start, start + this.rows[at + 1]!);
  }

  /** Length of the i-th name where it is written out, so that most can be told apart without making it a string. */
  nameLength(i: number): number {
    return this.rows[this.first + i * FIELD_CELLS + 1]!;
  }

  /** The i-th value; "" where it is empty or null. */
  value(i: number): string {
    return this.valueAt(this.first + i * FIELD_CELLS);
  }

  /** Value of the row that begins at this cell. */
  valueAt(cell: number): string {
    const start = this.rows[cell + 2]! - this.base;
    return this.text.slice(start, start + this.rows[cell + 3]!);
  }

  /** Value of the first field with this id that is not empty, or "". Empty counts as absent. */
  find(id: number): string {
    const { rows, first } = this;
    const end = first + this.count * FIELD_CELLS;
    for (let at = first; at < end; at += FIELD_CELLS) {
      if (rows[at] === id && rows[at + 3]! > 0) return this.valueAt(at);
    }
    return "";
  }

  /** Writes where {@link find} finds each wanted field: one walk for all of them. Precondition: `values` was begun. */
  locate({ byId, cells }: ValueCells): void {
    const { rows, first, base } = this;
    const end = first + this.count * FIELD_CELLS;
    for (let at = first; at < end; at += FIELD_CELLS) {
      const name = rows[at]!;
      if (name <= 0) continue;
      const cell = byId[name]!;
      if (cell === 0 || cells[cell + 1] !== 0) continue;
      cells[cell] = rows[at + 2]! - base;
      cells[cell + 1] = rows[at + 3]!;
    }
  }
}

/**
 * Fields whose rows somebody else will write over: they are copied.
 *
 * @param text  the head's bytes as a latin1 string
 * @param rows  holds the rows from cell `first` on
 * @param base  what their offsets count from, as {@link FieldBlock.base}
 */
export function keptFields(
  text: string,
  rows: Int32Array,
  first: number,
  count: number,
  base: number,
): FieldBlock {
  const cells = count * FIELD_CELLS;
  const view = rows.subarray(first, first + cells);
  if (cells > SLAB_CELLS / 4) return new FieldBlock(text, view.slice(), 0, count, base);
  if (slabUsed + cells > SLAB_CELLS) {
    slab = new Int32Array(SLAB_CELLS);
    slabUsed = 0;
  }
  const at = slabUsed;
  slabUsed = at + cells;
  slab.set(view, at);
  return new FieldBlock(text, slab, at, count, base);
}
