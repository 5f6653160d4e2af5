/**
 * Scenarios that are no steady load: memory of idle connections, many that open at once, the start of a server.
 * A server of its own for each measurement, since what one leaves behind would be in the next.
 */
import { runLoadgen } from "./loadgen.ts";
import { cpuNanoseconds } from "./process-cpu.ts";
import type { ResultRow, ResultTable } from "./results.ts";
import {
  baseTitle,
  type Lane,
  loadWords,
  type Say,
  startLane,
  turns,
  withRatios,
} from "./rounds.ts";
import type { Scenario } from "./scenarios.ts";
import type { ServerProcess } from "./server-process.ts";
import type { Settings } from "./settings.ts";
import { spreadOf } from "./statistics.ts";

/** One measurement: what counts, other figures, and wrong answers. */
interface Moment {
  readonly figure: number;
  readonly more: Readonly<Record<string, number>>;
  readonly errors: number;
}

/** Requests that a server answers before it is looked at: JIT and heap have settled then. */
async function settle(scenario: Scenario, lane: Lane, server: ServerProcess): Promise<void> {
  const words = loadWords(scenario, lane, server);
  await runLoadgen([...words, "--connections", "16", "--count", "4000"]);
}

async function measureIdle(scenario: Scenario, lane: Lane, settings: Settings): Promise<Moment> {
  const server = await startLane(lane);
  try {
    await settle(scenario, lane, server);
    // Bun and others have no such signal.
    const canCollect = /^(postern|node:http)/.test(lane.name);
    const before = await server.residentBytes(canCollect);
    let after = before;
    const words = [...loadWords(scenario, lane, server), "--connections", String(settings.idle)];
    const report = await runLoadgen(
      [...words, "--once", "--opening", "64", "--hold", "1.5"],
      async () => {
        after = await server.residentBytes(canCollect);
      },
    );
    const open = report.openConnections ?? 0;
    return {
      figure: (after - before) / 1024 / Math.max(1, open),
      more: { open, "RSS before MiB": before / 1_048_576, "RSS held MiB": after / 1_048_576 },
      errors: report.errors,
    };
  } finally {
    await server.stop();
  }
}

async function measureOpening(scenario: Scenario, lane: Lane): Promise<Moment> {
  const server = await startLane(lane);
  try {
    await settle(scenario, lane, server);
    const report = await runLoadgen([...loadWords(scenario, lane, server), "--once"]);
    const { p50, p99 } = report.latencyUs;
    return {
      figure: report.allServedMs ?? Number.NaN,
      more: { "p50 ms": p50 / 1_000, "p99 ms": p99 / 1_000 },
      errors: report.errors,
    };
  } finally {
    await server.stop();
  }
}

async function measureStart(lane: Lane): Promise<Moment> {
  const server = await startLane(lane);
  // The clock goes on while others have the core; this does not.
  const cpuMs = cpuNanoseconds(server.pid) / 1e6;
  await server.stop();
  return { figure: server.startMs, more: { "CPU ms": cpuMs }, errors: 0 };
}

const UNITS = { idle: "KiB a connection", opening: "ms", start: "ms", load: "" } as const;

/** Measures a scenario of the kind `idle`, `opening` or `start`. */
export async function measureMoments(
  scenario: Scenario,
  lanes: readonly Lane[],
  settings: Settings,
  say: Say,
): Promise<ResultTable> {
  const measured = new Map<Lane, Moment[]>(lanes.map((lane) => [lane, []]));
  // 10,000 connections cost seconds; their memory hardly differs from round to round.
  const rounds = scenario.kind === "idle" ? 1 : settings.rounds;
  for (let round = 0; round < rounds; round++) {
    for (const lane of turns(lanes, round)) {
      const moment =
        scenario.kind === "idle"
          ? await measureIdle(scenario, lane, settings)
          : scenario.kind === "opening"
            ? await measureOpening(scenario, lane)
            : await measureStart(lane);
      if (moment.errors > 0) say(`${scenario.name}: ${lane.name}: ${moment.errors} wrong answers`);
      measured.get(lane)!.push(moment);
    }
  }
  const rows = lanes.map((lane): Omit<ResultRow, "ratio"> => {
    const moments = measured.get(lane)!;
    const rounds = moments.map(({ figure }) => figure);
    const { more } = moments.at(-1)!;
    const errors = moments.reduce((sum, moment) => sum + moment.errors, 0);
    return {
      name: lane.name,
      over: lane.over,
      says: "",
      figure: spreadOf(rounds),
      rounds,
      more,
      errors,
    };
  });
  return {
    name: scenario.name,
    title: scenario.title,
    unit: UNITS[scenario.kind],
    base: baseTitle(scenario),
    rows: withRatios(scenario, lanes, rows),
  };
}
