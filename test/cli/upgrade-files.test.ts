/**
 * Upgrades of a daemon: its pid file, its log files and its status change hands with everything else.
 *
 * A successor that cannot take one of them leaves all to the old primary.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import { endPrimary, isAlive, statusOf } from "./primaries.ts";
import { ask, makeProgram, type Program } from "./program.ts";

const APP = `
module.exports = (req, res) => {
  console.log("asked");
  res.end(process.ppid + " " + process.cwd());
};
`;

let program: Program;
const at = (name: string): string => join(program.folder, name);
const read = (name: string): string => readFileSync(at(name), "utf8");
const pidOf = (): number => Number(readFileSync(at("run/pid"), "utf8"));
const served = async (): Promise<string> =>
  (await request({ protocol: "fastcgi", address: { socket: at("s") } })).text();
const shown = async (): Promise<{ pid: number }> =>
  JSON.parse(await ask({ socketPath: at("st"), path: "/" })) as { pid: number };
const words = (): string[] => [
  ...["app.cjs", "socket=s", "pidfile=run/pid", "outlog=out", "errlog=err", "status=./st"],
  ...["workers=2", "daemonize=true"],
];

beforeAll(async () => {
  program = await makeProgram();
  writeFileSync(at("app.cjs"), APP);
  mkdirSync(at("run"), { mode: 0o755 });
});
afterEach(() => endPrimary(program));
afterAll(() => program.clear());

test("a daemon's successor has its pid file, logs, folder and status, and the end leaves nothing", async () => {
  const { code, stderr } = await program.run(words());
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("postern ") });
  const first = pidOf();
  expect((await shown()).pid).toBe(first);
  const { upgrades } = await statusOf(at("s.control"));
  expect(upgrades).toBe(0);
  process.kill(first, "SIGUSR2");
  await until(() => pidOf() !== first, 20_000);
  const second = pidOf();
  await until(() => !isAlive(first), 20_000);
  // The old one's end has not taken what is the new one's.
  expect(pidOf()).toBe(second);
  expect(await served()).toBe(`${second} /`);
  expect((await shown()).pid).toBe(second);
  expect((await statusOf(at("s.control"))).upgrades).toBe(1);
  const lines = read("err").split("\n");
  expect(lines.filter((line) => line.includes(`[${second}] postern `))).toHaveLength(1);
  // Every line is framed, and none comes twice.
  expect(lines.filter((line) => line !== "" && !/^\d{4}-\S+ \[\d+\] /.test(line))).toEqual([]);
  expect(read("out")).toBe("asked\n");
  process.kill(second, "SIGTERM");
  await until(() => !isAlive(second), 20_000);
  expect(["run/pid", "s", "s.control", "st"].filter((name) => existsSync(at(name)))).toEqual([]);
});

test("where the pid file cannot be taken over, the old one goes on with all it had", async () => {
  rmSync(at("err"), { force: true });
  expect((await program.run(words())).code).toBe(0);
  const first = pidOf();
  // The application hides the folder while it loads: at the start there was nothing wrong with it.
  writeFileSync(
    at("app.cjs"),
    `const fs = require("node:fs");
// One of the workers is the first.
try { fs.renameSync("${at("run")}", "${at("gone")}"); } catch {}
${APP}`,
  );
  const { code, stderr } = await program.run(["upgrade", "--socket", "s"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/pidfile is .*whose folder does not exist/);
  expect((await statusOf(at("s.control"))).pid).toBe(first);
  expect(await served()).toBe(`${first} /`);
  await until(async () => (await shown().catch(() => undefined))?.pid === first);
  expect(read("err")).toContain("the old primary goes on, since a new one cannot begin");
});
