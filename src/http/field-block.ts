/**
 * One request's fields: one latin1 string and the offsets of names and values in it.
 * Names and values become strings when they are asked for, not before; nothing is interpreted.
 * It does not know where string and offsets came from.
 */
import { FIELD_NAMES } from "./field-names.ts";

/** Integers a field has: nameId or −nameStart, nameLength, valueStart, valueLength. */
const WIDTH = 4;

/** Fields of one request, in the order they came. Immutable; owns its string and offsets. */
export class FieldBlock {
  /** The whole head as latin1: every name and value is a part of it. */
  readonly text: string;
  /** How many fields there are. */
  readonly count: number;
  readonly #rows: Int32Array;

  /**
   * @param text  the head's bytes as a latin1 string
   * @param rows  four integers a field, offsets relative to `text`; a name is an id (> 0) or minus the offset of its
   *              first byte minus one (so that a name at offset 0 can be told from no name). Kept, not copied
   * @param count number of fields
   */
  constructor(text: string, rows: Int32Array, count: number) {
    this.text = text;
    this.#rows = rows;
    this.count = count;
  }

  /** Id of the i-th name, or 0 when it has none. */
  id(i: number): number {
    const name = this.#rows[i * WIDTH]!;
    return name > 0 ? name : 0;
  }

  /** The i-th name, in CGI spelling where it has an id, as it was sent otherwise. */
  name(i: number): string {
    const name = this.#rows[i * WIDTH]!;
    if (name > 0) return FIELD_NAMES[name]!;
    const start = -name - 1;
    return this.text.slice(start, start + this.#rows[i * WIDTH + 1]!);
  }

  /** The i-th value; "" where it is empty or null. */
  value(i: number): string {
    const start = this.#rows[i * WIDTH + 2]!;
    return this.text.slice(start, start + this.#rows[i * WIDTH + 3]!);
  }

  /** Length of the i-th value in bytes. */
  valueLength(i: number): number {
    return this.#rows[i * WIDTH + 3]!;
  }

  /** Index of the first field with this id, or −1. */
  indexOf(id: number): number {
    for (let i = 0; i < this.count; i++) {
      if (this.#rows[i * WIDTH] === id) return i;
    }
    return -1;
  }

  /** Value of the first field with this id that is not empty, or "". Empty counts as absent. */
  find(id: number): string {
    for (let i = 0; i < this.count; i++) {
      if (this.#rows[i * WIDTH] === id && this.#rows[i * WIDTH + 3]! > 0) return this.value(i);
    }
    return "";
  }
}
