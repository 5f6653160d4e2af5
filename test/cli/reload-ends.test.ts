/**
 * What an operator reads of reloads: one line for each that was made, and none of workers that go on where none does.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/behaviour.ts";
import { makeProgram, type Program } from "./program.ts";

const WORDS = ["app.cjs", "--socket", "s", "--workers", "2"];
const HANDLER = "module.exports = (req, res) => res.end();";

let program: Program;
const put = (code: string): void => writeFileSync(join(program.folder, "app.cjs"), code);

beforeAll(async () => {
  program = await makeProgram();
});
afterAll(() => program.clear());

test("a burst of SIGHUP is told once for each reload that was made, not once for each signal", async () => {
  put(HANDLER);
  const running = program.start(WORDS);
  await running.started;
  const count = (text: string): number => running.stderr().split(text).length - 1;
  for (let signal = 0; signal < 20; signal++) {
    running.child.kill("SIGHUP");
    const { length } = running.stderr();
    await until(() => running.stderr().length > length);
  }
  running.child.kill("SIGHUP");
  await until(() => count("loading the application anew") === 21);
  const last = (): string => running.stderr().trimEnd().split("\n").at(-1)!;
  await until(() => last() === "postern: the new workers serve", 20_000);
  // Two, where all signals came before the first reload was done.
  expect(count("the new workers serve")).toBeLessThan(10);
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
}, 40_000);

test.each(["prefork", "threaded"])(
  "%s: a stop ends a reload that is never ready, without a word of old workers that go on",
  async (method) => {
    put(HANDLER);
    const running = program.start([...WORDS, "--method", method]);
    await running.started;
    put("module.exports = new Promise(() => setInterval(() => {}, 1e3));");
    running.child.kill("SIGHUP");
    await until(() => running.stderr().includes("loading the application anew"));
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    expect(running.stderr()).toContain("SIGTERM: finishing what runs");
    expect(running.stderr()).not.toContain("go on");
  },
);
