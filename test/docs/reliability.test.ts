/**
 * docs/reliability.md: every id of the list has a test and a row, and a page that is stale is found.
 *
 * What the rows say of the last run is compared at the end of npm test, from its report; here it is what sources say.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { projectRoot, textOf } from "../support/documents.ts";

const folder = mkdtempSync(join(tmpdir(), "postern-reliability-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function reliability(...words: string[]): { status: number | null; lines: string[] } {
  const script = join(projectRoot, "scripts/reliability.mjs");
  const { status, stderr } = spawnSync(process.execPath, [script, ...words], { encoding: "utf8" });
  return { status, lines: stderr.split("\n").filter(Boolean) };
}

/** A report of vitest in which one file has these tests. */
function reportOf(path: string, tests: Record<string, string>): string {
  const file = join(folder, "report.json");
  const assertionResults = Object.entries(tests).map(([fullName, status]) => ({
    fullName,
    status,
  }));
  const testResults = [{ name: join(projectRoot, path), assertionResults }];
  writeFileSync(file, JSON.stringify({ testResults }));
  return file;
}

/** An id that a search for ids does not find here. */
const id = (letter: string, number: number): string => `${letter}-${number}`;

test("every id stands in the name of a test, and the page names the files", () => {
  expect(reliability("--sources")).toEqual({ status: 0, lines: [] });
});

test("the list has every id of its letters, without a gap", () => {
  const groups = JSON.parse(textOf("test/reliability/ids.json")) as {
    demands: Record<string, string>;
  }[];
  const ids = groups.flatMap(({ demands }) => Object.keys(demands));
  const last = { F: 13, S: 7, A: 16, D: 7, H: 11, R: 9, X: 13, O: 13, N: 7, B: 109 };
  const wanted = Object.entries(last).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, i) => `${letter}-${i + 1}`),
  );
  expect(ids.toSorted()).toEqual(wanted.toSorted());
});

test("an id without a test, a row of other files and a test that fails make the page stale", () => {
  const { status, lines } = reliability(
    "--check",
    reportOf("test/reliability/mounts.test.ts", {
      [`a test that knows ${id("F", 2)} · fastcgi · typescript`]: "failed",
      [`another that knows ${id("F", 3)}`]: "passed",
    }),
  );
  expect(status).toBe(1);
  const said = lines.join("\n");
  expect(said).toContain(`${id("F", 1)} has no test`);
  expect(said).toContain(`the row of ${id("F", 2)} is stale`);
  expect(said).toContain(`the row of ${id("F", 3)} is stale`);
  expect(lines.at(-1)).toContain("npm run reliability");
});

test("a row of which a test was skipped is held to its files alone", () => {
  const path = "test/reliability/mounts.test.ts";
  const { lines } = reliability(
    "--check",
    reportOf(path, { [`skipped here: ${id("B", 40)}`]: "skipped" }),
  );
  expect(lines.filter((line) => line.includes(id("B", 40)))).toEqual([]);
});
