/**
 * How many workers `postern` keeps under load and without: dynamic within runfcgi's bounds, and ondemand from nothing.
 *
 * Real processes under real load; how many there are is what the system says of the primary's children.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import { startLoops } from "../support/load-loops.ts";
import { childrenOf } from "../support/process-facts.ts";
import { makeProgram, type Program, type Running } from "./program.ts";

const APP = `
module.exports = (req, res) => {
  const end = performance.now() + Number(req.url.slice(1));
  while (performance.now() < end);
  res.end(String(process.pid));
};
`;
const WAIT_MS = 15_000;
/** Longest way from nothing to an answer, and how often a busy machine is given another try. */
const COLD_MS = 200;
const COLD_TRIES = 6;
/** On a machine where that is long, an empty node takes so many milliseconds from spawn to exit; where it takes more, so may we. */
const EMPTY_MS = 70;

/** What an empty node takes here and now. */
function emptyStartMs(): number {
  const startMs = performance.now();
  spawnSync(process.execPath, ["-e", "0"]);
  return performance.now() - startMs;
}

describe.each(CONFIGURATIONS.filter(({ create }) => create !== undefined).map(({ name }) => name))(
  "%s",
  (configuration) => {
    let program: Program;
    let socket: string;
    const hasAddon = configuration !== "typescript";
    const ask = async (url = "/0"): Promise<string> =>
      (await request({ protocol: "fastcgi", address: { socket }, url })).text();
    const start = async (...words: string[]): Promise<Running> => {
      const running = program.start(["app.cjs", "--socket", "s", "--daemonize=false", ...words]);
      await running.started;
      return running;
    };
    const end = async (running: Running): Promise<void> => {
      running.child.kill("SIGTERM");
      expect((await running.ended).code).toBe(0);
    };

    beforeAll(async () => {
      program = await makeProgram(configuration);
      socket = join(program.folder, "s");
      writeFileSync(join(program.folder, "app.cjs"), APP);
    });
    afterAll(() => program.clear());

    // What decides is the primary, which has no engine: once is enough for what takes ten seconds.
    test.runIf(configuration === "typescript")(
      "dynamic: begins with minspare, rises under load to maxchildren at most, falls back",
      async () => {
        const running = await start("minspare=1", "maxspare=1", "maxchildren=3");
        const count = (): number => childrenOf(running.child.pid!).length;
        expect(await running.started).toContain("1 to 3 workers (prefork)");
        expect(count()).toBe(1);
        const loops = startLoops(socket, 6, "/20");
        let most = 0;
        await until(() => {
          most = Math.max(most, count());
          return most === 3;
        }, WAIT_MS);
        await loops.stop();
        expect(loops.failures).toEqual([]);
        await until(() => {
          most = Math.max(most, count());
          return count() === 1;
        }, WAIT_MS);
        expect(most).toBe(3);
        await end(running);
      },
      40_000,
    );

    test.runIf(hasAddon)(
      "ondemand: nobody when idle, and the first connection starts one in under 200 ms",
      async () => {
        const running = await start("pm=ondemand", "--idle-timeout", "300");
        const count = (): number => childrenOf(running.child.pid!).length;
        let best = Number.POSITIVE_INFINITY;
        let empty = Number.POSITIVE_INFINITY;
        for (let round = 0; round < COLD_TRIES && (round < 2 || best > COLD_MS); round++) {
          await until(() => count() === 0, WAIT_MS);
          empty = Math.min(empty, emptyStartMs());
          const startMs = performance.now();
          await ask();
          best = Math.min(best, performance.now() - startMs);
          expect(count()).toBe(1);
        }
        expect(best).toBeLessThan(COLD_MS * Math.max(1, empty / EMPTY_MS));
        await end(running);
      },
      40_000,
    );

    test.runIf(!hasAddon)("ondemand: without the addon one stays, and it says so", async () => {
      const running = await start("pm=ondemand", "--idle-timeout", "300");
      expect(await running.started).toMatch(
        /1 to \d+ workers.*pm=ondemand keeps one worker, since/,
      );
      expect(await ask()).toMatch(/^\d+$/);
      await end(running);
    });
  },
);
