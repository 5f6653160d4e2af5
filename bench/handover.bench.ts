/**
 * What it costs to give a kept connection from one worker to another: time until the taker has said so, and CPU of all who
 * have a part in it.
 * This process is the primary; idle FastCGI connections go to and fro between two workers of dist/, 32 at a time or one
 * alone. Processes pass descriptors by node's IPC, threads by number.
 */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findDuplication } from "../src/engine/select.ts";
import { normalizeOptions } from "../src/serve/options.ts";
import { holdListener } from "../src/server/held-listener.ts";
import { Pool } from "../src/workers/pool.ts";
import type { Worker } from "../src/workers/worker.ts";
import { processLauncher, WORKER_FD } from "../src/workers/worker-process.ts";
import { threadLauncher } from "../src/workers/worker-thread.ts";

const isBlink = process.env["POSTERN_BENCH_BLINK"] === "1";
/** Even: all are back where they were. */
const ROUNDS = isBlink ? 2 : process.argv.includes("--full") ? 200 : 50;
/** Longest wait for a round, in milliseconds. */
const LONGEST_MS = 30_000;
/** Connections that pass at once: as many as a worker has under way. */
const BATCH = 32;
/** Of /proc/PID/stat, in milliseconds. */
const TICK_MS = 10;
const root = resolve(import.meta.dirname, "..");

/** CPU time that processes have used, in milliseconds. */
function cpuMs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of new Set(pids)) {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]!.split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * TICK_MS;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

/** Waits until so many have passed; `pauseMs` 0: at every turn of the loop, which is exact and costs CPU of its own. */
async function passed(pool: Pool, count: number, pauseMs = 0): Promise<void> {
  const untilMs = performance.now() + LONGEST_MS;
  while (pool.handover.passedCount < count) {
    if (performance.now() > untilMs) throw new Error("connections do not pass");
    await new Promise((done) => (pauseMs > 0 ? setTimeout(done, pauseMs) : setImmediate(done)));
  }
}

/** Has all connections with one worker, wherever they were accepted. */
async function gather(pool: Pool, from: Worker, to: Worker): Promise<void> {
  for (let quiet = 0; quiet < 5; quiet++) {
    const before = pool.handover.passedCount;
    pool.yield(from, BATCH, to);
    await new Promise((done) => setTimeout(done, 200));
    if (pool.handover.passedCount > before) quiet = 0;
  }
}

/** Has all of them go to and fro; returns microseconds of each round for each connection. */
async function rounds(
  pool: Pool,
  pair: readonly [Worker, Worker],
  pauseMs: number,
): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [from, to] = round % 2 === 0 ? pair : [pair[1], pair[0]];
    const count = pool.handover.passedCount + BATCH;
    const startMs = performance.now();
    pool.yield(from, BATCH, to);
    await passed(pool, count, pauseMs);
    times.push(((performance.now() - startMs) * 1e3) / BATCH);
  }
  return times;
}

async function measure(folder: string, isThreaded: boolean, transport: string): Promise<void> {
  const socket = join(folder, `${transport}-${isThreaded}`);
  const words = [join(folder, "app.cjs"), "--socket", socket];
  const held = await holdListener(normalizeOptions({ socket }, {}), {});
  const plan = {
    module: join(root, "dist/worker.cjs"),
    env: { ...process.env, POSTERN_TRANSPORT: transport },
    output: (stream: NodeJS.ReadableStream) => void stream.pipe(process.stderr, { end: false }),
  };
  const launch = isThreaded ? threadLauncher(plan) : processLauncher({ ...plan, fd: held.fd });
  const fd = isThreaded ? held.fd : WORKER_FD;
  const pool = new Pool(
    {
      size: 2,
      launch,
      begin: (id, generation) => ({
        kind: "begin",
        words,
        folder,
        fd,
        address: held.text,
        id,
        generation,
      }),
      readyMs: 20_000,
      leaveMs: 5_000,
    },
    { say: console.error, ready: () => held.place(), gaveUp: console.error },
  );
  await pool.start();
  const [a, b] = pool.serving as [Worker, Worker];
  const sockets: Socket[] = [];
  for (let i = 0; i < BATCH; i++) {
    const one = connect(socket);
    await once(one, "connect");
    sockets.push(one);
  }
  await gather(pool, b, a);
  const batch = await rounds(pool, [a, b], 0);
  const pids = [process.pid, a.channel.pid, b.channel.pid];
  const beforeMs = cpuMs(pids);
  await rounds(pool, [a, b], 5);
  const cpuUs = ((cpuMs(pids) - beforeMs) * 1e3) / (ROUNDS * BATCH);
  const alone: number[] = [];
  for (let round = 0; round < Math.min(ROUNDS, BATCH); round++) {
    const count = pool.handover.passedCount + 1;
    const startMs = performance.now();
    pool.yield(a, 1, b);
    await passed(pool, count);
    alone.push((performance.now() - startMs) * 1e3);
  }
  const way = `${isThreaded ? "threads" : "processes"}, transport ${transport}`;
  console.log(
    `| ${way} | ${median(alone).toFixed(0)} | ${median(batch).toFixed(0)} | ${cpuUs.toFixed(0)} |`,
  );
  for (const one of sockets) one.destroy();
  await pool.stop();
  held.close();
}

const folder = mkdtempSync(join(tmpdir(), "postern-bench-"));
writeFileSync(join(folder, "app.cjs"), 'module.exports = (_req, res) => res.end("hello");');
console.log(`handover of a kept connection; ${cpus()[0]?.model ?? ""}, Node ${process.version}\n`);
console.log(`| between | one alone, µs | ${BATCH} at once, µs each | CPU µs each, of all |`);
console.log("|---|---|---|---|");
const canThread = findDuplication().duplicate !== undefined;
for (const transport of canThread ? ["native", "node"] : ["node"]) {
  for (const isThreaded of canThread ? [false, true] : [false]) {
    await measure(folder, isThreaded, transport);
  }
}
rmSync(folder, { recursive: true });
