/**
 * Eight kept connections, two workers, and the busy connections all at one of them: with the scheduler the busiest worker
 * carries at most 60 % after a moment, without it nearly everything for ever. With POSTERN_TEST_FULL=1 it prints both.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pause, until } from "../support/behaviour.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import { KEPT_APP, KeptPeer } from "../support/kept-peer.ts";
import { Random } from "../support/random.ts";
import { makeProgram, type Program } from "./program.ts";

const isFull = process.env["POSTERN_TEST_FULL"] === "1";
const PEERS = 8;
/** Pause between two requests of a busy and of a quiet connection, in milliseconds. */
const BUSY_PAUSE_MS = 5;
const QUIET_PAUSE_MS = 150;
/** How long answers are counted for one figure, in milliseconds. */
const WINDOW_MS = isFull ? 5_000 : 1_500;
const SHARE_MAX = 0.6;
const LONG_MS = 20_000;

/** Connections that ask until they are stopped. */
interface Load {
  /** Part of the answers of the next while that came from the busiest worker. */
  share(): Promise<number>;
  stop(): Promise<void>;
}

/** All connections at once; those that the first worker of the lot accepted are the busy ones. */
async function startLoad(path: string): Promise<Load> {
  const peers = await Promise.all(
    Array.from({ length: PEERS }, (_, seed) =>
      KeptPeer.connect("fastcgi", { path }, new Random(seed)),
    ),
  );
  const first = await Promise.all(peers.map((peer) => peer.ask()));
  const of = (worker: string): number => first.filter((answer) => answer.worker === worker).length;
  const most = first.map(({ worker }) => worker).sort((one, other) => of(other) - of(one))[0];
  let isOver = false;
  let counts = new Map<string, number>();
  let busyCount = 0;
  const loops = peers.map(async (peer, index) => {
    const isBusy = first[index]!.worker === most && ++busyCount <= PEERS / 2;
    while (!isOver) {
      const { worker } = await peer.ask();
      counts.set(worker, (counts.get(worker) ?? 0) + 1);
      await pause(isBusy ? BUSY_PAUSE_MS : QUIET_PAUSE_MS);
    }
    peer.close();
  });
  const broken = Promise.all(loops);
  return {
    async share(): Promise<number> {
      counts = new Map();
      await Promise.race([pause(WINDOW_MS), broken]);
      const values = [...counts.values()];
      return Math.max(...values) / values.reduce((sum, count) => sum + count, 0);
    },
    async stop(): Promise<void> {
      isOver = true;
      await broken;
    },
  };
}

const configurations = CONFIGURATIONS.filter(({ create }) => create !== undefined);

describe.each(configurations.map(({ name }) => name))("%s", (configuration) => {
  let program: Program;
  beforeAll(async () => {
    program = await makeProgram(configuration);
    writeFileSync(join(program.folder, "app.cjs"), KEPT_APP);
  });
  afterAll(() => program.clear());

  const startWith = async (balance: boolean) => {
    const running = program.start(
      ["app.cjs", "--socket", "s", "--workers", "2", `--balance=${balance}`],
      { longestMs: 120_000 },
    );
    await running.started;
    const load = await startLoad(join(program.folder, "s"));
    return { running, load };
  };

  test("the busiest of two workers carries at most 60 % of eight uneven connections, and no request is lost", async () => {
    const without = await startWith(false);
    const shareWithout = await without.load.share();
    await without.load.stop();
    without.running.child.kill("SIGTERM");
    await without.running.ended;
    expect(shareWithout).toBeGreaterThan(SHARE_MAX);

    const { running, load } = await startWith(true);
    let share = 1;
    await until(async () => {
      share = await load.share();
      return share <= SHARE_MAX;
    }, LONG_MS);
    await load.stop();
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;
    if (isFull) {
      process.stdout.write(
        `busiest of two workers, ${configuration}: without the scheduler ${percent(shareWithout)}, with it ${percent(share)}\n`,
      );
    }
  }, 60_000);
});
