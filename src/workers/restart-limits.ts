/**
 * Ends of workers → how long to wait before another is tried, and when to give up (reliability O-6).
 *
 * The first restart is immediate: a single crash is replaced as fast as it can be. Pure: it is told the time.
 */

/** First wait, in milliseconds; each further crash doubles it. */
const FIRST_WAIT_MS = 100;
const WAIT_MAX_MS = 30_000;

/** Counts crashes in a sliding window. */
export class RestartLimits {
  /** More crashes than that in the window, and it is given up. */
  readonly maxCount: number;
  readonly windowMs: number;
  readonly #crashesMs: number[] = [];
  #readyMs = 0;

  /** @param maxCount Infinity: never give up */
  constructor(maxCount = 10, windowMs = 60_000) {
    this.maxCount = maxCount;
    this.windowMs = windowMs;
  }

  /**
   * A worker ended that should not have.
   *
   * @returns false when it is to be given up
   */
  crashed(nowMs: number): boolean {
    this.#forget(nowMs);
    this.#crashesMs.push(nowMs);
    const doublings = this.#crashesMs.length - 2;
    const waitMs = doublings < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** doublings, WAIT_MAX_MS);
    this.#readyMs = nowMs + waitMs;
    return this.#crashesMs.length < this.maxCount;
  }

  /** Milliseconds until another may be tried; 0: now. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#readyMs - nowMs);
  }

  #forget(nowMs: number): void {
    while (this.#crashesMs.length > 0 && this.#crashesMs[0]! < nowMs - this.windowMs) {
      this.#crashesMs.shift();
    }
  }
}
