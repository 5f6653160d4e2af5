/**
 * What a worker reports of itself, and when: about every quarter of a second, hardly anything while nothing changes, and not
 * while its event loop is blocked, which the primary takes for busy.
 */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Load, LOAD_PERIOD_MS, LoadMeter, OVERDUE_MS } from "../../src/workers/load.ts";
import { newWorker, noteLoad, seemsBusy } from "../../src/workers/worker.ts";

const channel = { pid: 1, send: () => undefined, kill: () => undefined };
const load: Load = {
  utilisation: 0,
  requests: 0,
  inFlight: 0,
  connections: 0,
  rssBytes: 1,
  heapBytes: 1,
  delayMs: 0,
  counters: {},
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("each period while there are requests, the first quiet one, and then every fourth", () => {
  const traffic = { requests: 0, inFlight: 0, connections: 1 };
  const loads: Load[] = [];
  new LoadMeter(
    { traffic },
    () => ({ refused: 2 }),
    (one) => loads.push(one),
  ).start();
  const reportsOf = (periods: number): number => {
    loads.length = 0;
    vi.advanceTimersByTime(periods * LOAD_PERIOD_MS);
    return loads.length;
  };
  expect(reportsOf(1)).toBe(1);
  expect(loads[0]).toMatchObject({ ...traffic, counters: { refused: 2 } });
  expect(loads[0]!.rssBytes).toBeGreaterThan(loads[0]!.heapBytes / 2);
  expect(reportsOf(8)).toBe(2);
  traffic.requests = 5;
  expect(reportsOf(1)).toBe(1);
  expect(reportsOf(3)).toBe(0);
  traffic.inFlight = 1;
  expect(reportsOf(6)).toBe(6);
});

test("a worker of which nothing is heard is busy: its event loop is blocked", () => {
  const worker = newWorker(1, 1, channel, 0);
  worker.state = "ready";
  expect(seemsBusy(worker, OVERDUE_MS)).toBe(false);
  expect(seemsBusy(worker, OVERDUE_MS + 1)).toBe(true);
  noteLoad(worker, load, OVERDUE_MS);
  expect(seemsBusy(worker, 2 * OVERDUE_MS)).toBe(false);
});

test("busy by what it answered between two reports, although nothing is in flight when it reports", () => {
  const worker = newWorker(1, 1, channel, 0);
  worker.state = "ready";
  noteLoad(worker, { ...load, utilisation: 1, requests: 50 }, 250);
  noteLoad(worker, { ...load, utilisation: 1, requests: 100 }, 500);
  expect(seemsBusy(worker, 500)).toBe(true);
  expect(worker.rate).toBeCloseTo(150);
  noteLoad(worker, { ...load, utilisation: 1, requests: 100 }, 750);
  expect(seemsBusy(worker, 750)).toBe(false);
  expect(worker.activeMs).toBe(500);
});
