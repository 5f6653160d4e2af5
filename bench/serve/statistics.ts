/**
 * Figures of several rounds → one figure with its spread, and a verdict about two of them.
 * Median and not mean: on a machine that does other things the odd round is far off, to one side.
 */

/** Median, least and most of some figures. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws Error when there are none */
export function spreadOf(figures: readonly number[]): Spread {
  const sorted = [...figures].sort((a, b) => a - b);
  if (sorted.length === 0) throw new Error("no figures");
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** What a comparison of two costs comes to. */
export type Verdict = "faster" | "slower" | "same";

/** A comparison of two rows that took turns. */
export interface Comparison {
  readonly before: Spread;
  readonly after: Spread;
  /** Median of the ratios after / before, round by round: what both rounds of a pair suffered cancels out. */
  readonly ratio: number;
  readonly verdict: Verdict;
}

/**
 * Compares costs (less is better) that were measured in turns.
 *
 * @param before figures of the other commit, by round
 * @param after  figures of this tree, of the same rounds
 * @param marginPercent a difference up to this is no difference
 * @throws Error unless there are as many of one as of the other, and at least one
 */
export function compare(
  before: readonly number[],
  after: readonly number[],
  marginPercent: number,
): Comparison {
  if (before.length !== after.length) throw new Error("rounds without their counterparts");
  const ratio = spreadOf(after.map((figure, round) => figure / before[round]!)).median;
  const spreads = { before: spreadOf(before), after: spreadOf(after) };
  // Other work on the machine makes rounds dear and never cheap: what the least do not show as well is noise.
  const least = spreads.after.min / spreads.before.min;
  const margin = marginPercent / 100;
  const isSlower = Math.min(ratio, least) > 1 + margin;
  const isFaster = Math.max(ratio, least) < 1 - margin;
  return { ...spreads, ratio, verdict: isSlower ? "slower" : isFaster ? "faster" : "same" };
}
