/**
 * `npm run bench:compare`, for a blink, against the commit that is checked out; and its refusals.
 * Whether something is slower is statistics.ts' to say, which serve.test.ts checks.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { missingLoadgen } from "../support/loadgen.ts";

const root = resolve(import.meta.dirname, "../..");
const missing = missingLoadgen();
const isClone = spawnSync("git", ["rev-parse", "--git-dir"], { cwd: root }).status === 0;
const lack = missing ?? (isClone ? undefined : "not a clone");

describe.skipIf(lack !== undefined)(`bench:compare${lack ? ` (${lack})` : ""}`, () => {
  const run = (...parameters: readonly string[]) =>
    spawnSync(process.execPath, ["scripts/bench-compare.mjs", ...parameters], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, POSTERN_BENCH_BLINK: "1" },
    });

  test("builds the other commit and says for each server what has changed", () => {
    const margin = "--margin=10000";
    const { status, stdout, stderr } = run("HEAD", "--scenario", "hello", margin);
    expect(stderr).not.toMatch(/Error|wrong/);
    const rows = stdout.split("\n").filter((line) => /^\| hello /.test(line));
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row).toMatch(/\| +[+-]\d+\.\d % \| +same \|$/);
    expect(status).toBe(0);
  }, 300_000);

  test("ends with 2 and one line without a commit, or with one that is none", () => {
    for (const [words, sentence] of [
      [[], "npm run bench:compare HEAD~1"],
      [["no-such-commit"], 'git knows no commit "no-such-commit"'],
    ] as const) {
      const { status, stderr } = run(...words);
      const own = stderr.split("\n").filter((line) => line.includes(sentence));
      expect([status, own.length]).toEqual([2, 1]);
    }
  }, 60_000);
});
