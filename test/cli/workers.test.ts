/**
 * `postern app.cjs --workers N`: a primary that holds the address, and processes that serve it.
 *
 * Every test drives the real command over a unix socket and looks at what clients see; who serves is told by the
 * application, which answers with its process's id.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import { makeProgram, type Program } from "./program.ts";

const APP = `
const { version } = require("./version.cjs");
module.exports = (req, res) => {
  if (req.url === "/die") process.exit(3);
  res.end(JSON.stringify({ pid: process.pid, version }));
};
`;

describe.each(CONFIGURATIONS.filter(({ create }) => create !== undefined).map(({ name }) => name))(
  "%s",
  (configuration) => {
    let program: Program;
    let socket: string;
    const put = (version: number): void =>
      writeFileSync(join(program.folder, "version.cjs"), `exports.version = ${version};`);
    const ask = async (url = "/"): Promise<{ pid: number; version: number }> =>
      JSON.parse(
        await (await request({ protocol: "fastcgi", address: { socket }, url })).text(),
      ) as { pid: number; version: number };

    beforeAll(async () => {
      program = await makeProgram(configuration);
      socket = join(program.folder, "s");
      writeFileSync(join(program.folder, "app.cjs"), APP);
    });
    afterAll(() => program.clear());

    test("two workers serve one socket, a dead one is replaced, and the end leaves nothing", async () => {
      put(1);
      const running = program.start(["app.cjs", "--socket", "s", "--workers", "2"]);
      const line = await running.started;
      expect(line).toMatch(
        /^postern \S+: fastcgi on unix:\S+, engine .*, 2 workers \(prefork\), pid \d+$/,
      );
      const pids = new Set<number>();
      await until(async () => {
        pids.add((await ask()).pid);
        return pids.size === 2;
      });
      expect(pids).not.toContain(running.child.pid);
      await expect(ask("/die")).rejects.toThrow("closed the connection");
      await until(async () => {
        pids.add((await ask()).pid);
        return pids.size === 3;
      });
      expect(running.stderr()).toMatch(
        /Worker \d \(pid \d+\) ended with exit status 3; another takes its place\./,
      );
      running.child.kill("SIGTERM");
      expect((await running.ended).code).toBe(0);
      expect(existsSync(socket)).toBe(false);
      for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    });

    test("SIGHUP loads new code, and code that cannot begin leaves the old in place (B-93)", async () => {
      put(1);
      const running = program.start(["app.cjs", "--socket", "s", "--workers", "2"]);
      await running.started;
      expect((await ask()).version).toBe(1);
      put(2);
      running.child.kill("SIGHUP");
      await until(() => running.stderr().includes("the new workers serve"));
      expect((await ask()).version).toBe(2);
      writeFileSync(join(program.folder, "version.cjs"), "throw new Error('broken release');");
      running.child.kill("SIGHUP");
      await until(() => running.stderr().includes("the old workers go on"));
      expect(running.stderr()).toContain("broken release");
      expect((await ask()).version).toBe(2);
      put(3);
      running.child.kill("SIGHUP");
      await until(() => running.stderr().split("the new workers serve").length === 3);
      expect((await ask()).version).toBe(3);
    });
  },
);
