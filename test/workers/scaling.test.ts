/**
 * How many workers there should be, by what they do: runfcgi's bounds, with a hysteresis.
 */
import { describe, expect, test } from "vitest";
import { firstSize, isBusy, type ScalingBounds, wishedSize } from "../../src/workers/scaling.ts";

const BOUNDS: ScalingBounds = {
  mode: "dynamic",
  workers: 3,
  minSpare: 2,
  maxSpare: 4,
  maxChildren: 8,
  idleTimeoutMs: 1_000,
};

/** So many busy workers, and so many spare ones. */
const workers = (busy: number, spare: number, idleMs = 0) => [
  ...Array.from({ length: busy }, () => ({ isBusy: true, idleMs: 0 })),
  ...Array.from({ length: spare }, () => ({ isBusy: false, idleMs })),
];

/** The wish, where nobody is missing. */
function wish(busy: number, spare: number, more: Partial<ScalingBounds> = {}, idleMs = 0): number {
  const bounds = { ...BOUNDS, ...more };
  return wishedSize(busy + spare, workers(busy, spare, idleMs), bounds, 0, 1, 0).size;
}

describe("what busy means", () => {
  test("requests and a utilised event loop, both", () => {
    expect(isBusy(true, 0.9, false)).toBe(true);
    expect(isBusy(false, 0.9, false)).toBe(false);
    expect(isBusy(true, 0.1, false)).toBe(false);
  });

  test("between the two bounds it stays what it was", () => {
    expect(isBusy(true, 0.5, false)).toBe(false);
    expect(isBusy(true, 0.5, true)).toBe(true);
  });
});

describe("dynamic", () => {
  test("begins with minspare workers", () => {
    expect(firstSize(BOUNDS)).toBe(2);
  });

  test("grows until minspare workers are spare", () => {
    expect(wish(1, 1)).toBe(3);
    expect(wish(2, 0)).toBe(4);
    expect(wish(4, 2)).toBe(6);
  });

  test("never grows above maxchildren", () => {
    expect(wish(7, 0)).toBe(8);
    expect(wish(8, 0)).toBe(8);
  });

  test("counts one that is awaited as spare: a slow start launches no second one", () => {
    expect(wishedSize(4, workers(2, 1), BOUNDS, 0, 1, 0).size).toBe(4);
  });

  test("keeps what is between minspare and maxspare", () => {
    for (const spare of [2, 3, 4]) expect(wish(3, spare)).toBe(3 + spare);
  });

  test("lets one go when too many are spare for five seconds, then one a second", () => {
    let size = 8;
    let since = 0;
    const sizes: number[] = [];
    for (let nowMs = 1_000; nowMs <= 12_000; nowMs += 250) {
      ({ size, excessSinceMs: since } = wishedSize(
        size,
        workers(0, size),
        BOUNDS,
        0,
        nowMs,
        since,
      ));
      if (nowMs % 1_000 === 0) sizes.push(size);
    }
    expect(sizes).toEqual([8, 8, 8, 8, 8, 7, 6, 5, 4, 4, 4, 4]);
  });

  test("a moment without excess begins the wait anew", () => {
    const excess = wishedSize(6, workers(0, 6), BOUNDS, 0, 1_000, 0);
    expect(excess).toEqual({ size: 6, excessSinceMs: 1_000 });
    const busyAgain = wishedSize(6, workers(3, 3), BOUNDS, 0, 3_000, excess.excessSinceMs);
    expect(busyAgain).toEqual({ size: 6, excessSinceMs: 0 });
    expect(wishedSize(6, workers(0, 6), BOUNDS, 0, 6_500, 0).size).toBe(6);
  });
});

describe("ondemand", () => {
  const mode = "ondemand";

  test("begins with one, which shows whether the application loads", () => {
    expect(firstSize({ ...BOUNDS, mode })).toBe(1);
  });

  test("adds one when none is spare, up to maxchildren", () => {
    expect(wish(1, 0, { mode })).toBe(2);
    expect(wish(2, 1, { mode })).toBe(3);
    expect(wish(8, 0, { mode })).toBe(8);
  });

  test("lets those go that had no request for idleTimeout, the last one included", () => {
    expect(wish(0, 1, { mode }, 999)).toBe(1);
    expect(wish(0, 1, { mode }, 1_000)).toBe(0);
    expect(wish(1, 2, { mode }, 1_000)).toBe(1);
  });

  test("keeps the last one where the socket cannot be watched", () => {
    expect(wishedSize(2, workers(0, 2, 5_000), { ...BOUNDS, mode }, 1, 1, 0).size).toBe(1);
  });

  test("from none to one is not its to decide", () => {
    expect(wish(0, 0, { mode })).toBe(0);
  });
});

test("static is what the operator says, whatever they do", () => {
  expect(firstSize({ ...BOUNDS, mode: "static" })).toBe(3);
  expect(wish(3, 0, { mode: "static" })).toBe(3);
  expect(wish(0, 9, { mode: "static" })).toBe(9);
});
