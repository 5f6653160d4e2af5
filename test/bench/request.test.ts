/**
 * The request bench, run for a blink: it checks its answers, ends well and prints its table.
 * Its numbers mean nothing here.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

test("the request bench prints a line for each handler", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/bench.mjs", "request"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, POSTERN_BENCH_BLINK: "1" },
  });
  expect(stderr).not.toMatch(/Error/);
  expect(status).toBe(0);
  const lines = stdout.split("\n").filter((line) => /^\| .* \| +\d+\.\d\d \|/.test(line));
  expect(lines).toHaveLength(10);
}, 60_000);
