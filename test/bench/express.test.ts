/**
 * The bench of prototype swaps, run for a blink: it checks its answers, ends well and prints its table.
 * Its numbers mean nothing here.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

test("the express bench prints a line for each way and each kind of prototypes", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/bench.mjs", "express"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, POSTERN_BENCH_BLINK: "1" },
  });
  expect(stderr).not.toMatch(/Error/);
  expect(status).toBe(0);
  const lines = stdout.split("\n").filter((line) => /swapped/.test(line));
  expect(lines).toHaveLength(6);
  for (const line of lines) expect(line).toMatch(/\| +\d+\.\d \| +\d+\.\d\d \|/);
}, 60_000);
