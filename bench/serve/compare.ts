/**
 * Two builds of postern → which of them costs less CPU a request, in turns and in one run.
 * It builds nothing: scripts/bench-compare.mjs does, and starts it. A row past the margin ends it with status 1.
 */
import { parseArgs } from "node:util";
import type { Contender } from "./contender.ts";
import { postern } from "./javascript-servers.ts";
import { runLoadgen } from "./loadgen.ts";
import { circumstances } from "./results.ts";
import { type Lane, loadWords, startLane, timed, turns, warmUp } from "./rounds.ts";
import { type Entry, SCENARIOS, type Scenario } from "./scenarios.ts";
import type { ServerProcess } from "./server-process.ts";
import { readSettings, type Settings } from "./settings.ts";
import { type Comparison, compare } from "./statistics.ts";
import { shown, tableLines } from "./tables.ts";

const isBlink = process.env["POSTERN_BENCH_BLINK"] === "1";
const MARGIN_PERCENT = 5;
/** What is compared unless `--scenario` says otherwise. */
const USUAL = ["hello", "set-header", "fetch", "new", "64k", "1m", "upload"];

/** The two builds, and what differs between them. */
interface Sides {
  readonly before: Contender;
  readonly after: Contender;
}

/** A server of one side, and its figures by round. */
interface Side {
  readonly server: ServerProcess;
  readonly words: readonly string[];
  readonly figures: number[];
}

async function measure(side: Side, settings: Settings, name: string): Promise<void> {
  const report = await runLoadgen(timed(side.words, settings.seconds, 0.1));
  if (report.errors > 0) throw new Error(`${name}: wrong answers: ${report.firstError}`);
  if (report.requests === 0) throw new Error(`${name}: no answer in ${settings.seconds} s`);
  side.figures.push(report.server?.cpuUsPerRequest ?? Number.NaN);
}

async function start(scenario: Scenario, entry: Entry, contender: Contender): Promise<Side> {
  const lane: Lane = { name: contender.name, contender, entry, over: "unix" };
  const server = await startLane(lane);
  return { server, words: loadWords(scenario, lane, server), figures: [] };
}

/** Measures one row of a scenario on both sides. */
async function compareRow(
  scenario: Scenario,
  entry: Entry,
  { before, after }: Sides,
  settings: Settings,
  marginPercent: number,
): Promise<Comparison> {
  const sides: Side[] = [];
  try {
    for (const contender of [before, after]) {
      const side = await start(scenario, entry, contender);
      sides.push(side);
      await warmUp(side.server.pid, settings, (seconds) =>
        runLoadgen(timed(side.words, seconds, 0)),
      );
    }
    for (let round = 0; round < settings.rounds; round++) {
      for (const side of turns(sides, round)) await measure(side, settings, scenario.name);
    }
  } finally {
    for (const { server } of sides) await server.stop();
  }
  return compare(sides[0]!.figures, sides[1]!.figures, marginPercent);
}

/** Parameters: those of the serve bench, and `--margin`, `--before DIST`, `--after DIST`, `--ref NAME`. */
function readParameters(parameters: readonly string[]) {
  const options = {
    margin: { type: "string" },
    before: { type: "string" },
    after: { type: "string" },
    ref: { type: "string" },
  } as const;
  const { values, tokens } = parseArgs({
    args: [...parameters],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const ours = new Set(Object.keys(options));
  const taken = new Set<number>();
  for (const token of tokens) {
    if (token.kind !== "option" || !ours.has(token.name)) continue;
    taken.add(token.index);
    if (token.inlineValue === false) taken.add(token.index + 1);
  }
  const rest = parameters.filter((_, index) => !taken.has(index));
  const names = SCENARIOS.filter(({ kind }) => kind === "load").map(({ name }) => name);
  const settings = readSettings(rest, names, isBlink);
  const marginPercent = values.margin === undefined ? MARGIN_PERCENT : Number(values.margin);
  if (!(marginPercent >= 0)) throw new Error(`--margin takes a percentage, not "${values.margin}"`);
  const text = (name: "before" | "after" | "ref"): string => String(values[name] ?? "");
  return {
    settings,
    marginPercent,
    before: text("before"),
    after: text("after"),
    ref: text("ref"),
  };
}

function sidesOf(entry: Entry, before: string, after: string, settings: Settings): Sides {
  const protocol = entry.prefix.slice("postern ".length) as "fastcgi" | "scgi" | "ajp";
  const [engine, transport, node] = [
    settings.engines[0]!,
    settings.transports[0]!,
    settings.nodes[0]!,
  ];
  const side = (dist: string): Contender =>
    postern(protocol, { dist, engine, transport }, node, "");
  return { before: side(before), after: side(after) };
}

const percent = (ratio: number): string =>
  `${ratio >= 1 ? "+" : ""}${((ratio - 1) * 100).toFixed(1)} %`;

async function main(): Promise<void> {
  const { settings, marginPercent, before, after, ref } = readParameters(process.argv.slice(2));
  const wanted = settings.scenarios.length > 0 ? settings.scenarios : USUAL;
  const { date, commit, node, machine } = circumstances([]);
  console.log(`${date}, Node ${node}, ${machine}: ${ref} against ${commit}, CPU µs a request\n`);
  const rows: string[][] = [["scenario", "server", ref, "here", "least–most", "change", "verdict"]];
  let isSlower = false;
  for (const scenario of SCENARIOS.filter(({ name }) => wanted.includes(name))) {
    const entries = scenario.entries.filter(
      ({ prefix }) =>
        prefix.startsWith("postern") &&
        (settings.peers.length === 0 || settings.peers.some((peer) => prefix.startsWith(peer))),
    );
    for (const entry of entries) {
      const sides = sidesOf(entry, before, after, settings);
      const result = await compareRow(scenario, entry, sides, settings, marginPercent);
      isSlower ||= result.verdict === "slower";
      const { min, max, median } = result.after;
      const name = `${entry.prefix}${entry.label ?? ""}`;
      const spread = `${shown(min)}–${shown(max)}`;
      const figures = [shown(result.before.median), shown(median), spread, percent(result.ratio)];
      rows.push([scenario.name, name, ...figures, result.verdict]);
      process.stderr.write(`postern: ${rows.at(-1)!.join(" | ")}\n`);
    }
  }
  console.log(tableLines(rows, 2).join("\n"));
  console.log(`\nup to ${marginPercent} % is the same; least–most is of this tree`);
  if (isSlower) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`postern: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
