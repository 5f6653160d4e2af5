/**
 * The control socket and `postern status|top|workers|reload|scale|stop`, driven as an operator drives them.
 *
 * Every test starts the real command. Garbage is sent by plain sockets.
 */
import { existsSync, lstatSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import { endPrimary, statusOf } from "./primaries.ts";
import { makeProgram, type Program, type Running } from "./program.ts";

const APP = `
require("./version.cjs");
module.exports = (req, res) => {
  const end = Date.now() + (req.url === "/block" ? 5_000 : 0);
  while (Date.now() < end);
  res.end(String(process.pid));
};
`;

let program: Program;
let control: string;
const put = (code: string): void => writeFileSync(join(program.folder, "version.cjs"), code);
const at = (name: string): string => join(program.folder, name);
const begin = async (...more: string[]): Promise<Running> => {
  put("");
  const running = program.start(["app.cjs", "--socket", "s", ...more]);
  await running.started;
  return running;
};
const ask = async (url = "/"): Promise<string> =>
  (await request({ protocol: "fastcgi", address: { socket: at("s") }, url })).text();

beforeAll(async () => {
  program = await makeProgram();
  control = at("s.control");
  writeFileSync(at("app.cjs"), APP);
});
afterEach(() => endPrimary(program));
afterAll(() => program.clear());

test("the socket lies beside the other one, for its owner alone, and is gone at the end", async () => {
  const running = await begin("--workers", "2");
  const stats = lstatSync(control);
  expect(stats.isSocket()).toBe(true);
  expect(stats.mode & 0o777).toBe(0o600);
  const stopped = await program.run(["stop", "--socket", "s"]);
  expect(stopped).toMatchObject({ code: 0, stdout: `Process ${running.child.pid} has ended.\n` });
  expect((await running.ended).code).toBe(0);
  expect(existsSync(control)).toBe(false);
});

test("status is a table for people and JSON for machines", async () => {
  const running = await begin("--workers", "2");
  const { code, stdout } = await program.run(["status", "--socket", "s"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^postern \S+ on node v\S+, pid \d+: serving for \d s\n/);
  expect(stdout).toContain(
    `fastcgi on unix:${at("s")}, prefork, 2 of 2 workers ready, generation 1`,
  );
  expect(stdout).toMatch(/^ID +PID +GEN +STATE +UP.*\n 1 +\d+ +1 +ready/m);
  const machine = await program.run(["status", "socket=s", "--json"]);
  const status = JSON.parse(machine.stdout) as { pid: number; workers: { pid: number }[] };
  expect(status.pid).toBe(running.child.pid);
  const workers = await program.run(["workers", "--control", "s.control", "--json"]);
  const rows = JSON.parse(workers.stdout) as { pid: number }[];
  expect(rows.map(({ pid }) => pid)).toEqual(status.workers.map(({ pid }) => pid));
  expect(rows.map(({ pid }) => String(pid))).toContain(await ask());
});

test("status answers within 100 ms while a worker is blocked for 5 s", async () => {
  await begin("--workers", "1", "--method", "prefork");
  const blocked = ask("/block");
  await ask("/").catch(() => undefined);
  void blocked.catch(() => undefined);
  const took: number[] = [];
  // The machine may be busy with other tests: the best of ten tells what the primary does.
  for (let round = 0; round < 10; round++) {
    const startMs = performance.now();
    expect((await statusOf(control)).workers).toHaveLength(1);
    took.push(performance.now() - startMs);
  }
  expect(Math.min(...took)).toBeLessThan(100);
  expect(await Promise.race([blocked.then(() => "done"), "blocked"])).toBe("blocked");
});

test("top shows plain frames where there is no terminal, and as many as asked", async () => {
  await begin("--workers", "2");
  const { code, stdout } = await program.run(["top", "--count", "2", "--socket", "s"]);
  expect(code).toBe(0);
  expect(stdout).not.toContain("\u001b");
  expect(stdout.match(/^postern /gm)).toHaveLength(2);
  expect(stdout.match(/^ID +PID/gm)).toHaveLength(2);
});

test("reload tells of success, and of new code that cannot begin", async () => {
  await begin("--workers", "2");
  const good = await program.run(["reload", "--socket", "s"]);
  expect(good).toMatchObject({ code: 0, stdout: "The new workers serve, generation 2.\n" });
  put("throw new Error('broken release');");
  const bad = await program.run(["reload", "--socket", "s"]);
  expect(bad.code).toBe(1);
  expect(bad.stderr).toContain("failed while loading");
  expect(bad.stderr).toContain("broken release");
  expect(bad.stdout).toBe("");
  expect((await statusOf(control)).generation).toBe(2);
  expect(await ask()).toMatch(/^\d+$/);
});

test("scale waits until as many workers serve", async () => {
  await begin("--workers", "2");
  const up = await program.run(["scale", "4", "--socket", "s"]);
  expect(up.stdout).toBe("4 workers serve; before, there were 2.\n");
  const ready = async (): Promise<number> =>
    (await statusOf(control)).workers.filter(({ state }) => state === "ready").length;
  expect(await ready()).toBe(4);
  await program.run(["scale", "1", "--socket", "s"]);
  expect(await ready()).toBe(1);
  expect(await ask()).toMatch(/^\d+$/);
});

test("a client that sends garbage, too much or nothing harms nobody", async () => {
  await begin("--workers", "1", "--method", "prefork");
  const say = (text: string): Promise<string> =>
    new Promise((done) => {
      let heard = "";
      const socket = connect(control, () => socket.write(text));
      socket.on("data", (part) => (heard += String(part)));
      socket.on("error", () => undefined);
      socket.on("close", () => done(heard));
    });
  expect(await say("GET / HTTP/1.1\r\n\r\n")).toContain("A request is one line of JSON");
  expect(await say('{"verb":"dance"}\n')).toContain("verb is one of status, workers");
  expect(await say('{"verb":"scale","count":1e99}\n')).toContain("whole number from 1 to 1024");
  expect(await say('{"verb":"scale","count":"4"}\n')).toContain("whole number from 1 to 1024");
  expect(await say("x".repeat(1_000_000))).toContain("at most 4096 bytes");
  expect(await say("\u0000\u00ff\n".repeat(10_000))).toContain("one line of JSON");
  const silent = Array.from({ length: 40 }, () => connect(control).on("error", () => undefined));
  await until(() => silent.some(({ destroyed }) => destroyed));
  for (const socket of silent) socket.destroy();
  await until(async () => (await statusOf(control).catch(() => undefined)) !== undefined);
  expect(await ask()).toMatch(/^\d+$/);
});

test("a client that asks twice on one connection is answered twice, in order", async () => {
  await begin("--workers", "1", "--method", "prefork");
  const lines = await new Promise<string[]>((done) => {
    let heard = "";
    const socket = connect(control, () => socket.write('{"verb":"workers"}\n{"verb":"status"}\n'));
    socket.on("data", (part) => {
      heard += String(part);
      const complete = heard.split("\n").slice(0, -1);
      if (complete.length === 2) socket.destroy();
      if (complete.length === 2) done(complete);
    });
  });
  expect(lines[0]).toMatch(/^\{"ok":true,"result":\{"workers":/);
  expect(lines[1]).toMatch(/^\{"ok":true,"result":\{"version":/);
});

test("control=none makes none, and another path is taken as it is", async () => {
  const first = await begin("--workers", "1", "--method", "prefork", "--control", "none");
  expect(existsSync(control)).toBe(false);
  first.child.kill("SIGTERM");
  await first.ended;
  await begin("--workers", "1", "--method", "prefork", "control=c");
  expect((await program.run(["status", "--control", "c"])).code).toBe(0);
  await endPrimary(program, "c");
  expect(existsSync(at("c"))).toBe(false);
});

test("a control socket that cannot be had is a mistake where it was asked for, else a remark", async () => {
  writeFileSync(at("file"), "");
  const asked = await program.run([
    "app.cjs",
    "--socket",
    "s",
    "--workers",
    "2",
    "--control",
    "file",
  ]);
  expect(asked.code).toBe(2);
  expect(asked.stderr).toMatch(
    /The control socket cannot be made\. It is ".*file", where a file stands/,
  );
  writeFileSync(control, "");
  const running = await begin("--workers", "1", "--method", "prefork");
  expect(running.stderr()).toContain("It goes on without one");
  running.child.kill("SIGTERM");
  await running.ended;
  // A file of somebody else's stays.
  expect(existsSync(control)).toBe(true);
  rmSync(control);
});

test("one process alone has a control socket where it is asked for", async () => {
  await begin("--control", "s.control");
  const { stdout } = await program.run(["status", "--socket", "s"]);
  expect(stdout).toContain("single, 1 of 1 worker ready");
  const reload = await program.run(["reload", "--socket", "s"]);
  expect(reload.code).toBe(1);
  expect(reload.stderr).toContain("needs workers");
  const stopped = await program.run(["stop", "--socket", "s"]);
  expect(stopped.code).toBe(0);
  expect(existsSync(at("s"))).toBe(false);
  expect(existsSync(control)).toBe(false);
});

test("an application named like a verb is written ./status", async () => {
  writeFileSync(at("status.cjs"), APP);
  put("");
  const running = program.start(["./status", "--socket", "s", "--workers", "2"]);
  await running.started;
  expect(await ask()).toMatch(/^\d+$/);
});

test.each([
  [["status"], 2, "Which postern? Write its --socket or --pidfile"],
  [["status", "--socket", "absent"], 3, "there is no such socket"],
  [["status", "--control", "app.cjs"], 3, "No postern answers on"],
  [["status", "--sokcet", "s"], 2, "Unknown option --sokcet; did you mean --socket?"],
  [["status", "app.cjs"], 2, "an application of that name is written ./status"],
  [["scale", "--socket", "s"], 2, "postern scale takes one number of workers"],
  [["scale", "0", "--socket", "s"], 2, "a whole number from 1 to 1024"],
  [["top", "--count", "x", "--socket", "s"], 2, "--count is"],
  [["stop", "--socket"], 2, "--socket has no value"],
] as const)("%j ends with status %i and says why", async (words, status, sentence) => {
  const { code, stderr, stdout } = await program.run(words);
  expect(code).toBe(status);
  expect(stderr).toContain(sentence);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stdout).toBe("");
});

test("its help names every verb and the exit statuses", async () => {
  const { code, stdout } = await program.run(["status", "--help"]);
  expect(code).toBe(0);
  for (const verb of [
    "status",
    "top",
    "workers",
    "reload",
    "upgrade",
    "scale N",
    "reopen",
    "stop",
  ]) {
    expect(stdout).toContain(`  ${verb} `);
  }
  expect(stdout).toContain("3: nobody answers");
});
