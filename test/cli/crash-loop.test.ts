/**
 * Workers that end at once (reliability O-6): back-off, one line each, an end with a clear sentence, and no busy machine.
 *
 * The whole ten of the default take half a minute and run under `npm run test:full`; otherwise five do.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { pause } from "../support/behaviour.ts";
import { cpuMsOf } from "../support/process-facts.ts";
import { makeProgram, type Program, type Running } from "./program.ts";

const isFull = process.env["POSTERN_TEST_FULL"] === "1";
/** Ends allowed; what the waits between them sum up to, in milliseconds: 0 + 100 + 200 + … */
const ENDS = isFull ? 10 : 5;
const WAITS_MS = 100 * (2 ** (ENDS - 2) - 1);
/** Processor time of one start, in milliseconds: measured 110 on a busy machine. */
const START_CPU_MS = 300;
const CPU_PART_MAX = 0.05;
/** When one that never gives up is killed: the waits of ten take 26 s. */
const LONGEST_MS = 80_000;

const APP = `
const { existsSync } = require("node:fs");
if (existsSync("broken")) process.exit(4);
module.exports = (req, res) => {
  if (req.url === "/die") process.exit(3);
  res.end(String(process.pid));
};
`;

let program: Program;
const inFolder = (name: string): string => join(program.folder, name);
const ask = (url: string): Promise<unknown> =>
  request({ protocol: "fastcgi", address: { socket: inFolder("s") }, url }).then((response) =>
    response.text(),
  );

beforeAll(async () => {
  program = await makeProgram();
  writeFileSync(inFolder("app.cjs"), APP);
});
afterAll(() => program.clear());

/** Waits for its end, asking as clients do, and says what it cost until then. */
async function endOf(running: Running, url: string | undefined) {
  const pid = running.child.pid!;
  const beforeMs = cpuMsOf(pid);
  const startMs = performance.now();
  let cpuMs = 0;
  let isOver = false;
  void running.ended.then(() => (isOver = true));
  while (!isOver) {
    if (existsSync(`/proc/${pid}/stat`)) cpuMs = Math.max(cpuMs, cpuMsOf(pid) - beforeMs);
    if (url !== undefined) await ask(url).catch(() => undefined);
    await pause(20);
  }
  const lines = (await running.ended).stderr.split("\n").filter((line) => /Worker \d+/.test(line));
  return { cpuMs, ms: performance.now() - startMs, lines, ...(await running.ended) };
}

function expectBounds({ cpuMs, ms, lines, code, stderr }: Awaited<ReturnType<typeof endOf>>): void {
  expect(code).toBe(1);
  expect(stderr).toContain(`It gives up: workers ended ${ENDS} times in 60 s`);
  expect(lines.length).toBe(ENDS);
  expect(ms).toBeGreaterThan(WAITS_MS);
  if (isFull) expect(cpuMs / ms).toBeLessThan(CPU_PART_MAX);
  else expect(cpuMs).toBeLessThan(ENDS * START_CPU_MS);
}

test("an application that ends at its first request: bounded, and given up with status 1", async () => {
  const running = program.start(
    ["app.cjs", "socket=s", "daemonize=false", "workers=1", "method=prefork"].concat(
      `--max-restarts=${ENDS}`,
    ),
    { longestMs: LONGEST_MS },
  );
  await running.started;
  expectBounds(await endOf(running, "/die"));
  expect(existsSync(inFolder("s"))).toBe(false);
}, 90_000);

test("an application that ends at its start, once it had served: the same", async () => {
  rmSync(inFolder("broken"), { force: true });
  const running = program.start(
    ["app.cjs", "socket=s", "daemonize=false", "workers=1", "method=prefork"].concat(
      `--max-restarts=${ENDS}`,
    ),
    { longestMs: LONGEST_MS },
  );
  await running.started;
  writeFileSync(inFolder("broken"), "");
  await expect(ask("/die")).rejects.toThrow();
  expectBounds(await endOf(running, undefined));
  rmSync(inFolder("broken"));
}, 90_000);

test("an application that ends at its very first start: at once, with its sentence", async () => {
  writeFileSync(inFolder("broken"), "");
  const { code, stderr } = await program.run([
    "app.cjs",
    "socket=s",
    "daemonize=false",
    "workers=2",
  ]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/Worker \d+ \(pid \d+\) ended with exit status 4 before it was ready\./);
  rmSync(inFolder("broken"));
});

test("while another worker serves nothing is given up", async () => {
  const running = program.start([
    "app.cjs",
    "socket=s",
    "daemonize=false",
    "workers=2",
    "--max-restarts=2",
  ]);
  await running.started;
  writeFileSync(inFolder("broken"), "");
  const pids = new Set<unknown>();
  while (pids.size < 2) pids.add(await ask("/"));
  await expect(ask("/die")).rejects.toThrow();
  while ((running.stderr().match(/before it was ready/g) ?? []).length < 3) await pause(20);
  expect(pids).toContain(await ask("/"));
  rmSync(inFolder("broken"));
  pids.delete(await ask("/"));
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
}, 40_000);
