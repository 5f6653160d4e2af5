/**
 * A scenario → its rows, measured in turns: every round each server once, another one first each time.
 * Servers of all rows run from the first round to the last, and idle while others are measured.
 */
import type { Contender } from "./contender.ts";
import { type LoadReport, runLoadgen, targetWords } from "./loadgen.ts";
import { cpuNanoseconds } from "./process-cpu.ts";
import type { ResultRow, ResultTable } from "./results.ts";
import type { Entry, Scenario } from "./scenarios.ts";
import { ServerProcess } from "./server-process.ts";
import type { Settings } from "./settings.ts";
import { spreadOf } from "./statistics.ts";

/** With more of its core in use, the load generator may have been waited for. */
const OWN_CORES_MAX = 0.95;

/** One row that is to be measured. */
export interface Lane {
  readonly name: string;
  readonly contender: Contender;
  readonly entry: Entry;
  readonly over: "unix" | "tcp";
}

/** Says one line to whoever waits. */
export type Say = (line: string) => void;

/** The rows of a scenario as the settings want them; names what is missing. */
export function lanesOf(
  scenario: Scenario,
  contenders: readonly Contender[],
  settings: Settings,
  say: Say,
): Lane[] {
  const overs =
    settings.overs ??
    (settings.full && scenario.over === "both" ? (["unix", "tcp"] as const) : (["unix"] as const));
  const wanted = (name: string): boolean =>
    settings.peers.length === 0 ||
    name.startsWith("node:http") ||
    settings.peers.some((peer) => name.toLowerCase().startsWith(peer.toLowerCase()));
  // Whoever names a server wants it, quick or not.
  const isQuick = !settings.full && settings.peers.length === 0;
  const entries = scenario.entries.filter((entry) => !isQuick || entry.quick === true);
  // A scenario that is named but not of the quick set has no quick rows: then all are meant.
  const chosen = entries.length > 0 ? entries : scenario.entries;
  return chosen.flatMap((entry) =>
    contenders
      .filter(
        ({ name, handlers }) => name.startsWith(entry.prefix) && handlers.includes(entry.handler),
      )
      .filter(({ name }) => wanted(name))
      .flatMap((contender) => {
        const missing = contender.missing(entry.handler);
        if (missing === undefined) {
          return overs
            .filter((over) => contender.overs.includes(over))
            .map((over) => ({
              name: `${contender.name}${entry.label ?? ""}`,
              contender,
              entry,
              over,
            }));
        }
        say(`${scenario.name}: ${contender.name}${entry.label ?? ""} skipped: ${missing}`);
        return [];
      }),
  );
}

/** Words of the load generator for one row. */
export function loadWords(scenario: Scenario, lane: Lane, server: ServerProcess): string[] {
  const { contender, entry } = lane;
  const words = [...scenario.load, ...(entry.load ?? []), ...(contender.load ?? [])];
  if (contender.connectionsMax !== undefined) {
    words.push("--connections", String(contender.connectionsMax));
  }
  if (lane.over === "tcp") words.push(...(contender.tcpLoad ?? []));
  if (contender.closes === true) words.push("--new-connections");
  if (contender.children === true) words.push("--children");
  const target = targetWords(contender.protocol, server.address);
  return [...target, ...words, "--pid", String(server.pid)];
}

/** The value of the last such word, or 1. */
function lastOf(words: readonly string[], name: string): number {
  const at = words.lastIndexOf(name);
  return at < 0 ? 1 : Number(words[at + 1]);
}

/** The same words for so many seconds. 0: for some turns of every connection, or the kernel would have counted nothing. */
export function timed(words: readonly string[], seconds: number, warmup: number): string[] {
  const TURNS = 6;
  const lanes = lastOf(words, "--connections") * lastOf(words, "--ids");
  const time =
    seconds === 0
      ? ["--count", String(TURNS * lanes)]
      : ["--warmup", String(warmup), "--seconds", String(seconds)];
  return [...words, ...time];
}

/** Starts the server of a row. */
export function startLane({ contender, entry, over }: Lane): Promise<ServerProcess> {
  return ServerProcess.start(contender, over, {
    handler: entry.handler,
    packetBytes: entry.packetBytes ?? 8192,
    ...(entry.metrics === undefined ? {} : { metrics: entry.metrics }),
    ...(entry.accessFormat === undefined ? {} : { accessFormat: entry.accessFormat }),
    multiplex: entry.load?.includes("--ids") ?? false,
  });
}

/** Runs a load in pieces until the server has used as much CPU as the settings want before anything is measured. */
export async function warmUp(
  pid: number,
  settings: Settings,
  load: (seconds: number) => Promise<unknown>,
): Promise<void> {
  const PIECES_MAX = 20;
  for (let piece = 0; piece < PIECES_MAX; piece++) {
    await load(settings.warmupCpuSeconds === 0 ? 0 : 0.4);
    if (cpuNanoseconds(pid) / 1e9 >= settings.warmupCpuSeconds) return;
  }
}

/** Rows in turn: each round another one is the first. */
export function turns<T>(rows: readonly T[], round: number): T[] {
  return rows.map((_, i) => rows[(i + round) % rows.length]!);
}

/** Ratios of rows to the base of their table, over the same kind of socket and on the same Node. */
export function withRatios(
  scenario: Scenario,
  lanes: readonly Lane[],
  rows: readonly Omit<ResultRow, "ratio">[],
): ResultRow[] {
  const [prefix, handler] = scenario.baseline;
  const nodeOf = (name: string): string => /, Node \S+/.exec(name)?.[0] ?? "";
  return rows.map((row) => {
    const base = lanes.findIndex(
      (lane) =>
        lane.name.startsWith(prefix) &&
        lane.entry.handler === handler &&
        lane.over === row.over &&
        (nodeOf(row.name) === "" || nodeOf(lane.name) === nodeOf(row.name)),
    );
    const figure = rows[base]?.figure.median;
    return { ...row, ratio: figure === undefined ? undefined : row.figure.median / figure };
  });
}

/** Title of the base in a table. */
export function baseTitle(scenario: Scenario): string {
  return scenario.baseline[0];
}

function rowOf(lane: Lane, says: string, reports: readonly LoadReport[]): Omit<ResultRow, "ratio"> {
  // Without a single answer there is no cost of one.
  const rounds = reports.map(({ server, requests }) =>
    server === null || requests === 0 ? Number.NaN : server.cpuUsPerRequest,
  );
  const middle = (read: (report: LoadReport) => number): number =>
    spreadOf(reports.map(read)).median;
  return {
    name: lane.name,
    over: lane.over,
    says,
    figure: spreadOf(rounds),
    rounds,
    more: {
      "requests/s": middle((report) => report.requestsPerSecond),
      cores: middle((report) => report.server?.cores ?? Number.NaN),
      "p50 µs": middle((report) => report.latencyUs.p50),
      "p99 µs": middle((report) => report.latencyUs.p99),
      "p99.9 µs": middle((report) => report.latencyUs.p999),
      "RSS MiB": middle((report) => (report.server?.rssAfterBytes ?? 0) / 1_048_576),
    },
    errors: reports.reduce(
      (sum, { errors, requests }) => sum + errors + (requests === 0 ? 1 : 0),
      0,
    ),
  };
}

/** Starts the servers of all rows, and warms them up; one that does not start is named and left out. */
async function startAll(
  scenario: Scenario,
  lanes: readonly Lane[],
  settings: Settings,
  servers: Map<Lane, ServerProcess>,
  say: Say,
): Promise<void> {
  for (const lane of lanes) {
    try {
      servers.set(lane, await startWarm(scenario, lane, settings));
    } catch (error) {
      if (/^(postern|node:http)/.test(lane.name)) throw error;
      say(`${scenario.name}: skipped: ${(error as Error).message}`);
    }
  }
}

async function startWarm(
  scenario: Scenario,
  lane: Lane,
  settings: Settings,
): Promise<ServerProcess> {
  const server = await startLane(lane);
  const words = loadWords(scenario, lane, server);
  await warmUp(server.pid, settings, (seconds) => runLoadgen(timed(words, seconds, 0)));
  return server;
}

/** Measures a scenario of the kind `load`. */
export async function measureLoad(
  scenario: Scenario,
  wanted: readonly Lane[],
  settings: Settings,
  say: Say,
): Promise<ResultTable> {
  const servers = new Map<Lane, ServerProcess>();
  const reports = new Map<Lane, LoadReport[]>();
  const says = new Map<Lane, string>();
  // A standing start is what c512 is about.
  const warmup = scenario.name === "c512" ? 0 : 0.1;
  try {
    await startAll(scenario, wanted, settings, servers, say);
    for (const [lane, server] of servers) {
      reports.set(lane, []);
      says.set(lane, server.says);
    }
    for (let round = 0; round < settings.rounds; round++) {
      for (const lane of turns([...reports.keys()], round)) {
        if (settings.fresh && round > 0) {
          await servers.get(lane)!.stop();
          servers.set(lane, await startWarm(scenario, lane, settings));
        }
        const words = loadWords(scenario, lane, servers.get(lane)!);
        const report = await runLoadgen(timed(words, settings.seconds, warmup));
        if (report.errors > 0) say(`${scenario.name}: ${lane.name}: ${report.firstError}`);
        if (report.retries > 0) {
          say(
            `${scenario.name}: ${lane.name}: ${report.retries} requests were sent again, since it closed kept connections`,
          );
        }
        if (report.own.cores > OWN_CORES_MAX) {
          say(
            `${scenario.name}: ${lane.name}: the load generator had too much to do to keep it busy`,
          );
        }
        reports.get(lane)!.push(report);
      }
    }
  } finally {
    for (const server of servers.values()) await server.stop();
  }
  const lanes = [...reports.keys()];
  const rows = lanes.map((lane) => rowOf(lane, says.get(lane) ?? "", reports.get(lane)!));
  return {
    name: scenario.name,
    title: scenario.title,
    unit: "CPU µs",
    base: baseTitle(scenario),
    rows: withRatios(scenario, lanes, rows),
  };
}
