/**
 * Requests a second of each worker → which one shall give connections to which other, and how much.
 *
 * Front servers keep a few connections for long, and whoever accepted the busy ones has the work: so they are moved, between
 * two requests (server/departures.ts chooses which). Pure: it is told the time, and keeps only when it moved last.
 */

/** One worker that serves. */
export interface WorkerRate {
  /** Requests a second, lately. */
  readonly rate: number;
  /** Of its event loop, lately, from 0 to 1. */
  readonly utilisation: number;
  readonly connections: number;
}

/** One order. */
export interface Move<Worker> {
  readonly from: Worker;
  readonly to: Worker;
  /** Most connections. */
  readonly count: number;
  /** Part of the requests of `from` that shall go with them, from 0 to 1. */
  readonly share: number;
}

/** Below so many requests a second of all nobody waits for anybody. */
const RATE_MIN = 20;
/** Difference of two workers, as part of what both do, from which it is evened out: 57.5 to 42.5. */
const DIFFERENCE_MIN = 0.15;
/** For so many looks in a row: one burst is none of our business. */
const LOOKS = 3;
/** Connections of one order, and time until its effect shows in the rates, in milliseconds. */
const MOVES_MAX = 4;
const SETTLE_MS = 1_500;

/** Evens the workers of one pool out. */
export class Scheduler {
  #looks = 0;
  #movedMs: number = Number.NEGATIVE_INFINITY;

  /** What to move now; undefined for nothing. To be asked for each new set of reports. */
  look<Worker extends WorkerRate>(
    workers: readonly Worker[],
    nowMs: number,
  ): Move<Worker> | undefined {
    const sorted = [...workers].sort((one, other) => one.rate - other.rate);
    const [to] = sorted;
    const from = sorted.at(-1);
    if (to === undefined || from === undefined || !isUneven(from, to)) {
      this.#looks = 0;
      return undefined;
    }
    if (++this.#looks < LOOKS || nowMs - this.#movedMs < SETTLE_MS) return undefined;
    this.#looks = 0;
    this.#movedMs = nowMs;
    const share = (from.rate - to.rate) / (2 * from.rate);
    return { from, to, count: Math.min(MOVES_MAX, from.connections - 1), share };
  }
}

/** Does `from` do much more than `to`, so that a part of it can be moved? */
function isUneven(from: WorkerRate, to: WorkerRate): boolean {
  const sum = from.rate + to.rate;
  if (sum < RATE_MIN || from.connections < 2) return false;
  // With fewer but longer requests the other one may be the busier of the two.
  return from.rate - to.rate > DIFFERENCE_MIN * sum && from.utilisation >= to.utilisation;
}
