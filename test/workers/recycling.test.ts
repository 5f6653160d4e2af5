/**
 * When a worker has served long enough: requests and age with a jitter, memory once it is not new.
 */
import { expect, test } from "vitest";
import { isRecycling, type RecyclingLimits, wearOf } from "../../src/workers/recycling.ts";

const NONE: RecyclingLimits = {
  maxRequests: Number.POSITIVE_INFINITY,
  maxAgeMs: Number.POSITIVE_INFINITY,
  maxRssBytes: Number.POSITIVE_INFINITY,
  maxHeapBytes: Number.POSITIVE_INFINITY,
};
const MIB = 1_048_576;
const load = { requests: 1_000, rssBytes: 300 * MIB, heapBytes: 200 * MIB };
const HOUR_MS = 3_600_000;

test("without limits nothing wears out", () => {
  expect(isRecycling(NONE)).toBe(false);
  expect(wearOf(load, HOUR_MS, 1, NONE)).toBeUndefined();
});

test("each limit has its clause", () => {
  const wear = (limits: Partial<RecyclingLimits>) =>
    wearOf(load, HOUR_MS, 0, { ...NONE, ...limits });
  expect(wear({ maxRequests: 1_000 })).toBe("has answered 1000 requests");
  expect(wear({ maxRequests: 1_001 })).toBeUndefined();
  expect(wear({ maxAgeMs: HOUR_MS })).toBe("is 3600 s old");
  expect(wear({ maxAgeMs: HOUR_MS + 1 })).toBeUndefined();
  expect(wear({ maxRssBytes: 299 * MIB })).toBe("has grown to 300 MiB");
  expect(wear({ maxRssBytes: 300 * MIB })).toBeUndefined();
  expect(wear({ maxHeapBytes: 199 * MIB })).toBe("has a heap of 200 MiB");
  expect(wear({ maxHeapBytes: 200 * MIB })).toBeUndefined();
});

test("requests and age come up to a tenth earlier, never later, and one request is one", () => {
  const at = (requests: number, share: number) =>
    wearOf({ ...load, requests }, 0, share, { ...NONE, maxRequests: 500 });
  expect(at(450, 1)).toBeDefined();
  expect(at(449, 1)).toBeUndefined();
  expect(at(499, 0)).toBeUndefined();
  expect(at(500, 0)).toBeDefined();
  for (const share of [0, 0.5, 0.999]) {
    expect(wearOf({ ...load, requests: 0 }, 0, share, { ...NONE, maxRequests: 1 })).toBeUndefined();
  }
  expect(wearOf(load, 0.9 * HOUR_MS, 1, { ...NONE, maxAgeMs: HOUR_MS })).toBeDefined();
});

test("an application that begins too large is not replaced for ever", () => {
  expect(wearOf(load, 9_999, 0, { ...NONE, maxRssBytes: MIB })).toBeUndefined();
  expect(wearOf(load, 10_000, 0, { ...NONE, maxRssBytes: MIB })).toBeDefined();
});
