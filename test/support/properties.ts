/**
 * How often a property is tried, and with which seed: printed by fast-check in every failure, repeated by POSTERN_SEED.
 * 1,000 runs, and 100,000 under `npm run test:full` (reliability §3.2).
 */
import type { Parameters } from "fast-check";

const runs = process.env["POSTERN_TEST_FULL"] === "1" ? 100_000 : 1_000;

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
