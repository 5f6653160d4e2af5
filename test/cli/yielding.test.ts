/**
 * The pool's words on connections, over real workers: some move on order, and all move when a worker leaves.
 *
 * Here the test is the primary, so that it can say what the command line has no word for. That the peers notice nothing is
 * said by the peers.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findDuplication } from "../../src/engine/select.ts";
import { normalizeOptions } from "../../src/serve/options.ts";
import { holdListener, type HeldListener } from "../../src/server/held-listener.ts";
import { Pool } from "../../src/workers/pool.ts";
import type { Worker } from "../../src/workers/worker.ts";
import { processLauncher, WORKER_FD } from "../../src/workers/worker-process.ts";
import { threadLauncher } from "../../src/workers/worker-thread.ts";
import { pause, until } from "../support/behaviour.ts";
import { type Configuration, CONFIGURATIONS, wayOf } from "../support/engines.ts";
import { KEPT_APP, KeptPeer } from "../support/kept-peer.ts";
import { Random } from "../support/random.ts";
import { makeProgram, type Program } from "./program.ts";

/** How long workers may take for what they are told, on a busy machine. */
const LONG_MS = 20_000;

/** A primary with its workers. */
interface Primary {
  readonly pool: Pool;
  readonly held: HeldListener;
  readonly path: string;
  readonly lines: string[];
}

async function startPrimary(
  program: Program,
  configuration: Configuration,
  isThreaded: boolean,
): Promise<Primary> {
  const path = join(program.folder, isThreaded ? "threads" : "processes");
  const words = [join(program.folder, "app.cjs"), "--socket", path, "--protocol", "auto"];
  const held = await holdListener(normalizeOptions({ socket: path }, {}), {});
  const { engine, transport } = wayOf(configuration);
  const plan = {
    module: join(program.folder, "worker.cjs"),
    env: { ...process.env, POSTERN_ENGINE: engine, POSTERN_TRANSPORT: transport },
    output: (stream: NodeJS.ReadableStream) => void stream.pipe(process.stderr, { end: false }),
  };
  const launch = isThreaded ? threadLauncher(plan) : processLauncher({ ...plan, fd: held.fd });
  const fd = isThreaded ? held.fd : WORKER_FD;
  const lines: string[] = [];
  const pool = new Pool(
    {
      size: 2,
      launch,
      begin: (id, generation) => ({
        kind: "begin",
        words,
        folder: program.folder,
        fd,
        address: held.text,
        id,
        generation,
      }),
      readyMs: LONG_MS,
      leaveMs: LONG_MS,
      maxRestarts: 10,
    },
    {
      say: (line) => void lines.push(line),
      ready: () => held.place(),
      gaveUp: (line) => void lines.push(line),
    },
  );
  await pool.start();
  return { pool, held, path, lines };
}

const connect = (path: string, count: number): Promise<KeptPeer[]> =>
  Promise.all(
    Array.from({ length: count }, (_, seed) =>
      KeptPeer.connect("fastcgi", { path }, new Random(seed)),
    ),
  );

/** Who serves each of them now. */
const served = async (peers: readonly KeptPeer[]): Promise<string[]> =>
  (await Promise.all(peers.map((peer) => peer.ask()))).map(({ worker }) => worker);

const kinds = CONFIGURATIONS.filter(({ create }) => create !== undefined).flatMap(({ name }) => [
  { configuration: name, method: "prefork" },
  ...(findDuplication().duplicate === undefined || name === "typescript"
    ? []
    : [{ configuration: name, method: "threaded" }]),
]);

describe.each(kinds)("$configuration, $method", ({ configuration, method }) => {
  let program: Program;
  let primary: Primary;
  beforeAll(async () => {
    program = await makeProgram(configuration);
    writeFileSync(join(program.folder, "app.cjs"), KEPT_APP);
    primary = await startPrimary(program, configuration, method === "threaded");
  });
  afterAll(async () => {
    await primary.pool.stop();
    primary.held.close();
    await program.clear();
  });

  test("a worker gives as many idle connections away as it is told, to the one that is named", async () => {
    const { pool, path } = primary;
    const peers = await connect(path, 8);
    const [from, to] = pool.serving as [Worker, Worker];
    const areAllAt = async ({ id }: Worker): Promise<boolean> =>
      (await served(peers)).every((worker) => worker.endsWith(`.${id}`));
    await until(async () => {
      pool.yield(to, peers.length, from);
      // A connection that carries a request when the order comes does not move: the next question has to wait a little.
      await pause(30);
      return areAllAt(from);
    }, LONG_MS);
    // A worker serves what it has taken before it says so.
    await until(() => pool.handover.underWay === 0, LONG_MS);
    const before = await served(peers);
    const passedBefore = pool.handover.passedCount;
    pool.yield(from, 3, to);
    await until(() => pool.handover.passedCount === passedBefore + 3, LONG_MS);
    const after = await served(peers);
    expect(after.filter((worker, index) => worker !== before[index]).length).toBe(3);
    expect(new Set(after).size).toBe(2);
    expect(pool.handover.lostCount).toBe(0);
    for (const peer of peers) peer.close();
  }, 60_000);

  test("more workers, fewer workers and one that is replaced are not seen on kept connections", async () => {
    const { pool, path, lines } = primary;
    const peers = await connect(path, 6);
    let isOver = false;
    const silent = await connect(path, 3);
    const asking = Promise.all(peers.map((peer) => peer.askUntil(() => isOver)));
    asking.catch(() => undefined);
    for (const size of [4, 1, 2]) {
      pool.resize(size);
      const isSo = (): boolean => pool.workers.size === size && pool.serving.length === size;
      await Promise.race([until(isSo, LONG_MS), asking]);
    }
    const [first, second] = pool.serving as [Worker, Worker];
    // One asks for leave itself, as one does that gets a SIGTERM of its own; of the other it is wished.
    if (method === "prefork") process.kill(first.channel.pid, "SIGTERM");
    else pool.replace(first);
    pool.replace(second);
    const isReplaced = (): boolean =>
      pool.workers.size === 2 && pool.serving.every(({ id }) => id > second.id);
    await Promise.race([until(isReplaced, LONG_MS), asking]);
    isOver = true;
    await asking;
    // Those that had said nothing before are heard now.
    await served(silent);
    for (const peer of silent) peer.close();
    expect(pool.handover.lostCount).toBe(0);
    expect(lines).toEqual([]);
  });

  test("workers that are ended with open connections leave no descriptor behind", async () => {
    const { pool, path } = primary;
    const count = (): number => readdirSync("/proc/self/fd").length;
    await until(() => pool.handover.underWay === 0 && pool.serving.length === 2, LONG_MS);
    const before = count();
    for (let round = 1; round <= 3; round++) {
      const peers = await connect(path, 6);
      await served(peers);
      const ended = pool.serving;
      for (const { channel } of ended) channel.kill();
      const isReplaced = (): boolean =>
        pool.serving.length === 2 && ended.every(({ id }) => !pool.workers.has(id));
      await until(isReplaced, LONG_MS);
      for (const peer of peers) peer.destroy();
    }
    await until(() => count() <= before, LONG_MS);
  });
});
