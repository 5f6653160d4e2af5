/**
 * Which worker gives connections to which, by what they answer: in time, not too often, and never back and forth.
 */
import { describe, expect, test } from "vitest";
import { chooseLeavers } from "../../src/server/leavers.ts";
import { Scheduler, type WorkerRate } from "../../src/workers/scheduler.ts";

const worker = (rate: number, more: Partial<WorkerRate> = {}): WorkerRate => ({
  rate,
  utilisation: rate / 1_000,
  connections: 4,
  ...more,
});

/** Looks at the same workers so many times, every quarter of a second; the moves that came of it. */
function looks(workers: readonly WorkerRate[], count: number, scheduler = new Scheduler()) {
  return Array.from({ length: count }, (_, index) => scheduler.look(workers, index * 250)).filter(
    (move) => move !== undefined,
  );
}

describe("when", () => {
  test("uneven workers three times in a row: half of the difference leaves the busier one", () => {
    const busy = worker(900);
    const spare = worker(100);
    expect(looks([busy, spare], 2)).toEqual([]);
    expect(looks([busy, spare], 3)).toEqual([
      { from: busy, to: spare, count: 3, share: 400 / 900 },
    ]);
  });

  test("of several, the busiest gives to the least busy", () => {
    const [first, second, third] = [worker(300), worker(900), worker(200)];
    expect(looks([first, second, third], 3)).toMatchObject([{ from: second, to: third }]);
  });

  test("at most four connections in a second and a half", () => {
    const moves = looks([worker(900, { connections: 100 }), worker(100)], 40);
    expect(moves.length).toBeLessThanOrEqual(7);
    for (const { count } of moves) expect(count).toBe(4);
  });

  test.each([
    ["one worker", [worker(900)]],
    ["nearly even ones", [worker(570), worker(430)]],
    ["hardly any requests", [worker(15), worker(0)]],
    ["one connection, which cannot be halved", [worker(900, { connections: 1 }), worker(100)]],
    ["longer requests where there are fewer", [worker(900), worker(100, { utilisation: 1 })]],
  ])("nothing for %s", (_, workers) => {
    expect(looks(workers, 40)).toEqual([]);
  });

  test("a burst that is over begins the count anew", () => {
    const scheduler = new Scheduler();
    expect(looks([worker(900), worker(100)], 2, scheduler)).toEqual([]);
    expect(looks([worker(500), worker(500)], 1, scheduler)).toEqual([]);
    expect(looks([worker(900), worker(100)], 2, scheduler)).toEqual([]);
  });
});

describe("which", () => {
  const leaver = (recentRequests: number) => ({
    movable: true,
    transport: { handOver: () => expect.fail("nobody leaves here") },
    watch: { recentRequests },
  });
  const chosen = (rates: number[], count: number, share: number) =>
    chooseLeavers(rates.map(leaver), count, share).map(({ watch }) => watch?.recentRequests);

  test("the busiest that fit into the part", () => {
    expect(chosen([100, 100, 100, 100], 4, 0.5)).toEqual([100, 100]);
    expect(chosen([10, 20, 30, 40], 4, 0.3)).toEqual([40]);
  });

  test("one that alone is most of the work stays, and the others go", () => {
    expect(chosen([200, 10, 10, 10], 4, 0.15)).toEqual([10, 10, 10]);
  });

  test("unused ones stay, and none above the count goes", () => {
    expect(chosen([0, 0, 50, 50], 4, 0.5)).toEqual([50]);
    expect(chosen([10, 10, 10, 10], 1, 0.9)).toEqual([10]);
  });

  test("all of them means all, those that have sent nothing yet included", () => {
    expect(chosen([0.1, 0.2, 0, 0], 4, 1)).toHaveLength(4);
  });
});
