/**
 * Finds NUL, CR and LF in the values of one head, which may hold none of them (RFC 9110 §5.5).
 * A head's framing may hold all three, so each value is asked about, in the order of the text; but the text is searched
 * in long stretches, by memchr: a regular expression on each value of a browser's request costs twice as much.
 */

/** Beyond every offset of a head. */
const NOWHERE = 0x3fff_ffff;
const FORBIDDEN = /[\0\r\n]/;

function next(text: string, character: string, from: number): number {
  const at = text.indexOf(character, from);
  return at < 0 ? NOWHERE : at;
}

/** The search through one head at a time; it holds offsets alone. */
export class ValueScan {
  readonly #nulStart: number;
  /** Where each character is next, at or after the last place asked about; −1 before the first. */
  #nul = -1;
  #cr = -1;
  #lf = -1;

  /** @param framesByNul does NUL end every value, so that none can be in one (SCGI, AJP)? */
  constructor(framesByNul: boolean) {
    this.#nulStart = framesByNul ? NOWHERE : -1;
  }

  /** Takes up the next head. */
  begin(): void {
    this.#nul = this.#nulStart;
    this.#cr = -1;
    this.#lf = -1;
  }

  /** Is one of them in [start, end)? Precondition: start is not before one that was asked about since {@link begin}. */
  finds(text: string, start: number, end: number): boolean {
    if (this.#nul < start) this.#nul = next(text, "\0", start);
    if (this.#cr < start) this.#cr = next(text, "\r", start);
    if (this.#lf < start) this.#lf = next(text, "\n", start);
    return this.#nul < end || this.#cr < end || this.#lf < end;
  }
}

/** Does this text hold NUL, CR or LF? */
export function isForbidden(value: string): boolean {
  return FORBIDDEN.test(value);
}
