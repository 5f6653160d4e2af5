/**
 * The serve bench, run for a blink: servers start, answers are checked, tables, JSON and chart are made.
 * Its numbers mean nothing here. Statistics, tables, settings and the chart are checked by themselves.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { drawChart } from "../../bench/serve/chart.ts";
import { linesOf, merged, type Results } from "../../bench/serve/results.ts";
import { SCENARIOS } from "../../bench/serve/scenarios.ts";
import { readSettings } from "../../bench/serve/settings.ts";
import { compare, spreadOf } from "../../bench/serve/statistics.ts";
import { missingLoadgen } from "../support/loadgen.ts";

const root = resolve(import.meta.dirname, "../..");
const missing = missingLoadgen();
const NAMES = SCENARIOS.map((scenario) => scenario.name);

describe.skipIf(missing !== undefined)(`the serve bench${missing ? ` (${missing})` : ""}`, () => {
  const run = (...parameters: readonly string[]) =>
    spawnSync(process.execPath, ["scripts/bench.mjs", "serve", ...parameters], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, POSTERN_BENCH_BLINK: "1" },
    });

  test("measures postern over each protocol and node:http in every kind of scenario", () => {
    const scenarios = "hello,new,upload,multiplex,idle,opening,start";
    const { status, stdout, stderr } = run(
      "--full",
      "--over=unix",
      "--peer=postern",
      `--scenario=${scenarios}`,
    );
    expect(stderr).not.toMatch(/Error|skipped|wrong/);
    expect(status).toBe(0);
    const rows = stdout.split("\n").filter((line) => /^\| (postern|node:http)/.test(line));
    expect(rows).toHaveLength(4 + 4 + 5 + 2 + 3 + 3 + 2);
    // Each has what counts, and nothing in the column of wrong answers.
    for (const row of rows) expect(row).toMatch(/\| +-?[\d.,]+ \|.*\| +\|$/);
    const written = /written: (\S+\.json), (\S+\.svg)/.exec(stderr)!;
    const results = JSON.parse(readFileSync(written[1]!, "utf8")) as Results;
    expect(results.tables.map((table) => table.name)).toEqual(scenarios.split(","));
    // Memory of a few connections may well be less afterwards, so nothing is said of its ratio.
    const costs = results.tables.filter((table) => table.name !== "idle");
    for (const row of costs.flatMap((table) => table.rows)) {
      expect([row.name, row.figure.median > 0, row.ratio! > 0]).toEqual([row.name, true, true]);
    }
    expectXml(readFileSync(written[2]!, "utf8"));
    for (const path of written.slice(1)) rmSync(path);
  }, 120_000);

  test("names a wrong word in one line", () => {
    const { status, stderr } = run("--scenario", "helo");
    expect([status, stderr.split("\n").filter((line) => line.includes("helo"))]).toEqual([
      1,
      [expect.stringMatching(/^postern: --scenario takes hello, .*, not "helo"$/)],
    ]);
  }, 60_000);
});

/** Whether every tag is closed in its order, and no text has a bare `<` or `&`. */
function expectXml(text: string): void {
  const open: string[] = [];
  const [, ...body] = text.split("?>\n");
  const rest = body
    .join("?>\n")
    .replaceAll(/<(\/?)(\w+)((?: [\w:-]+="[^"<]*")*)(\/?)>/g, (...parts) => {
      const [, isEnd, name, , isEmpty] = parts as string[];
      if (isEnd) expect(open.pop()).toBe(name);
      else if (!isEmpty) open.push(name!);
      return "";
    });
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/<|>|&(?!(amp|lt|gt|quot);)/);
  expect(text).toMatch(/^<\?xml [^>]*\?>\n<svg /);
}

const RESULTS: Results = {
  circumstances: {
    date: "2026-11-24",
    commit: "abc",
    node: "20.0.0",
    machine: "a <machine> & more",
    load: 0,
    command: "npm run bench -- serve",
  },
  tables: [
    {
      name: "hello",
      title: 'hello "<&>"',
      unit: "CPU µs",
      base: "node:http",
      rows: [
        {
          name: "postern fastcgi",
          over: "unix",
          says: "engine native",
          figure: spreadOf([7, 8, 9]),
          rounds: [7, 8, 9],
          ratio: 0.25,
          more: { "requests/s": 123_456 },
          errors: 0,
        },
      ],
    },
  ],
};

test("the chart is well-formed XML, whatever names stand in it", () => {
  const chart = drawChart(RESULTS);
  expectXml(chart);
  expect(chart).toContain("hello &quot;&lt;&amp;&gt;&quot;");
  expect(chart).toContain("8.00 (0.25×)");
});

test("--save keeps rows that were not measured again, and says of which run they are", () => {
  const [table] = RESULTS.tables;
  const [row] = table!.rows;
  const now: Results = {
    circumstances: { ...RESULTS.circumstances, commit: "def", date: "2026-11-25" },
    tables: [{ ...table!, rows: [{ ...row!, name: "postern fastcgi, Node 24" }] }],
  };
  const other = { ...table!, name: "new" };
  const all = merged({ ...RESULTS, tables: [table!, other] }, now);
  expect(all.circumstances.commit).toBe("def");
  expect(
    all.tables.flatMap(({ name, rows }) => rows.map((one) => [name, one.name, one.earlier])),
  ).toEqual([
    ["hello", "postern fastcgi, Node 24", undefined],
    ["hello", "postern fastcgi", "abc, 2026-11-24"],
    ["new", "postern fastcgi", "abc, 2026-11-24"],
  ]);
  // Measured again, it is of the new run; a third run leaves the mark of the first as it is.
  const again = merged(all, { ...RESULTS, circumstances: now.circumstances });
  expect(again.tables[0]?.rows.map((one) => one.earlier)).toEqual([undefined, "def, 2026-11-25"]);
  expect(again.tables[1]?.rows[0]?.earlier).toBe("abc, 2026-11-24");
  const chart = drawChart(all);
  expectXml(chart);
  expect(chart).toContain("* of an earlier run: abc, 2026-11-24");
});

test("a table's columns stand below each other", () => {
  const lines = linesOf(RESULTS.tables[0]!);
  expect(lines[2]).toBe(
    "| postern fastcgi |   8.00 |  7.00–9.00 |        0.25 |    123,456 |       |",
  );
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
});

test("the median of an even number of figures is the mean of the middle two", () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(spreadOf([5])).toEqual({ median: 5, min: 5, max: 5 });
  expect(() => spreadOf([])).toThrow("no figures");
});

test("a comparison goes by the ratios of rounds, and up to the margin nothing has changed", () => {
  // Slow rounds are slow for both: medians alone would say 20 against 10.5.
  expect(compare([10, 20, 10.5], [10, 20, 10.5], 5)).toMatchObject({ ratio: 1, verdict: "same" });
  expect(compare([10, 20, 30], [10.5, 21, 31.5], 5).verdict).toBe("same");
  expect(compare([10, 20, 30], [10.6, 21.2, 31.8], 5).verdict).toBe("slower");
  expect(compare([10, 20, 30], [9.4, 18.8, 28.2], 5).verdict).toBe("faster");
  expect(compare([10, 10, 10], [10, 10, 20], 5).verdict).toBe("same");
  // Dear rounds on one side only are noise as long as the least of both agree.
  expect(compare([10, 10, 10], [10, 13, 13], 5)).toMatchObject({ ratio: 1.3, verdict: "same" });
  expect(compare([10, 13, 13], [10, 10, 10], 5).verdict).toBe("same");
  expect(() => compare([1], [1, 2], 5)).toThrow("counterparts");
});

test("settings are read from parameters, with what is usual for the set", () => {
  expect(readSettings([], NAMES, false)).toMatchObject({ full: false, rounds: 3, seconds: 0.6 });
  expect(readSettings(["--full", "--rounds", "7"], NAMES, false)).toMatchObject({
    full: true,
    rounds: 7,
    seconds: 2,
    engines: ["auto"],
  });
  expect(readSettings(["--scenario=hello,new", "--engine", "native"], NAMES, false)).toMatchObject({
    scenarios: ["hello", "new"],
    engines: ["native"],
  });
  for (const wrong of [
    ["--rounds", "0"],
    ["--rounds", "x"],
    ["--over", "udp"],
    ["--fast"],
    ["x"],
  ]) {
    expect(() => readSettings(wrong, NAMES, false)).toThrow(/^[^\n]+$/);
  }
});
