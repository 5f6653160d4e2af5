/**
 * The head bench, run for a blink: it checks what it reads, ends well and prints its table.
 * Its numbers mean nothing here.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

test("the head bench checks its heads and prints a line for each protocol and request", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/bench.mjs", "head"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, POSTERN_BENCH_BLINK: "1" },
  });
  expect(stderr).not.toMatch(/Error/);
  expect(status).toBe(0);
  const lines = stdout.split("\n").filter((line) => /^\| (fastcgi|scgi|ajp) /.test(line));
  expect(lines).toHaveLength(6);
  for (const line of lines) expect(line).toMatch(/\| +[1-9]\d* \| +[1-9]\d* \|/);
}, 60_000);
