/**
 * Upgrades, and what peers see of them that keep their connections: nothing.
 *
 * Raw peers with one connection each send their next request at random moments, bodies among them; a reset, a close or a
 * wrong answer fails the test. Connections of the old workers go to the new ones by way of both primaries.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/behaviour.ts";
import { type Configuration, CONFIGURATIONS } from "../support/engines.ts";
import { KEPT_APP, KeptPeer, type KeptProtocol } from "../support/kept-peer.ts";
import { Random } from "../support/random.ts";
import { command, endPrimary, isAlive, statusOf } from "./primaries.ts";
import { makeProgram, type Program } from "./program.ts";

const isFull = process.env["POSTERN_TEST_FULL"] === "1";
/** Upgrades of one cell; in a hurry one does where another cell has shown a second. */
const [MANY, FEW] = isFull ? [20, 20] : [2, 1];
const PEERS = 8;
const LONGEST_MS = isFull ? 280_000 : 60_000;

const running = CONFIGURATIONS.filter(({ create }) => create !== undefined);

describe.each(running.map(({ name }) => name))("%s", (configuration: Configuration) => {
  let program: Program;
  beforeAll(async () => {
    program = await makeProgram(configuration);
    writeFileSync(join(program.folder, "app.cjs"), KEPT_APP);
  });
  afterEach(() => endPrimary(program));
  afterAll(() => program.clear());

  const cells: { method: string; protocol: KeptProtocol; upgrades: number }[] = [
    { method: "prefork", protocol: "fastcgi", upgrades: MANY },
    { method: "prefork", protocol: "ajp", upgrades: FEW },
    { method: "threaded", protocol: "fastcgi", upgrades: FEW },
  ];
  test.each(cells)(
    "$method workers: upgrades ($upgrades) are not seen on kept $protocol connections",
    { timeout: LONGEST_MS },
    async ({ method, protocol, upgrades }) => {
      const words = ["app.cjs", "--socket", "s", "--protocol", protocol, "--workers", "2"];
      const started = program.start([...words, "--method", method], { longestMs: LONGEST_MS });
      await started.started;
      const control = join(program.folder, "s.control");
      let isOver = false;
      const path = join(program.folder, "s");
      const peers = await Promise.all(
        Array.from({ length: PEERS }, (_, seed) =>
          KeptPeer.connect(protocol, { path }, new Random(seed)),
        ),
      );
      const asking = Promise.all(peers.map((peer) => peer.askUntil(() => isOver)));
      asking.catch(() => undefined);
      const upgrade = async (): Promise<void> => {
        const { pid: old } = await statusOf(control);
        await command(control, { verb: "upgrade" });
        // Gone once the last of its connections has found another home.
        await until(() => !isAlive(old), 30_000);
      };
      for (let count = 0; count < upgrades; count++) await Promise.race([upgrade(), asking]);
      const seen = peers.map(({ workers }) => workers.size);
      isOver = true;
      await asking;
      for (const count of seen) expect(count).toBeGreaterThanOrEqual(upgrades);
      expect((await statusOf(control)).upgrades).toBe(upgrades);
    },
  );
});
