/**
 * How often a property is tried, and with which seed: printed by fast-check in every failure, repeated by POSTERN_SEED.
 * 1,000 runs, and 100,000 under `npm run test:full` (reliability §3.2); fuzzers go on for POSTERN_FUZZ_MS.
 */
import type { Parameters } from "fast-check";

const isFull = process.env["POSTERN_TEST_FULL"] === "1";
const runs = isFull ? 100_000 : 1_000;
const timeMs = Number(process.env["POSTERN_FUZZ_MS"] || 0);

/** The seed of all properties of this process; part of their names. */
export const PROPERTY_SEED: number = Number(
  process.env["POSTERN_SEED"] || Date.now() % 1_000_000_000,
);

/**
 * Parameters for `fc.assert`.
 *
 * @param share of the usual number of runs, for properties of which each run takes long
 */
export function tried<T>(share = 1): Parameters<T> {
  return { numRuns: Math.max(10, Math.ceil(runs * share)), seed: PROPERTY_SEED };
}

/** A property that is a harness of `npm run fuzz` as well. */
export const fuzzed: {
  readonly timeoutMs: number;
  runs<T>(count: number, tests: number): Parameters<T>;
  say(what: string, count: number): void;
} = {
  timeoutMs: 600_000 + timeMs,
  /**
   * Parameters for `fc.assert`: so many runs, fifty times as many under test:full, or all there is time for.
   *
   * @param tests that share the time
   */
  runs<T>(count: number, tests: number): Parameters<T> {
    const seed = PROPERTY_SEED;
    if (timeMs === 0) return { numRuns: isFull ? 50 * count : count, seed };
    return { numRuns: 1e9, interruptAfterTimeLimit: timeMs / tests, endOnFailure: true, seed };
  },
  /** Says how many runs there were, where it was run for a time. */
  say(what: string, count: number): void {
    if (timeMs > 0)
      console.info(
        `${what}: ${count} runs, ${Math.round(process.cpuUsage().user / 1e6)} s of the processor so far`,
      );
  },
};
