/**
 * `postern upgrade`: another primary takes the place of the one that runs, and nobody notices.
 *
 * What happens to kept connections is upgrade-kept.test.ts's, and that of signals and sudden ends upgrade-ends.test.ts's.
 */
import { existsSync, readdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/behaviour.ts";
import { command, isAlive, statusOf } from "./primaries.ts";
import { Load, LONGEST_MS, makeScene, RUNNING, type Scene } from "./upgrade-scene.ts";

const isFull = process.env["POSTERN_TEST_FULL"] === "1";
const UPGRADES = isFull ? 20 : 3;

describe.each(RUNNING)("%s", (configuration) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await makeScene(configuration);
  });
  afterEach(() => scene.end());
  afterAll(() => scene.program.clear());

  test(`${UPGRADES} upgrades under load: no request fails, and the end leaves nothing`, {
    timeout: LONGEST_MS,
  }, async () => {
    const running = await scene.begin();
    const load = new Load(scene.at("s"));
    const pids = [running.child.pid!];
    for (let round = 1; round <= UPGRADES; round++) {
      const before = load.served;
      const { pid } = await command(scene.control, { verb: "upgrade" });
      pids.push(pid as number);
      await until(async () => (await statusOf(scene.control)).upgrades === round, 20_000);
      await until(() => load.served > before + 20, 20_000);
    }
    await until(() => !pids.slice(0, -1).some(isAlive), 20_000);
    expect(await scene.parent()).toBe(pids.at(-1));
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(new Set(pids).size).toBe(UPGRADES + 1);
    // Nothing that a primary holds grows from one to the next.
    expect(readdirSync(`/proc/${pids.at(-1)}/fd`).length).toBeLessThan(60);
    const stopped = await scene.program.run(["stop", "--socket", "s"]);
    expect(stopped.code).toBe(0);
    expect(existsSync(scene.at("s"))).toBe(false);
    expect(existsSync(scene.control)).toBe(false);
    expect(isAlive(pids.at(-1)!)).toBe(false);
  });

  test("a new version that cannot begin leaves the old one as it was, and says why", async () => {
    const running = await scene.begin();
    const load = new Load(scene.at("s"));
    scene.put("throw new Error('broken release');");
    const { code, stderr } = await scene.program.run(["upgrade", "--socket", "s"]);
    expect(code).toBe(1);
    expect(stderr).toContain("failed while loading");
    expect(stderr).toContain("broken release");
    expect(running.stderr()).toContain("the old primary goes on, since a new one cannot begin");
    expect((await statusOf(scene.control)).pid).toBe(running.child.pid);
    expect(await scene.parent()).toBe(running.child.pid);
    scene.put("");
    const { pid } = await command(scene.control, { verb: "upgrade" });
    await until(async () => (await statusOf(scene.control)).pid === pid, 15_000);
    await load.stop();
    expect(load.failures).toEqual([]);
  });
});
