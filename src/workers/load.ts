/**
 * How busy a worker is → a report every quarter of a second, and what the primary makes of the last one.
 *
 * The worker measures ({@link LoadMeter}); the primary keeps the newest report and its age, since one that is overdue means a
 * blocked event loop. Decides nothing: scaling.ts, recycling.ts and scheduler.ts do.
 */
import { type EventLoopUtilization, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** Time between two reports of a worker that has something to do, in milliseconds. */
export const LOAD_PERIOD_MS = 250;
/** An idle one, of which nothing changes, still says so after this many periods: silence is for blocked loops. */
const QUIET_PERIODS = 4;
/** A report this old is overdue, in milliseconds: twice what an idle worker takes, and some for a busy machine. */
export const OVERDUE_MS: number = 2.5 * QUIET_PERIODS * LOAD_PERIOD_MS;
/** Most names in `counters`. */
const COUNTERS_MAX = 256;
/** Longest of these names, in characters. */
const COUNTER_NAME_MAX = 128;

/** One report. Counts are since the worker began. */
export interface Load {
  /** Share of the time since the last report in which the event loop had something to do, from 0 to 1. */
  readonly utilisation: number;
  /** Requests that came to their end. */
  readonly requests: number;
  readonly inFlight: number;
  readonly connections: number;
  /** Of the whole process, also where the worker is a thread. */
  readonly rssBytes: number;
  /** Used by JavaScript of this worker alone. */
  readonly heapBytes: number;
  /** How late the event loop was for this report, in milliseconds. */
  readonly delayMs: number;
  /** What else is counted, by name. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What of a server the meter asks. */
export interface Measured {
  readonly traffic: Pick<Load, "requests" | "inFlight" | "connections">;
}

/** Reports in a worker. */
export class LoadMeter {
  readonly #server: Measured;
  readonly #counters: () => Readonly<Record<string, number>>;
  readonly #report: (load: Load) => void;
  #elu: EventLoopUtilization = performance.eventLoopUtilization();
  #last: Load | undefined;
  #dueMs: number = performance.now() + LOAD_PERIOD_MS;
  #quiet = 0;

  /**
   * @param counters asked for each report
   * @param report   sends one
   */
  constructor(
    server: Measured,
    counters: () => Readonly<Record<string, number>>,
    report: (load: Load) => void,
  ) {
    this.#server = server;
    this.#counters = counters;
    this.#report = report;
  }

  /** Reports from now on, for as long as the loop runs; does not keep it running. */
  start(): void {
    setInterval(() => this.#tick(), LOAD_PERIOD_MS).unref();
  }

  #tick(): void {
    const nowMs = performance.now();
    const delayMs = Math.max(0, nowMs - this.#dueMs);
    this.#dueMs = nowMs + LOAD_PERIOD_MS;
    const { requests, inFlight, connections } = this.#server.traffic;
    const isQuiet =
      inFlight === 0 &&
      this.#last?.inFlight === 0 &&
      requests === this.#last.requests &&
      connections === this.#last.connections;
    this.#quiet = isQuiet ? this.#quiet + 1 : 0;
    if (isQuiet && this.#quiet % QUIET_PERIODS !== 0) return;
    const elu = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(elu, this.#elu);
    this.#elu = elu;
    this.#last = {
      requests,
      inFlight,
      connections,
      utilisation: utilization,
      rssBytes: process.memoryUsage.rss(),
      heapBytes: getHeapStatistics().used_heap_size,
      delayMs,
      counters: this.#counters(),
    };
    this.#report(this.#last);
  }
}

const isAmount = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && value >= 0;

function readCounters(value: unknown): Readonly<Record<string, number>> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const entries = Object.entries(value);
  if (entries.length > COUNTERS_MAX) return undefined;
  const areSound = entries.every(
    ([name, count]) => name.length <= COUNTER_NAME_MAX && isAmount(count),
  );
  return areSound ? (value as Record<string, number>) : undefined;
}

/** A load, if that is one; undefined for anything else (reliability O-7). */
export function readLoad(value: unknown): Load | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const given = value as Record<keyof Load, unknown>;
  const { utilisation, requests, inFlight, connections, rssBytes, heapBytes, delayMs } = given;
  const amounts = { utilisation, requests, inFlight, connections, rssBytes, heapBytes, delayMs };
  const counters = readCounters(given.counters);
  if (counters === undefined || !Object.values(amounts).every(isAmount)) return undefined;
  return { ...(amounts as Record<keyof typeof amounts, number>), counters };
}
