/**
 * The bench of handovers, run for a blink: connections pass, it ends well and prints its table.
 * Its numbers mean nothing here.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

test("the handover bench prints a line for each kind of workers that can run", () => {
  const program = [process.execPath, ["scripts/bench.mjs", "handover"]] as const;
  const env = { ...process.env, POSTERN_BENCH_BLINK: "1" };
  const { status, stdout } = spawnSync(...program, { cwd: root, encoding: "utf8", env });
  expect(status).toBe(0);
  const lines = stdout.split("\n").filter((line) => /transport/.test(line));
  expect([1, 4]).toContain(lines.length);
  for (const line of lines) expect(line).toMatch(/(\| \d+ ){3}\|$/);
}, 90_000);
