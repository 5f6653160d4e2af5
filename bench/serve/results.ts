/**
 * What was measured, as it is printed, kept in JSON and drawn.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg, platform, release } from "node:os";
import { join } from "node:path";
import { root } from "./place.ts";
import type { Spread } from "./statistics.ts";
import { shown, tableLines } from "./tables.ts";

/** One line of a table. */
export interface ResultRow {
  readonly name: string;
  readonly over: string;
  /** What the server says it is: engine and transport. */
  readonly says: string;
  /** What counts, in the unit of its table. */
  readonly figure: Spread;
  /** The same by round, in their order. */
  readonly rounds: readonly number[];
  /** To the base of the table. */
  readonly ratio: number | undefined;
  /** Other figures, by title. */
  readonly more: Readonly<Record<string, number>>;
  readonly errors: number;
  /** Commit and day, where it is kept of an earlier run than the file's. */
  readonly earlier?: string;
}

/** One table. */
export interface ResultTable {
  readonly name: string;
  readonly title: string;
  /** Title of the column that counts. */
  readonly unit: string;
  readonly base: string;
  readonly rows: readonly ResultRow[];
}

/** Where and when. */
export interface Circumstances {
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  /** Of the last minute, before the first measurement: other work on the machine. */
  readonly load: number;
  readonly command: string;
}

/** Everything of one run. */
export interface Results {
  readonly circumstances: Circumstances;
  readonly tables: readonly ResultTable[];
}

function git(...parameters: readonly string[]): string {
  try {
    return execFileSync("git", parameters, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "";
  }
}

/** The machine now. */
export function circumstances(parameters: readonly string[]): Circumstances {
  const changed = git("status", "--porcelain", "--untracked-files=no") === "" ? "" : ", changed";
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: `${git("rev-parse", "--short", "HEAD") || "unknown"}${changed}`,
    node: process.version.slice(1),
    machine: `${processors[0]?.model ?? arch()}, ${processors.length} cores, ${platform()} ${release()}`,
    load: loadavg()[0] ?? 0,
    command: ["npm run bench -- serve", ...parameters].join(" "),
  };
}

/** The lines of one table. */
export function linesOf(table: ResultTable): string[] {
  const titles = [...new Set(table.rows.flatMap((row) => Object.keys(row.more)))];
  const hasTcp = table.rows.some((row) => row.over !== "unix");
  const rows = table.rows.map((row) => [
    row.name,
    ...(hasTcp ? [row.over] : []),
    shown(row.figure.median),
    row.rounds.length > 1 ? `${shown(row.figure.min)}–${shown(row.figure.max)}` : "",
    row.ratio === undefined ? "" : row.ratio.toFixed(2),
    ...titles.map((title) => shown(row.more[title])),
    row.errors === 0 ? "" : String(row.errors),
  ]);
  const over = hasTcp ? ["over"] : [];
  const head = ["server", ...over, table.unit, "least–most", `× ${table.base}`, ...titles, "wrong"];
  return tableLines([head, ...rows], 1 + over.length);
}

/** The first postern row of a table, by kind of socket, against every server of another make. */
export function comparisonsOf(table: ResultTable): string[] {
  return ["unix", "tcp"].flatMap((over) => {
    const rows = table.rows.filter((row) => row.over === over);
    const ours = rows.find((row) => row.name.startsWith("postern"));
    const others = rows.filter((row) => !row.name.startsWith("postern"));
    if (ours === undefined || others.length < 2) return [];
    const ratios = others.map(
      (row) => `${(ours.figure.median / row.figure.median).toFixed(2)} × ${row.name}`,
    );
    return [`${ours.name} over ${over}: ${ratios.join("; ")}`];
  });
}

/** What each row's server said it is, without repetitions. */
export function configurationsOf(tables: readonly ResultTable[]): string[] {
  const all = tables.flatMap((table) => table.rows.map((row) => [row.name, row.says] as const));
  return [...new Map(all.filter(([name, says]) => name.startsWith("postern") && says !== ""))].map(
    ([name, says]) => `${name}: ${says}`,
  );
}

const sameRow = (a: ResultRow, b: ResultRow): boolean => a.name === b.name && a.over === b.over;

/** Rows that are there but were not measured again are kept, and say of which run they are. */
export function merged(earlier: Results, now: Results): Results {
  const { commit, date } = earlier.circumstances;
  const marked = (rows: readonly ResultRow[]): ResultRow[] =>
    rows.map((row) => ({ ...row, earlier: row.earlier ?? `${commit}, ${date}` }));
  const tables = now.tables.map((table) => {
    const old = earlier.tables.find(({ name }) => name === table.name)?.rows ?? [];
    const rest = old.filter((row) => !table.rows.some((one) => sameRow(one, row)));
    return { ...table, rows: [...table.rows, ...marked(rest)] };
  });
  const untouched = earlier.tables
    .filter(({ name }) => !tables.some((table) => table.name === name))
    .map((table) => ({ ...table, rows: marked(table.rows) }));
  return { ...now, tables: [...tables, ...untouched] };
}

/**
 * Writes JSON into bench/results/: a file of its own for each run, or latest.json, which is the chart's.
 *
 * @returns what stands in the file
 */
export function writeResults(results: Results, save: boolean): { path: string; all: Results } {
  const folder = join(root, "bench/results");
  mkdirSync(folder, { recursive: true });
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  const path = join(folder, save ? "latest.json" : `${stamp}.json`);
  const all =
    save && existsSync(path)
      ? merged(JSON.parse(readFileSync(path, "utf8")) as Results, results)
      : results;
  writeFileSync(path, `${JSON.stringify(all, undefined, 2)}\n`);
  return { path, all };
}
