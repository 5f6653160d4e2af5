/**
 * Kept connections go from worker to worker, and their peers notice nothing.
 *
 * Raw peers with one connection each send their next request at random moments around reloads, changes of the number of
 * workers and ends of single ones; a reset, a close or an answer that is not right fails the test. Behind real front
 * servers: test/conformance/reload.test.ts.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/behaviour.ts";
import { type Configuration, CONFIGURATIONS } from "../support/engines.ts";
import { KEPT_APP, KeptPeer, type KeptProtocol } from "../support/kept-peer.ts";
import { Random } from "../support/random.ts";
import { makeProgram, type Program, type Running } from "./program.ts";

const isFull = process.env["POSTERN_TEST_FULL"] === "1";
const RELOADS = isFull ? 100 : 3;
const PEERS = 8;

/** Reloads, and waits until the new workers serve. */
async function reload(running: Running, count: number): Promise<void> {
  running.child.kill("SIGHUP");
  await until(() => running.stderr().split("the new workers serve").length > count, 20_000);
}

const running = CONFIGURATIONS.filter(({ create }) => create !== undefined);

describe.each(running.map(({ name }) => name))("%s", (configuration: Configuration) => {
  let program: Program;
  beforeAll(async () => {
    program = await makeProgram(configuration);
    writeFileSync(join(program.folder, "app.cjs"), KEPT_APP);
  });
  afterAll(() => program.clear());

  const cells = (["prefork", "threaded"] as const).flatMap((method) =>
    (["fastcgi", "ajp"] as const).map((protocol) => ({ method, protocol })),
  );
  test.each(cells)(
    "$method workers: reloads are not seen on kept $protocol connections, whenever the next request comes",
    async ({ method, protocol }: { method: string; protocol: KeptProtocol }) => {
      const socket = `${method}-${protocol}`;
      const started = program.start(
        [
          "app.cjs",
          "--socket",
          socket,
          "--protocol",
          protocol,
          "--method",
          method,
          "--workers",
          "2",
        ],
        { longestMs: isFull ? 600_000 : 60_000 },
      );
      const line = await started.started;
      const isThreaded = method === "threaded" && configuration !== "typescript";
      expect(line).toContain(isThreaded ? "2 workers (threaded)" : "2 workers (prefork");
      const path = join(program.folder, socket);
      let isOver = false;
      const peers = await Promise.all(
        Array.from({ length: PEERS }, (_, seed) =>
          KeptPeer.connect(protocol, { path }, new Random(seed)),
        ),
      );
      const asking = Promise.all(peers.map((peer) => peer.askUntil(() => isOver)));
      asking.catch(() => undefined);
      for (let count = 1; count <= RELOADS; count++) {
        await Promise.race([reload(started, count), asking]);
      }
      // Those of before the last reload have nothing left to wait for.
      const seen = peers.map(({ workers }) => workers.size);
      isOver = true;
      await asking;
      for (const count of seen) expect(count).toBeGreaterThan(RELOADS / 2);
      started.child.kill("SIGTERM");
      expect((await started.ended).code).toBe(0);
    },
    isFull ? 600_000 : 60_000,
  );
});
