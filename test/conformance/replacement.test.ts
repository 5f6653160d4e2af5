/**
 * Upgrades, worn-out workers and changing numbers of them under load behind real front servers: no request fails, and the
 * front server repeats none (issue 5, acceptance 2). Reloads are reload.test.ts's.
 *
 * In a hurry each change is seen behind each front server, and before each kind of workers, but not in all pairs.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { command, endPrimary, isAlive, statusOf } from "../cli/primaries.ts";
import { makeProgram, type Program } from "../cli/program.ts";
import { type FrontServer, unlessObstacle } from "../support/front/front-server.ts";
import { configurationObstacle, isFull } from "../support/front/gateway.ts";
import { freePorts, Room, until } from "../support/front/ports.ts";
import { KEPT_APP } from "../support/kept-peer.ts";
import { KINDS, Load, LONGEST_MS, socketOf, startFronts, WAYS } from "./fronts.ts";

/** Requests of a cell, at least: in the full size 216,000 altogether. */
const REQUESTS = isFull ? 6_000 : 240;
const UPGRADES = isFull ? 20 : 1;
const MAX_REQUESTS = isFull ? 500 : 40;
/** Workers that wear out: so many at least, however late each is noticed. */
const WORN = isFull ? 10 : 3;
/** From two to so many workers and back again. */
const WAVES = isFull ? [4, 1, 3, 2] : [3, 1];
const WAVE_COUNT = isFull ? 10 : 1;

const room = new Room("replacement");
const ports = await freePorts(WAYS.length);
let fronts: readonly (FrontServer | undefined)[] = [];

beforeAll(async () => {
  fronts = await startFronts(room, ports);
});
afterAll(async () => {
  for (const front of new Set(fronts)) await front?.stop();
  room.remove();
});

/** What goes on while requests come. */
interface Stage {
  readonly load: Load;
  readonly control: string;
  stderr(): string;
}

/** After each of so many steps the part of the requests that is due by then. */
function due(load: Load, step: number, steps: number): Promise<void> {
  return load.until(Math.max(load.requests + 20, (REQUESTS * step) / steps));
}

async function upgrades({ load, control }: Stage): Promise<void> {
  for (let count = 1; count <= UPGRADES; count++) {
    const { pid: old } = await statusOf(control);
    await load.during(command(control, { verb: "upgrade" }));
    // Gone once the last of its connections has found another home.
    await load.during(until("the old primary leaves", () => !isAlive(old), 60_000));
    await due(load, count, UPGRADES);
  }
  expect((await statusOf(control)).upgrades).toBe(UPGRADES);
  expect(load.workers.size).toBeGreaterThan(UPGRADES);
}

async function wear({ load, stderr }: Stage): Promise<void> {
  const worn = (): number => stderr().split("requests; another takes its place").length - 1;
  await load.during(until("worn-out workers are replaced", () => worn() >= WORN, LONGEST_MS));
  await load.until(REQUESTS);
  expect(load.workers.size).toBeGreaterThan(WORN);
}

async function scales({ load, control }: Stage): Promise<void> {
  const steps = WAVE_COUNT * WAVES.length;
  for (let step = 0; step < steps; step++) {
    const count = WAVES[step % WAVES.length]!;
    await load.during(command(control, { verb: "scale", count }));
    const isSettled = async (): Promise<boolean> =>
      (await statusOf(control)).workers.length === count;
    await load.during(until(`${count} workers`, isSettled, 60_000));
    await due(load, step + 1, steps);
  }
  expect(load.workers.size).toBeGreaterThan(1);
}

const changes = [
  { what: "the primary is upgraded", words: [], change: upgrades },
  {
    what: "workers wear out",
    words: ["--maxrequests", String(MAX_REQUESTS)],
    change: wear,
  },
  { what: "their number goes up and down", words: [], change: scales },
] as const;

const cells = KINDS.map((kind, row) => ({
  ...kind,
  cells: WAYS.flatMap((way, index) =>
    changes
      .filter((_, column) => isFull || (row + index + column) % KINDS.length === 0)
      .map((change) => ({ ...way, index, ...change })),
  ),
}));

describe.each(cells)("$configuration, $method", ({ configuration, method, cells: own }) => {
  let program: Program | undefined;
  beforeAll(async () => {
    if (configurationObstacle(configuration) !== undefined) return;
    program = await makeProgram(configuration);
    writeFileSync(join(program.folder, "app.cjs"), KEPT_APP);
  });
  afterEach(async () => {
    if (program !== undefined) await endPrimary(program, "control");
  });
  afterAll(() => program?.clear());

  test.for(own)(
    "behind $name no request fails and none is asked for twice while $what",
    { timeout: LONGEST_MS },
    async ({ name, protocol, obstacle, index, words, change }, context) => {
      unlessObstacle(context, obstacle ?? configurationObstacle(configuration));
      const place = ["--socket", socketOf(room, { name }), "--mode", "0666", "--control=control"];
      const kind = ["--protocol", protocol, "--method", method, "--workers", "2"];
      const running = program!.start(["app.cjs", ...place, ...kind, ...words], {
        longestMs: LONGEST_MS,
      });
      await running.started;
      const load = new Load(ports[index]!);
      const control = join(program!.folder, "control");
      await change({ load, control, stderr: () => running.stderr() });
      await load.end();
      expect(load.requests).toBeGreaterThanOrEqual(REQUESTS);
      expect(fronts[index]!.complaints()).toEqual([]);
    },
  );
});
