/**
 * The addon's writer of log lines as TypeScript calls it. It copies bytes and opens no file.
 * Twin: native/binding/js_lines.cc.
 */

/**
 * Writes one line; places of its values are in the cells.
 *
 * @param at    offset in `out` where it begins
 * @param text  a head, as a latin1 string; values of it that need an escape are not written
 * @param added values that are escaped by now; left out where there are none
 * @returns the offset behind it, or 0: the line does not fit, a value needs an escape, or it is not the second of
 *   {@link LineCell} any more
 */
export type WriteLine = (at: number, text: string, added?: string) => number;

/**
 * Makes such a writer. It keeps the arrays alive, and reads them at each call.
 *
 * @param steps    {@link LINE_COLUMNS} integers a step, by {@link LineColumn}
 * @param cells    values: a number, or start and length. Starts from LINE_LITERALS and LINE_ADDED on count from there
 * @param literals texts between the values
 */
export type CreateLines = (
  steps: Int32Array,
  cells: Int32Array,
  literals: Uint8Array,
  out: Uint8Array,
) => WriteLine;
