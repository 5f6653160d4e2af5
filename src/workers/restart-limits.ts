/**
 * Ends of workers → how long to wait before another is tried, and when to give up (reliability O-6).
 *
 * Only workers that end soon after their start are a loop: one that had served for a while is replaced at once and counts
 * for nothing. So is the first of a row: a single crash is replaced as fast as it can be. Who kills one worker after the other
 * meets young ones that had served: each of these is replaced at once, too. Pure: it is told the time.
 */

/** First wait, in milliseconds; each further crash doubles it. */
const FIRST_WAIT_MS = 100;
const WAIT_MAX_MS = 30_000;
/** A worker that lived as long as this is none of a loop, and after as long without a quick end the row is over, in ms. */
export const STEADY_MS = 5_000;
/** One that answered requests and lived as long as this had served, in milliseconds. */
export const SERVED_MS = 1_000;
/** So many of those in the window are replaced at once: a start takes 0.12 s of a processor, which makes 5 %. */
export const SERVED_MAX = 25;

/** How long one that is tried is looked at, in milliseconds. */
const TRIAL_MS = 1_000;

/** Counts quick ends. */
export class RestartLimits {
  /** So many in the window, and it is given up. */
  readonly maxCount: number;
  readonly windowMs: number;
  /** When the last ones were, of the window alone. */
  readonly #crashesMs: number[] = [];
  /** Quick ends in a row. */
  #row = 0;
  #readyMs = 0;

  /** @param maxCount Infinity: never give up */
  constructor(maxCount = 10, windowMs = 60_000) {
    this.maxCount = maxCount;
    this.windowMs = windowMs;
  }

  /** Has nothing ended too soon lately? */
  get isCalm(): boolean {
    return this.#row < 2;
  }

  /**
   * A worker ended that should not have.
   *
   * @param livedMs  how long it was there
   * @param answered had it answered requests?
   * @returns false when it is to be given up
   */
  crashed(nowMs: number, livedMs: number, answered = false): boolean {
    if (livedMs >= STEADY_MS) return true;
    this.#slide(nowMs);
    this.#crashesMs.push(nowMs);
    const had = answered && livedMs >= SERVED_MS && this.#crashesMs.length <= SERVED_MAX;
    if (!had) this.#wait(nowMs);
    return this.#crashesMs.length < this.maxCount;
  }

  #wait(nowMs: number): void {
    if (nowMs - this.#readyMs > STEADY_MS) this.#row = 0;
    const doublings = this.#row++ - 1;
    const waitMs = doublings < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** doublings, WAIT_MAX_MS);
    this.#readyMs = nowMs + waitMs;
  }

  /**
   * Milliseconds until another may be tried; 0: now. After several that ended at once one is tried, and another only when
   * that one has been there for a moment.
   *
   * @param youngestMs when the youngest of those that are there began
   */
  waitMs(nowMs: number, youngestMs: number = Number.NEGATIVE_INFINITY): number {
    const trialMs = this.isCalm ? 0 : youngestMs + TRIAL_MS - nowMs;
    return Math.max(0, this.#readyMs - nowMs, trialMs);
  }

  /** What the operator is told when it is given up. */
  get verdict(): string {
    return (
      `It gives up: workers ended ${this.maxCount} times in ${this.windowMs / 1_000} s, each soon after its start; the ` +
      "lines above say how. With max-restarts=Infinity it would try for ever."
    );
  }

  /** What ended so far counts for nothing: what comes is something else. */
  forget(): void {
    this.#crashesMs.length = 0;
    this.#row = 0;
    this.#readyMs = 0;
  }

  #slide(nowMs: number): void {
    while (this.#crashesMs.length > 0 && this.#crashesMs[0]! < nowMs - this.windowMs) {
      this.#crashesMs.shift();
    }
  }
}
