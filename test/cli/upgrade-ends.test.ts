/**
 * Upgrades that are asked for too often, and primaries that end in the middle of one: somebody serves, always.
 *
 * SIGUSR2 in bursts, and kill -9 of either side.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/behaviour.ts";
import { command, statusOf } from "./primaries.ts";
import { Load, makeScene, RUNNING, type Scene, successorOf } from "./upgrade-scene.ts";

const PAUSE = new Int32Array(new SharedArrayBuffer(4));

describe.each(RUNNING)("%s", (configuration) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await makeScene(configuration);
  });
  afterEach(() => scene.end());
  afterAll(() => scene.program.clear());

  test("25 signals in a burst, and one more, are survived, and the last is heard (B-92)", async () => {
    const running = await scene.begin();
    const load = new Load(scene.at("s"));
    const first = running.child.pid!;
    process.kill(first, "SIGUSR2");
    // Signals that come before a process runs again are one to it, so the others wait until the first was heard.
    await until(() => successorOf(first) !== undefined, 30_000);
    // 24 ms in all, without our loop between: the first upgrade takes longer, and who gets a signal is still there.
    for (let signal = 1; signal < 25; signal++) {
      process.kill(first, "SIGUSR2");
      Atomics.wait(PAUSE, 0, 0, 1);
    }
    await until(async () => (await statusOf(scene.control)).upgrades >= 1, 30_000);
    const settled = async (): Promise<boolean> => {
      const { state, upgrades } = await statusOf(scene.control);
      return state === "serving" && upgrades === 2;
    };
    // One for the first of them, and one for all that came while that was under way.
    await until(settled, 30_000);
    process.kill((await statusOf(scene.control)).pid, "SIGUSR2");
    await until(async () => (await statusOf(scene.control)).upgrades === 3, 30_000);
    await load.stop();
    expect(load.failures).toEqual([]);
  }, 60_000);

  test("kill -9 of the new primary before it is ready leaves the old one, and the other way round", async () => {
    const running = await scene.begin();
    const load = new Load(scene.at("s"));
    scene.put("const end = Date.now() + 1_000; while (Date.now() < end);");
    const first = running.child.pid!;
    const upgrade = command(scene.control, { verb: "upgrade" }).catch(String);
    await until(() => successorOf(first) !== undefined, 10_000);
    process.kill(successorOf(first)!, "SIGKILL");
    expect(await upgrade).toContain("ended with SIGKILL");
    expect(await scene.parent()).toBe(first);
    expect(load.failures).toEqual([]);
    command(scene.control, { verb: "upgrade" }).catch(() => undefined);
    await until(() => successorOf(first) !== undefined, 10_000);
    const next = successorOf(first)!;
    process.kill(first, "SIGKILL");
    await until(
      async () => (await statusOf(scene.control).catch(() => undefined))?.pid === next,
      20_000,
    );
    await until(async () => (await scene.parent()) === next, 20_000);
    await load.stop();
    // A worker without a primary has nobody to give to what it has just accepted: a loop may meet one, and then the other.
    expect(load.failures.length).toBeLessThanOrEqual(3 * 2);
  }, 60_000);
});
