/**
 * Who gets a connection that a worker gives away, and what becomes of it when that one dies or will not.
 *
 * Workers and connections are played here; the real ones are in test/cli/handover.test.ts.
 */
import { describe, expect, test } from "vitest";
import { Handover } from "../../src/workers/handover.ts";
import type { Order } from "../../src/workers/messages.ts";
import { readReport } from "../../src/workers/messages.ts";
import type { Parcel, Worker } from "../../src/workers/worker.ts";

/** A worker that hears orders and does nothing. */
function played(id: number): Worker & { readonly orders: Order[] } {
  const orders: Order[] = [];
  const channel = {
    pid: id,
    send: (order: Order) => void orders.push(order),
    kill: () => undefined,
  };
  const facts = { state: "ready", generation: 1, startedMs: 0, leaving: false, facts: undefined };
  return { id, channel, orders, ...facts } as Worker & { readonly orders: Order[] };
}

function parcel(): Parcel & { closed: number } {
  const one = {
    passed: { fd: 99 },
    closed: 0,
    close: (): void => {
      one.closed++;
    },
  };
  return one;
}

const ticketOf = (worker: { readonly orders: Order[] }): number => {
  const last = worker.orders.at(-1);
  if (last?.kind !== "take") throw new Error("it was asked for nothing");
  return last.ticket;
};

describe("a connection that is given away", () => {
  test("goes to those in turn who got the fewest, not back, and is let go once it was taken", () => {
    const [a, b, c] = [played(1), played(2), played(3)];
    const handover = new Handover(() => [a, b, c]);
    const parcels = Array.from({ length: 4 }, parcel);
    for (const one of parcels) handover.heard(a, { kind: "give", to: 0 }, one);
    expect([a, b, c].map(({ orders }) => orders.length)).toEqual([0, 2, 2]);
    expect(parcels[0]!.closed).toBe(0);
    handover.heard(b, { kind: "taken", ticket: 1, taken: true }, undefined);
    expect(parcels[0]!.closed).toBe(1);
    expect([handover.underWay, handover.passedCount, handover.lostCount]).toEqual([3, 1, 0]);
  });

  test("goes to whom it is meant for, and to another where that one is gone", () => {
    const [a, b, c] = [played(1), played(2), played(3)];
    const living = [a, b, c];
    const handover = new Handover(() => living);
    handover.heard(a, { kind: "give", to: 3 }, parcel());
    handover.heard(a, { kind: "give", to: 3 }, parcel());
    expect(c.orders.length).toBe(2);
    living.pop();
    handover.heard(a, { kind: "give", to: 3 }, parcel());
    expect(b.orders.length).toBe(1);
  });

  test("is kept for another one where its taker dies or refuses, and closed when nobody is left", () => {
    const [a, b, c] = [played(1), played(2), played(3)];
    const living = [a, b, c];
    const handover = new Handover(() => living);
    const one = parcel();
    handover.heard(a, { kind: "give", to: 2 }, one);
    living.splice(1, 1);
    handover.gone(b);
    expect(ticketOf(c)).toBe(1);
    // Late words of somebody who was asked before mean nothing.
    handover.heard(b, { kind: "taken", ticket: 1, taken: true }, undefined);
    expect(one.closed).toBe(0);
    living.shift();
    handover.heard(c, { kind: "taken", ticket: 1, taken: false }, undefined);
    expect([one.closed, handover.lostCount, handover.underWay]).toEqual([1, 1, 0]);
  });

  test("comes back to its giver where that one stays and all others leave", () => {
    const [a, b] = [played(1), played(2)];
    const living = [a, b];
    const handover = new Handover(() => living);
    const [early, late] = [parcel(), parcel()];
    handover.heard(a, { kind: "give", to: 2 }, early);
    // The number of workers goes down: it is told so before it has taken what is under way.
    living.pop();
    handover.heard(b, { kind: "taken", ticket: 1, taken: false }, undefined);
    handover.heard(a, { kind: "give", to: 2 }, late);
    expect(a.orders).toEqual([
      { kind: "take", ticket: 1 },
      { kind: "take", ticket: 2 },
    ]);
    handover.heard(a, { kind: "taken", ticket: 1, taken: true }, undefined);
    handover.heard(a, { kind: "taken", ticket: 2, taken: true }, undefined);
    expect([early.closed, late.closed, handover.lostCount]).toEqual([1, 1, 0]);
  });

  test("is closed after four have refused it, however many there are", () => {
    const workers = Array.from({ length: 9 }, (_, index) => played(index + 1));
    const handover = new Handover(() => workers);
    const one = parcel();
    handover.heard(workers[0]!, { kind: "give", to: 0 }, one);
    for (let attempt = 0; attempt < 4; attempt++) {
      const asked = workers.find(({ orders }) => orders.length > 0)!;
      asked.orders.length = 0;
      handover.heard(asked, { kind: "taken", ticket: 1, taken: false }, undefined);
    }
    expect([one.closed, handover.lostCount]).toEqual([1, 1]);
  });

  test("that came without its descriptor is forgotten, and one beside another report is closed", () => {
    const [a, b] = [played(1), played(2)];
    const handover = new Handover(() => [a, b]);
    expect(handover.heard(a, { kind: "give", to: 0 }, undefined)).toBe(true);
    expect(b.orders).toEqual([]);
    const stray = parcel();
    expect(handover.heard(a, { kind: "leaving" }, stray)).toBe(false);
    expect(stray.closed).toBe(1);
  });
});

test("reports about connections are believed only where their numbers are numbers (reliability O-7)", () => {
  expect(readReport({ kind: "give", to: 0 })).toEqual({ kind: "give", to: 0 });
  expect(readReport({ kind: "taken", ticket: 3, taken: false })).toBeDefined();
  expect(readReport({ kind: "leaving", more: 1 })).toEqual({ kind: "leaving" });
  const wrong = [
    { kind: "give" },
    { kind: "give", to: -1 },
    { kind: "give", to: "1" },
    { kind: "taken", ticket: 1.5, taken: true },
    { kind: "taken", ticket: 1, taken: "yes" },
  ];
  for (const value of wrong) expect(readReport(value)).toBeUndefined();
});
