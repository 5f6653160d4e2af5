/**
 * Workers of `postern` that have served long enough: replaced one at a time without a lost request, or one for each request.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import { startLoops } from "../support/load-loops.ts";
import { makeProgram, type Program, type Running } from "./program.ts";

const APP = `
const { version } = require("./version.cjs");
module.exports = (req, res) => res.end(process.pid + " " + version);
`;
const WAIT_MS = 15_000;

describe.each(CONFIGURATIONS.filter(({ create }) => create !== undefined).map(({ name }) => name))(
  "%s",
  (configuration) => {
    let program: Program;
    let socket: string;
    const hasAddon = configuration !== "typescript";
    const put = (version: number): void =>
      writeFileSync(join(program.folder, "version.cjs"), `exports.version = ${version};`);
    const ask = async (url = "/"): Promise<string> =>
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
      put(1);
    });
    afterAll(() => program.clear());

    test("recycling: each worker is replaced after its requests, and no request is lost (B-103)", async () => {
      const running = await start("workers=2", "maxrequests=20");
      const loops = startLoops(socket, 4);
      const pids = (): number => new Set(loops.answers.map((text) => text.split(" ", 1)[0])).size;
      await until(() => pids() >= 6, WAIT_MS);
      await loops.stop();
      expect(loops.failures).toEqual([]);
      expect(running.stderr()).toMatch(/has answered \d+ requests; another takes its place\./);
      await end(running);
    }, 40_000);

    test("maxrequests=1: each request has a worker of its own, with the code of its moment", async () => {
      put(1);
      const running = await start("workers=1", "maxrequests=1");
      const seen = new Set<string>();
      for (const version of [2, 3, 4]) {
        put(version);
        // Without the addon the one that waits was started before.
        if (!hasAddon) seen.add((await ask()).split(" ", 1)[0]!);
        const [pid, code] = (await ask()).split(" ");
        expect(code).toBe(String(version));
        seen.add(pid!);
      }
      expect(seen.size).toBe(hasAddon ? 3 : 6);
      await end(running);
    }, 40_000);
  },
);
