/**
 * How late the event loop is, for `limits.delay`, and the moment after it stood still in which nobody knows yet which
 * peers have gone.
 *
 * The server's one coarse timer is here and tells of long stops at no cost; another runs only while `limits.delay` is set.
 */
import type { Lateness } from "../connection/context.ts";

/** The one timer's period: deadlines are checked this often. */
const CLOCK_MS = 500;
/** A stop of this length is long enough for front servers to have given up, in milliseconds. */
const LATE_MS = 100;
/** How often the loop is looked at where its delay is limited, in milliseconds. */
const PERIOD_MS = 10;

/** The lateness of this thread's loop, as one server sees it. */
export class LoopLateness implements Lateness {
  readonly watched: boolean;
  isLate = false;
  #tickMs = performance.now();
  #lagMs = 0;
  #clockMs = 0;
  #clock: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  /** @param delayMs `limits.delay`; Infinity: nobody asks */
  constructor(delayMs: number) {
    this.watched = delayMs !== Number.POSITIVE_INFINITY;
  }

  /** @param tick called by the coarse timer */
  open(tick: () => void): void {
    clearInterval(this.#clock);
    this.#clockMs = performance.now();
    this.#clock = setInterval(() => this.#clockTick(tick), CLOCK_MS).unref();
    if (!this.watched || this.#timer !== undefined) return;
    this.#tickMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), PERIOD_MS).unref();
  }

  rest(): void {
    clearInterval(this.#clock);
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #clockTick(tick: () => void): void {
    const nowMs = performance.now();
    this.cameLate(nowMs - this.#clockMs - CLOCK_MS);
    this.#clockMs = nowMs;
    tick();
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#lagMs = nowMs - this.#tickMs - PERIOD_MS;
    this.#tickMs = nowMs;
    this.cameLate(this.#lagMs);
  }

  measure(): number {
    // Requests that came in one turn of the loop wait for each other, and no timer runs meanwhile.
    const stillMs = performance.now() - this.#tickMs - PERIOD_MS;
    this.cameLate(stillMs);
    return Math.max(stillMs, this.#lagMs);
  }

  /** A timer came that much too late. */
  cameLate(ms: number): void {
    if (ms < LATE_MS || this.isLate) return;
    this.isLate = true;
    // The first comes behind this turn's reads, the second behind the next one's: by then ends of peers are read as well.
    setImmediate(() => setImmediate(() => this.#caughtUp()));
  }

  #caughtUp(): void {
    this.isLate = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const call of waiting) call();
  }

  afterwards(call: () => void): void {
    this.#waiting.push(call);
  }
}
