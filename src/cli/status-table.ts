/**
 * A status → text for people: two lines about the whole, and a row for each worker.
 *
 * What other processes wrote is shown without control characters. Prints nothing and asks nobody.
 */
import type { Status, WorkerStatus } from "../workers/control-messages.ts";

/** One column: its head, and what stands in it. */
interface Column {
  readonly head: string;
  readonly cell: (worker: WorkerStatus) => string;
  /** Shown only where a worker has told this number. */
  readonly of?: string;
}

const KIB = 1_024;
const UNITS: readonly string[] = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `63.2 MiB`. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= KIB && unit < UNITS.length - 1) [value, unit] = [value / KIB, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `12 s`, `3 min`, `5 h`, `9 d`. */
export function timeText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.floor(seconds / 3_600)} h`
    : `${Math.floor(seconds / 86_400)} d`;
}

/** Text of somebody else's, fit for a terminal: one line, no control characters. */
export function shown(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?").slice(0, KIB);
}

const number = (name: string, text: (value: number) => string) => (worker: WorkerStatus) => {
  const value = worker.load[name];
  return value === undefined ? "-" : text(value);
};
const whole = (value: number): string => String(Math.round(value));
const loaded = (head: string, of: string, text = whole): Column => ({
  head,
  of,
  cell: number(of, text),
});

const COLUMNS: readonly Column[] = [
  { head: "ID", cell: ({ id }) => String(id) },
  { head: "PID", cell: ({ pid }) => String(pid) },
  { head: "GEN", cell: ({ generation }) => String(generation) },
  { head: "STATE", cell: ({ state }) => shown(state) },
  { head: "UP", cell: ({ uptimeMs }) => timeText(uptimeMs) },
  loaded("BUSY", "utilisation", (share) => `${Math.round(100 * share)} %`),
  loaded("LAG", "delayMs", (ms) => `${Math.round(ms)} ms`),
  loaded("REQUESTS", "requests"),
  loaded("REQ/S", "requestsPerSecond", (rate) => rate.toFixed(1)),
  loaded("IN FLIGHT", "inFlight"),
  loaded("CONNECTIONS", "connections"),
  loaded("RSS", "rssBytes", bytesText),
  loaded("HEAP", "heapBytes", bytesText),
  // One that has not reported yet has been silent since its start.
  {
    head: "SILENT",
    of: "ageMs",
    cell: ({ load, uptimeMs }) => timeText(load["ageMs"] ?? uptimeMs),
  },
];

/** The rows of workers, the first one their heads; columns are as wide as what stands in them. */
export function workerTable(workers: readonly WorkerStatus[]): string[] {
  const columns = COLUMNS.filter(
    ({ of }) => of === undefined || workers.some(({ load }) => load[of] !== undefined),
  );
  const cells = [
    columns.map(({ head }) => head),
    ...workers.map((worker) => columns.map(({ cell }) => cell(worker))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]!.length)));
  return cells.map((row) => row.map((cell, index) => cell.padStart(widths[index]!)).join("  "));
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** The two lines about the whole. */
export function summary(status: Status): string[] {
  const ready = status.workers.filter(({ state }) => state === "ready").length;
  const { version, node, pid, state, uptimeMs, protocols, address, method, size } = status;
  const counts = [plural(status.reloads, "reload"), plural(status.upgrades, "upgrade")];
  return [
    `postern ${version} on node ${node}, pid ${pid}: ${state} for ${timeText(uptimeMs)}`,
    `${protocols.join("+")} on ${address}, ${method}, ${ready} of ${plural(size, "worker")} ready, ` +
      `generation ${status.generation}, ${counts.join(", ")}`,
  ].map(shown);
}

/** The whole, as lines. */
export function statusLines(status: Status): string[] {
  return [...summary(status), "", ...workerTable(status.workers)];
}
