/**
 * `--slow-log`: what the operator finds of a request that blocks the event loop, that waits, or that is given up.
 *
 * Every test drives the real command; the blocked loop is a real one.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import { makeProgram, type Program, type Running } from "./program.ts";

const APP = `
const inspector = require("node:inspector");
const { execFileSync } = require("node:child_process");
function spin(ms) {
  const end = Date.now() + ms;
  while (Date.now() < end);
}
module.exports = async (req, res) => {
  if (req.url.startsWith("/busy")) spin(1600);
  if (req.url === "/late") await new Promise((done) => setImmediate(done)), spin(1600);
  if (req.url === "/wait") await new Promise((done) => setTimeout(done, 900));
  if (req.url === "/native") execFileSync("sleep", ["1.8"]);
  if (req.url.startsWith("/never")) return;
  if (req.url.startsWith("/throw")) throw new Error("one\\ntwo");
  res.end(String(inspector.url()));
};
`;
const SLOW_MS = 400;

/** The plainest and the fastest: what happens here happens above both. */
const configurations = CONFIGURATIONS.filter(({ create }) => create !== undefined)
  .map(({ name }) => name)
  .filter((_, i, all) => i === 0 || i === all.length - 1);

describe.each(configurations)("%s", (configuration) => {
  let program: Program;
  let running: Running;
  let log: string;
  const read = (): string => (existsSync(log) ? readFileSync(log, "utf8") : "");
  const ask = async (url: string): Promise<string> => {
    const address = { socket: join(program.folder, "s") };
    return (await request({ protocol: "fastcgi", address, url })).text();
  };

  beforeAll(async () => {
    program = await makeProgram(configuration);
    log = join(program.folder, "slow.log");
    writeFileSync(join(program.folder, "app.cjs"), APP);
    const words = ["app.cjs", "--socket", "s", "--slow-log", "slow.log"];
    running = program.start([
      ...words,
      "--timeouts.slow",
      String(SLOW_MS),
      "--timeouts.request",
      "2200",
    ]);
    await running.started;
  });
  afterAll(() => program.clear());

  test("a busy loop is written with file and line within a second of the threshold", async () => {
    const beganMs = Date.now();
    const answer = ask("/busy?secret=1");
    await until(() => read().includes("/busy"));
    const [head, ...frames] = read().trimEnd().split("\n");
    expect(Date.now() - beganMs).toBeLessThan(1_600);
    const found =
      /^\[(\S+)\] slow: GET \/busy\?secret=1 for (\d+) ms \[[\w-]+\] \(pid \d+\): the event loop is blocked$/.exec(
        head!,
      );
    expect(found, head).not.toBeNull();
    expect(Date.parse(found![1]!) - beganMs).toBeLessThan(SLOW_MS + 1_000);
    expect(Number(found![2])).toBeLessThan(SLOW_MS + 1_000);
    expect(frames[0]).toMatch(/^ {4}at spin \(.*\/app\.cjs:6:\d+\)$/);
    expect(frames[1]).toMatch(/^ {4}at module\.exports \(.*\/app\.cjs:9:\d+\)$/);
    // Nobody can attach to the process because of it, and the request ends as ever.
    expect(await answer).toBe("undefined");
    expect(read().split("/busy")).toHaveLength(2);
    expect(statSync(log).mode & 0o777).toBe(0o640);
  });

  test("a loop that is blocked later, in a continuation, is found as well", async () => {
    const answer = ask("/late");
    await until(() => read().includes("/late"));
    expect(read().slice(read().indexOf("/late"))).toMatch(/blocked\n {4}at spin \(.*app\.cjs:6:/);
    await answer;
  });

  test("a request that waits is written while it runs, without a stack, and once", async () => {
    const answer = ask("/wait");
    await until(() => read().includes("/wait"));
    expect(read()).toMatch(
      /slow: GET \/wait for \d+ ms \[.*\] .*: waiting; the event loop is free\n/,
    );
    await answer;
    await ask("/");
    expect(read().split("/wait")).toHaveLength(2);
  });

  test("a loop that stands still outside of JavaScript is told, without a stack", async () => {
    const answer = ask("/native");
    await until(() => read().includes("outside of JavaScript"));
    await answer;
    await until(() => read().includes("/native"));
    expect(read()).toMatch(
      /GET \/native for 1\d{3} ms .*: over; the event loop was free or is again\n/,
    );
  });

  test("a request that is given up is a 503, and a line with method, path, time and id", async () => {
    const address = { socket: join(program.folder, "s") };
    const response = await request({
      protocol: "fastcgi",
      address,
      url: "/never?secret",
      headers: { "x-request-id": "r-1" },
    });
    expect(response.status).toBe(503);
    await until(() => running.stderr().includes("gave up"));
    expect(running.stderr()).toMatch(
      /^postern: gave up GET \/never \[r-1\] after \d+ ms: OverdueError: Request not answered within timeouts\.request\./m,
    );
    // "Never" is "for long" in the slow log, which had it before.
    expect(read()).toContain("slow: GET /never?secret for");
  });

  test("what a handler throws is one line, with the request's id", async () => {
    const address = { socket: join(program.folder, "s") };
    const headers = { "x-request-id": "r-2" };
    const response = await request({ protocol: "fastcgi", address, url: "/throw?q", headers });
    expect(response.status).toBe(500);
    await until(() => running.stderr().includes("/throw"));
    expect(running.stderr()).toContain("postern: error in GET /throw [r-2]: Error: one\\x0Atwo\n");
  });
});
