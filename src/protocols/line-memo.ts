/**
 * Encoded header fields, kept by name while their value stays the same: most responses repeat most of them.
 * It knows no protocol's spelling; a value that changes each time is encoded each time and costs one comparison more.
 */

/** Names that are kept at most: handlers choose them. */
const NAMES_MAX = 500;
/** Longer values are seldom the same twice, and would be held for nothing. */
const VALUE_LENGTH_MAX = 200;

interface Kept {
  value: string;
  /** The field as encoded, or "" while its value has been seen once. */
  line: string;
}

/**
 * One piece of memory in place of the many that a concatenation leaves behind: each use of the string would gather them
 * anew.
 */
export function flattened(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("latin1");
}

/** The fields of one encoder. */
export class LineMemo {
  readonly #encode: (name: string, value: string) => string;
  readonly #kept = new Map<string, Kept>();

  /** @param encode makes the field's bytes, as latin1 text; never "" */
  constructor(encode: (name: string, value: string) => string) {
    this.#encode = encode;
  }

  /** The field's bytes, as latin1 text. */
  line(name: string, value: string): string {
    const kept = this.#kept.get(name);
    if (kept === undefined || kept.value !== value) return this.#first(name, value, kept);
    if (kept.line === "") kept.line = flattened(this.#encode(name, value));
    return kept.line;
  }

  #first(name: string, value: string, kept: Kept | undefined): string {
    if (value.length <= VALUE_LENGTH_MAX) {
      if (kept !== undefined) {
        kept.value = value;
        kept.line = "";
      } else if (this.#kept.size < NAMES_MAX) this.#kept.set(name, { value, line: "" });
    }
    return this.#encode(name, value);
  }
}
