/**
 * Reloads under load behind real front servers: no request fails, and the front server repeats none (issue 5, acceptance 2).
 *
 * What else replaces workers is replacement.test.ts's; the load and the front servers are fronts.ts's.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeProgram, type Program, type Running } from "../cli/program.ts";
import { type FrontServer, unlessObstacle } from "../support/front/front-server.ts";
import { configurationObstacle, isFull } from "../support/front/gateway.ts";
import { freePorts, Room, until } from "../support/front/ports.ts";
import { KEPT_APP } from "../support/kept-peer.ts";
import { KINDS, Load, LONGEST_MS, socketOf, startFronts, WAYS } from "./fronts.ts";

const RELOADS = isFull ? 100 : 4;
/** Requests of a cell, at least: in the full size 408,000 altogether. */
const REQUESTS = isFull ? 34_000 : 400;

const room = new Room("reload");
const ports = await freePorts(WAYS.length);
let fronts: readonly (FrontServer | undefined)[] = [];

beforeAll(async () => {
  fronts = await startFronts(room, ports);
});
afterAll(async () => {
  for (const front of new Set(fronts)) await front?.stop();
  room.remove();
});

async function reloadsUnder(load: Load, running: Running): Promise<void> {
  for (let count = 1; count <= RELOADS; count++) {
    const asked = (load.requests + 1) * (1 + 1 / RELOADS);
    running.child.kill("SIGHUP");
    const isDone = (): boolean => running.stderr().split("the new workers serve").length > count;
    await load.during(until("the new workers serve", isDone, 30_000));
    await load.until(Math.max(REQUESTS * (count / RELOADS), Math.min(asked, REQUESTS)));
  }
}

describe.each(KINDS)("$configuration, $method", ({ configuration, method }) => {
  let program: Program | undefined;
  beforeAll(async () => {
    if (configurationObstacle(configuration) !== undefined) return;
    program = await makeProgram(configuration);
    writeFileSync(join(program.folder, "app.cjs"), KEPT_APP);
  });
  afterAll(() => program?.clear());

  test.for(WAYS.map((way, index) => ({ ...way, index })))(
    "behind $name no request fails and none is asked for twice while all workers are replaced again and again (B-102)",
    { timeout: LONGEST_MS },
    async ({ name, protocol, obstacle, index }, context) => {
      unlessObstacle(context, obstacle ?? configurationObstacle(configuration));
      const place = ["--socket", socketOf(room, { name }), "--mode", "0666"];
      const words = ["app.cjs", ...place, "--protocol", protocol];
      const running = program!.start([...words, "--method", method, "--workers", "2"], {
        longestMs: LONGEST_MS,
      });
      await running.started;
      const load = new Load(ports[index]!);
      await reloadsUnder(load, running);
      await load.end();
      expect(load.requests).toBeGreaterThanOrEqual(REQUESTS);
      expect(load.workers.size).toBeGreaterThan(RELOADS);
      expect(fronts[index]!.complaints()).toEqual([]);
      running.child.kill("SIGTERM");
      expect((await running.ended).code).toBe(0);
    },
  );
});
