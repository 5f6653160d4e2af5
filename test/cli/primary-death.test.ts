/**
 * The primary is killed: its workers finish what runs and leave, and a new start on the same path works at once.
 *
 * Reliability 3.3 and issue 5, acceptance 3. Threads die with their process; that they leave nothing behind while it lives
 * is tested in yielding.test.ts.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import { KeptPeer } from "../support/kept-peer.ts";
import { Random } from "../support/random.ts";
import { makeProgram, type Program } from "./program.ts";

const APP = `
const { threadId } = require("node:worker_threads");
require("node:fs").appendFileSync(__dirname + "/pids", process.pid + "\\n");
module.exports = (req, res) => {
  const say = () => res.end(process.pid + " " + threadId);
  if (req.url === "/slow") setTimeout(say, 700);
  else say();
};
`;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const configurations = CONFIGURATIONS.filter(({ create }) => create !== undefined);

describe.each(configurations.map(({ name }) => name))("%s", (configuration) => {
  let program: Program;
  let socket: string;
  const ask = async (url: string): Promise<string> =>
    (await request({ protocol: "fastcgi", address: { socket }, url })).text();

  beforeAll(async () => {
    program = await makeProgram(configuration);
    socket = join(program.folder, "s");
    writeFileSync(join(program.folder, "app.cjs"), APP);
  });
  afterAll(() => program.clear());

  test("after kill -9 of the primary workers answer what they have and leave, and a new start is not in their way", async () => {
    const words = ["app.cjs", "--socket", "s", "--workers", "2"];
    const first = program.start(words);
    await first.started;
    const pids = new Set<number>();
    await until(async () => {
      pids.add(Number((await ask("/")).split(" ")[0]));
      return pids.size === 2;
    });
    const slow = ask("/slow");
    await ask("/");
    first.child.kill("SIGKILL");
    // The pipes of the dead one are its workers', too: what tells of its end is the signal.
    await until(() => first.child.signalCode === "SIGKILL");
    const second = program.start(words);
    await second.started;
    expect(pids).toContain(Number((await slow).split(" ")[0]));
    await until(() => [...pids].every((pid) => !isAlive(pid)), 15_000);
    expect(pids).not.toContain(Number((await ask("/")).split(" ")[0]));
    second.child.kill("SIGTERM");
    expect((await second.ended).code).toBe(0);
  });

  test("after kill -9 in the midst of a reload nobody is left of old and new workers", async () => {
    const running = program.start(["app.cjs", "--socket", "s", "--workers", "2"]);
    await running.started;
    const peers = await Promise.all(
      Array.from({ length: 40 }, (_, seed) =>
        KeptPeer.connect("fastcgi", { path: socket }, new Random(seed)),
      ),
    );
    await ask("/");
    running.child.kill("SIGHUP");
    // From here on the old ones give their connections to the new ones.
    await until(() => running.stderr().includes("the new workers serve"), 15_000);
    running.child.kill("SIGKILL");
    const pids = readFileSync(join(program.folder, "pids"), "utf8").split("\n").map(Number);
    expect(pids.length).toBeGreaterThan(4);
    await until(() => pids.every((pid) => pid === 0 || !isAlive(pid)), 15_000);
    for (const peer of peers) peer.destroy();
  });

  test("threads serve in one process, print where the primary does, and end with it", async () => {
    const words = ["app.cjs", "--socket", "s", "--method", "threaded", "--workers", "2"];
    const running = program.start(words);
    const line = await running.started;
    const seen = new Set<string>();
    await until(async () => {
      seen.add(await ask("/"));
      return seen.size === 2;
    });
    const pids = new Set([...seen].map((text) => Number(text.split(" ")[0])));
    if (configuration === "typescript") {
      expect(line).toMatch(/2 workers \(prefork and not threaded, since the addon is not built\)/);
      expect(pids.size).toBe(2);
    } else {
      expect(line).toContain("2 workers (threaded)");
      expect([...pids]).toEqual([running.child.pid]);
    }
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
  });
});
