/**
 * postern started by spawn-fcgi: several processes on one listening socket, which is their descriptor 0 (heritage S4, S5b).
 *
 * spawn-fcgi ends at once and watches nobody, so its children are init's: they stay at a touch, and nobody replaces one that
 * was stopped. They are found by the pid file that it writes, and ended by their ids.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { isAlive } from "../cli/primaries.ts";
import { findProgram } from "../support/front/child.ts";
import { serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import {
  CONFIGURATIONS,
  configurationObstacle,
  fileName,
  gatewayEnvironment,
} from "../support/front/gateway.ts";
import { Room, until } from "../support/front/ports.ts";
import { startScript } from "../support/front/spawned.ts";

const PROCESSES = 3;
const CLIENTS = 6;
const SLOW_MS = 800;
/** A process on descriptor 0 is gone by then; a busy machine may take as long again. */
const GONE_MS = 12_000;
const APP = `
export default (req, res) => {
  let bytes = 0;
  req.on("data", (chunk) => (bytes += chunk.length));
  const say = () => res.end(JSON.stringify({ pid: process.pid, ppid: process.ppid, bytes }));
  req.on("end", () => {
    if (req.url !== "/slow") return say();
    res.write(" ");
    setTimeout(say, ${SLOW_MS});
  });
};
`;

/** What the application tells. */
interface Told {
  readonly pid: number;
  readonly ppid: number;
  readonly bytes: number;
}

const obstacle = serverObstacle("spawn-fcgi");
const room = new Room("spawn-fcgi");
const state = room.folder("state", true);
const started: number[] = [];

afterAll(() => {
  for (const pid of started.filter(isAlive)) process.kill(pid, "SIGKILL");
  room.remove();
});

/** spawn-fcgi is a starter and no web server: a machine without it is whole, under CI=true as well. */
function unlessAbsent(context: TestContext, configuration: (typeof CONFIGURATIONS)[number]): void {
  if (obstacle !== undefined) context.skip(obstacle);
  unlessObstacle(context, configurationObstacle(configuration));
}

describe.each(CONFIGURATIONS)("spawn-fcgi · %s", (configuration) => {
  const socket = room.file(`${fileName(configuration)}.sock`);

  /** Resolves when the head of the answer is there, with what resolves to the rest. */
  async function begin(url: string, bytes: number): Promise<() => Promise<Told>> {
    const upload = bytes > 0 ? { method: "POST", body: Buffer.alloc(bytes, "x") } : {};
    const answer = await request({ protocol: "fastcgi", address: { socket }, url, ...upload });
    return async () => JSON.parse(await answer.text()) as Told;
  }

  async function ask(url: string, bytes: number): Promise<Told> {
    return await (await begin(url, bytes))();
  }

  /** Has spawn-fcgi start the processes; returns their ids. */
  async function spawnAll(folder: string): Promise<number[]> {
    writeFileSync(join(folder, "app.mjs"), APP);
    const environment = gatewayEnvironment(configuration, state);
    const script = startScript(room, "my.fcgi", environment, folder);
    const own = `'${join(folder, "app.mjs")}'`;
    const text = readFileSync(script, "utf8").replace(/'[^']*conformance\/app\.mjs'/, own);
    writeFileSync(script, text);
    const pidFile = join(folder, "pids");
    const words = ["-s", socket, "-F", String(PROCESSES), "-P", pidFile, "--", script];
    await promisify(execFile)(findProgram("spawn-fcgi")!, words);
    const pids = readFileSync(pidFile, "utf8").match(/\d+/g)!.map(Number);
    started.push(...pids);
    return pids;
  }

  test(`${PROCESSES} processes share the socket, stay at a touch, and one that is stopped loses no request`, {
    timeout: 120_000,
  }, async (context) => {
    unlessAbsent(context, configuration);
    const folder = room.folder(`site-${fileName(configuration)}`);
    const pids = await spawnAll(folder);
    expect(new Set(pids).size).toBe(PROCESSES);

    const answers = new Map<number, number>();
    let isOver = false;
    const client = async (seed: number): Promise<void> => {
      for (let count = seed; !isOver; count++) {
        const bytes = count % 3 === 0 ? 20_000 : 0;
        const told = await ask("/", bytes);
        expect(told.bytes).toBe(bytes);
        answers.set(told.pid, (answers.get(told.pid) ?? 0) + 1);
      }
    };
    const load = Promise.all(Array.from({ length: CLIENTS }, (_, seed) => client(seed)));
    load.catch(() => undefined);
    const during = <T>(work: Promise<T>): Promise<unknown> => Promise.race([work, load]);
    await during(until("all processes answer", () => answers.size === PROCESSES, 60_000));
    expect([...answers.keys()].sort()).toEqual([...pids].sort());

    if ((await ask("/", 0)).ppid === 1) {
      utimesSync(join(folder, "app.mjs"), new Date(), new Date());
      // Longer than between two looks at the file.
      const before = Date.now() + 1_500;
      await during(until("a look at the file", () => Date.now() > before));
      expect(pids.every(isAlive)).toBe(true);
    }

    const [first, ...others] = pids;
    process.kill(first!, "SIGTERM");
    await during(until("the stopped one leaves", () => !isAlive(first!), GONE_MS));
    answers.clear();
    await during(until("the others answer", () => answers.size === PROCESSES - 1, 60_000));
    isOver = true;
    await load;
    expect([...answers.keys()].sort()).toEqual([...others].sort());
  });

  test("SIGTERM finishes what runs, however often it comes, and then all are gone", {
    timeout: 60_000,
  }, async (context) => {
    unlessAbsent(context, configuration);
    const pids = started.filter(isAlive);
    const finish = await begin("/slow", 5_000);
    for (const pid of pids) process.kill(pid, "SIGTERM");
    for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGTERM");
    const { pid, bytes } = await finish();
    expect({ bytes, isOurs: pids.includes(pid) }).toEqual({ bytes: 5_000, isOurs: true });
    await until("all leave", () => !pids.some(isAlive), GONE_MS);
    // The socket file is spawn-fcgi's, not ours to remove.
    expect(existsSync(socket)).toBe(true);
  });
});
