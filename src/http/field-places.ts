/**
 * Known fields of one head by their id: where each is, and whether it is there twice with different values.
 * It holds places alone, and those of one head at a time; the fields stay where they are.
 */
import { ERRORS, ProtocolError } from "../errors.ts";
import { FIELD_CELLS, type FieldBlock } from "./field-block.ts";
import { FIELD_NAMES } from "./field-names.ts";

/** Far above every place of a head, and far below what an Int32Array holds. */
const FLOOR_MAX = 0x3000_0000;

/** Places in the head that was begun last. Those of heads before it lie below a floor, so that none is wiped. */
export class FieldPlaces {
  readonly #cells = new Int32Array(FIELD_NAMES.length);
  #floor = 1;
  #next = 1;

  /** Takes up the next head. */
  begin(fields: FieldBlock): void {
    if (this.#next > FLOOR_MAX) {
      this.#cells.fill(0);
      this.#next = 1;
    }
    this.#floor = this.#next;
    this.#next += fields.count * FIELD_CELLS;
  }

  /** Cells from the first one of the head to the row of this field; negative where it is not there. */
  of(id: number): number {
    return this.#cells[id]! - this.#floor;
  }

  /** Is this field there? */
  has(id: number): boolean {
    return this.of(id) >= 0;
  }

  /** Notes that a field is in the row at this cell. */
  set(fields: FieldBlock, id: number, at: number): void {
    this.#cells[id] = this.#floor + at - fields.first;
  }

  /**
   * Notes where a field is that comes once, or more often with one value.
   *
   * @throws ProtocolError ERR_FIELD_CONFLICT when it was there with another value
   */
  setOnce(fields: FieldBlock, id: number, at: number): void {
    const before = this.of(id);
    if (before < 0) this.set(fields, id, at);
    else if (fields.valueAt(fields.first + before) !== fields.valueAt(at)) {
      throw new ProtocolError(ERRORS.FIELD_CONFLICT);
    }
  }

  /** Value of a field, or "". */
  value(fields: FieldBlock, id: number): string {
    const place = this.of(id);
    return place < 0 ? "" : fields.valueAt(fields.first + place);
  }
}
