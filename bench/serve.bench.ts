/**
 * Socket to socket: what a request costs the process of postern, of node:http and of others, in turns.
 * Each server is a process of its own on core 0, the load generator runs on core 1. Tables on standard output, JSON in
 * bench/results/. POSTERN_BENCH_BLINK=1 measures hardly anything, so that a test can see that it works.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawChart } from "./serve/chart.ts";
import { foreignServers } from "./serve/foreign-servers.ts";
import { measureFront } from "./serve/front.ts";
import { javascriptServers } from "./serve/javascript-servers.ts";
import { measureMoments } from "./serve/moments.ts";
import { root } from "./serve/place.ts";
import {
  circumstances,
  comparisonsOf,
  configurationsOf,
  linesOf,
  type ResultTable,
  writeResults,
} from "./serve/results.ts";
import { lanesOf, measureLoad } from "./serve/rounds.ts";
import { SCENARIOS } from "./serve/scenarios.ts";
import { isPinned } from "./serve/server-process.ts";
import { readSettings, type Settings } from "./serve/settings.ts";

const isBlink = process.env["POSTERN_BENCH_BLINK"] === "1";
const say = (line: string): boolean => process.stderr.write(`postern: ${line}\n`);
const NAMES = [...SCENARIOS.map((scenario) => scenario.name), "front"];

function isWanted(settings: Settings, name: string, quick: boolean): boolean {
  if (settings.scenarios.length > 0) return settings.scenarios.includes(name);
  return settings.full || quick;
}

async function measureAll(settings: Settings): Promise<ResultTable[]> {
  const contenders = [...javascriptServers(settings), ...foreignServers];
  const tables: ResultTable[] = [];
  const keep = (table: ResultTable | undefined): void => {
    if (table === undefined) return;
    tables.push(table);
    console.log(`\n${table.title}\n\n${linesOf(table).join("\n")}`);
    const comparisons = comparisonsOf(table);
    if (comparisons.length > 0) console.log(`\n${comparisons.join("\n")}`);
  };
  for (const scenario of SCENARIOS) {
    if (!isWanted(settings, scenario.name, scenario.quick)) continue;
    const lanes = lanesOf(scenario, contenders, settings, say);
    const measure = scenario.kind === "load" ? measureLoad : measureMoments;
    keep(await measure(scenario, lanes, settings, say));
  }
  if (isWanted(settings, "front", false)) keep(await measureFront(contenders, settings, say));
  return tables;
}

async function main(): Promise<void> {
  const parameters = process.argv.slice(2);
  const settings = readSettings(parameters, NAMES, isBlink);
  const now = circumstances(parameters);
  const { date, commit, node, machine, load } = now;
  console.log(`${date}, commit ${commit}, Node ${node}, ${machine}, load ${load.toFixed(2)}`);
  if (!isPinned) say("server and load generator share their cores: figures are poor");
  const tables = await measureAll(settings);
  console.log(`\n${configurationsOf(tables).join("\n")}`);
  const { path, all } = writeResults({ circumstances: now, tables }, settings.save);
  const chart = settings.save ? join(root, "docs/bench.svg") : path.replace(/json$/, "svg");
  writeFileSync(chart, drawChart(all));
  say(`written: ${path}, ${chart}`);
  const wrong = tables.flatMap((table) => table.rows).filter((row) => row.errors > 0);
  if (wrong.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  say((error as Error).message);
  process.exitCode = 1;
}
