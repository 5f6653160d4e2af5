/**
 * How long to wait before the next try, and when to give up (reliability O-6).
 */
import { expect, test } from "vitest";
import {
  RestartLimits,
  SERVED_MAX,
  SERVED_MS,
  STEADY_MS,
} from "../../src/workers/restart-limits.ts";

/** Crashes as soon as it may; returns the waits until it is given up, or `count` of them. */
function loop(limits: RestartLimits, count: number, livedMs = 0): number[] {
  const waits: number[] = [];
  let nowMs = 0;
  for (let crash = 0; crash < count; crash++) {
    if (!limits.crashed(nowMs, livedMs)) return waits;
    waits.push(limits.waitMs(nowMs));
    nowMs += limits.waitMs(nowMs) + livedMs;
  }
  return waits;
}

test("the first is replaced at once, then 100 ms, doubled each time, up to 30 s (O-6)", () => {
  expect(loop(new RestartLimits(Number.POSITIVE_INFINITY), 13)).toEqual([
    0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000,
  ]);
});

test("the tenth in a minute is the last (O-6)", () => {
  expect(loop(new RestartLimits(), 100)).toHaveLength(9);
});

test("ten in more than a minute are not", () => {
  const limits = new RestartLimits(10, 60_000);
  for (let crash = 0; crash < 30; crash++) expect(limits.crashed(crash * 6_700, 0)).toBe(true);
});

test("a worker that had served for a while is replaced at once, and counts for nothing", () => {
  const limits = new RestartLimits(2);
  for (let crash = 0; crash < 20; crash++) {
    expect(limits.crashed(crash * 10, STEADY_MS)).toBe(true);
    expect(limits.waitMs(crash * 10)).toBe(0);
    expect(limits.isCalm).toBe(true);
  }
  limits.crashed(0, STEADY_MS - 1);
  expect(limits.crashed(1, STEADY_MS - 1)).toBe(false);
});

test("young workers that had served are replaced at once as well, 25 of them in a minute", () => {
  const limits = new RestartLimits(Number.POSITIVE_INFINITY);
  for (let crash = 0; crash < SERVED_MAX; crash++) {
    limits.crashed(crash * 1_500, SERVED_MS, true);
    expect(limits.waitMs(crash * 1_500)).toBe(0);
    expect(limits.isCalm).toBe(true);
  }
  const nowMs = SERVED_MAX * 1_500;
  for (let more = 0; more < 3; more++) limits.crashed(nowMs, SERVED_MS, true);
  expect(limits.waitMs(nowMs)).toBe(200);
});

test("young workers that had answered nothing, or ended at once, are a loop (O-6)", () => {
  for (const [livedMs, answered] of [
    [STEADY_MS - 1, false],
    [SERVED_MS - 1, true],
  ] as const) {
    const limits = new RestartLimits();
    for (let crash = 0; crash < 3; crash++) limits.crashed(0, livedMs, answered);
    expect(limits.waitMs(0)).toBe(200);
  }
});

test("young workers that had served count for giving up (O-6)", () => {
  const limits = new RestartLimits(2);
  expect(limits.crashed(0, SERVED_MS, true)).toBe(true);
  expect(limits.crashed(1_000, SERVED_MS, true)).toBe(false);
});

test("after five seconds without a quick end the row is over", () => {
  const limits = new RestartLimits(Number.POSITIVE_INFINITY);
  loop(limits, 3);
  const nowMs = 300 + STEADY_MS;
  limits.crashed(nowMs + 1, 0);
  expect(limits.waitMs(nowMs + 1)).toBe(0);
});

test("after a calm minute it begins anew", () => {
  const limits = new RestartLimits(Number.POSITIVE_INFINITY);
  loop(limits, 3);
  expect(limits.isCalm).toBe(false);
  limits.crashed(1_000_000, 0);
  expect(limits.waitMs(1_000_000)).toBe(0);
  expect(limits.isCalm).toBe(true);
});
