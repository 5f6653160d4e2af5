/**
 * The pool's decisions alone: workers that are nothing but the two ends of a channel, whose ends and readiness the test says.
 */
import { expect, test } from "vitest";
import type { Order, Report } from "../../src/workers/messages.ts";
import { Pool } from "../../src/workers/pool.ts";
import type { WorkerListener } from "../../src/workers/worker.ts";

const FACTS = { protocols: ["fastcgi"], engine: "", transport: "", note: "" };
const READY: Report = { kind: "ready", facts: FACTS };
const HEIR = { pid: 1, take: () => undefined, listen: () => undefined };

/** A worker that was launched. */
interface Launched extends WorkerListener {
  readonly orders: Order["kind"][];
  killed: boolean;
}

function makePool(size: number): { pool: Pool; launched: Launched[] } {
  const launched: Launched[] = [];
  const pool = new Pool(
    {
      size,
      readyMs: 60_000,
      leaveMs: 0,
      begin: (id, generation) => ({
        kind: "begin",
        words: [],
        folder: "",
        fd: 0,
        address: "",
        id,
        generation,
      }),
      launch(listener) {
        const worker: Launched = { ...listener, orders: [], killed: false };
        launched.push(worker);
        return {
          pid: launched.length,
          send: (order) => void worker.orders.push(order.kind),
          kill: () => (worker.killed = true),
        };
      },
    },
    { say: () => undefined, ready: () => undefined, gaveUp: () => undefined },
  );
  return { pool, launched };
}

test("a reload does not wait for the back-off of the code that it replaces (O-6)", async () => {
  const { pool, launched } = makePool(1);
  const started = pool.start();
  launched[0]!.reported(READY);
  await started;
  launched[0]!.exited("exit status 1");
  launched[1]!.reported(READY);
  launched[1]!.exited("exit status 1");
  // The next one is due in a moment only.
  expect(launched).toHaveLength(2);
  const reloaded = pool.reload();
  expect(launched).toHaveLength(3);
  launched[2]!.reported(READY);
  await reloaded;
  pool.kill();
});

test("a pool with an heir kills workers that are not ready, and lets the others finish", async () => {
  const { pool, launched } = makePool(1);
  const started = pool.start();
  launched[0]!.reported(READY);
  await started;
  const reloaded = pool.reload();
  const emptied = pool.stop(HEIR);
  await expect(reloaded).rejects.toMatchObject({ sentence: "It is stopping." });
  expect(launched.map(({ killed, orders }) => ({ killed, last: orders.at(-1) }))).toEqual([
    { killed: false, last: "retire" },
    { killed: true, last: "retire" },
  ]);
  for (const worker of launched) worker.exited("exit status 0");
  await emptied;
});
