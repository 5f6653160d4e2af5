/**
 * The encode bench, run for a blink: it checks what it encodes, ends well and prints its table.
 * Its numbers mean nothing here.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

test("the encode bench checks its answers and prints a line for each protocol and response", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/bench.mjs", "encode"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, POSTERN_BENCH_BLINK: "1" },
  });
  expect(stderr).not.toMatch(/Error/);
  expect(status).toBe(0);
  const lines = stdout.split("\n").filter((line) => /^\| (fastcgi|scgi|ajp) /.test(line));
  expect(lines).toHaveLength(12);
  for (const line of lines) expect(line).toMatch(/\| +[1-9]\d* \| +[1-9]\d* \|/);
}, 60_000);
