/**
 * docs/compatibility.md as a whole: its fixed text, its frameworks, its lists.
 * Each row is held against its own run by that framework's test (grid.ts); `npm run compat` has this file write all.
 */
import { expect, test } from "vitest";
import {
  COLUMNS,
  committed,
  committedRow,
  documentText,
  rowText,
  savedRows,
  writeDocument,
} from "./document.ts";
import { PLANS } from "./plans.ts";

const plans = Object.values(PLANS);
const names = plans.map(({ title }) => title.name);
const scenarios = [...new Set(plans.flatMap((plan) => plan.scenarios.map(({ name }) => name)))];

test("no framework has two scenarios of one name", () => {
  const twice = plans.flatMap((plan) => {
    const own = plan.scenarios.map(({ name }) => name);
    return own.filter((name, index) => own.indexOf(name) !== index);
  });
  expect(twice).toEqual([]);
});

test("docs/compatibility.md has every framework, every difference and every scenario, and nothing else", () => {
  if (process.env["POSTERN_COMPAT"] === "write") {
    const rows = new Map(savedRows().map((row) => [row.name, rowText(row)]));
    expect([...rows.keys()].sort()).toEqual([...names].sort());
    writeDocument(
      documentText(
        names.map((name) => rows.get(name)!),
        scenarios,
      ),
    );
  }
  expect(committed()).toBe(documentText(names.map(committedRow), scenarios));
});

test("docs/compatibility.md shows no scenario that failed", () => {
  const cells = names.flatMap((name) => committedRow(name).match(/\d+\/\d+/g) ?? []);
  expect(cells).toHaveLength(names.length * COLUMNS.length);
  expect(cells.filter((cell) => cell.split("/")[0] !== cell.split("/")[1])).toEqual([]);
});
