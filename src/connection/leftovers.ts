/**
 * Ended requests whose input may still come (FastCGI): how many, and since when.
 * The decoder drops the input itself; here is only what the connection's deadline needs. FastCGI specification §3.3.
 */

/** The leftovers of one connection. */
export class Leftovers {
  #count = 0;
  #sinceMs = 0;

  /** Since when leftover input is awaited by the coarse clock, or 0. */
  get sinceMs(): number {
    return this.#count > 0 ? this.#sinceMs : 0;
  }

  /** A request ended before its input did. */
  add(nowMs: number): void {
    if (this.#count++ === 0) this.#sinceMs = nowMs;
  }

  /** The input of an ended request has ended too, be it in the read in which the request did. */
  remove(): void {
    if (this.#count > 0) this.#count--;
  }
}
