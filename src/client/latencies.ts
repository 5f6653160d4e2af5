/**
 * Durations → counts in buckets whose width grows with the duration, and quantiles from them.
 *
 * Sixteen buckets to each doubling: a quantile is at most 4.5 % off. Measures nothing itself.
 */

const STEPS = 16;
/** Shortest duration that is told apart, in milliseconds. */
const LEAST_MS = 0.001;

/** A row of the histogram. */
export interface LatencyRow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

/** Durations of many requests. */
export class Latencies {
  readonly #counts: number[] = [];
  count = 0;
  maxMs = 0;
  #sumMs = 0;

  /** Takes one duration. */
  add(ms: number): void {
    const index = Math.max(0, Math.floor(STEPS * Math.log2(ms / LEAST_MS)));
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.count += 1;
    this.#sumMs += ms;
    this.maxMs = Math.max(this.maxMs, ms);
  }

  get meanMs(): number {
    return this.count === 0 ? 0 : this.#sumMs / this.count;
  }

  /** The duration that this share of them, 0 to 1, does not exceed. */
  quantileMs(share: number): number {
    let seen = 0;
    for (const [index, count = 0] of this.#counts.entries()) {
      seen += count;
      if (seen >= share * this.count && seen > 0) {
        return Math.min(this.maxMs, LEAST_MS * 2 ** ((index + 1) / STEPS));
      }
    }
    return this.maxMs;
  }

  /** One row for each doubling, from the first that has any to the last. */
  rows(): LatencyRow[] {
    const rows: LatencyRow[] = [];
    for (let start = 0; start < this.#counts.length; start += STEPS) {
      const counts = this.#counts.slice(start, start + STEPS);
      const count = counts.reduce((sum, one) => sum + (one ?? 0), 0);
      const fromMs = LEAST_MS * 2 ** (start / STEPS);
      if (count > 0 || rows.length > 0) rows.push({ fromMs, toMs: fromMs * 2, count });
    }
    return rows;
  }
}
