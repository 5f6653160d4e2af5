/**
 * The fetch bench, run for a blink: each of its answers leaves whole, it ends well and prints its tables.
 * Its numbers mean nothing here.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

test("the fetch bench prints a line for each kind of request and of answer", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/bench.mjs", "fetch"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, POSTERN_BENCH_BLINK: "1" },
  });
  expect(stderr).not.toMatch(/Error/);
  expect(status).toBe(0);
  const lines = stdout.split("\n").filter((line) => /^\| .* \| +[1-9]/.test(line));
  expect(lines).toHaveLength(15);
}, 60_000);
