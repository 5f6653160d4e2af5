/**
 * A status → the text that Prometheus reads: its format 0.0.4, or OpenMetrics 1.0.0 for those that ask for it.
 *
 * The format is a dozen lines, and all numbers are there already, so no library keeps them a second time.
 */
import { FAMILIES } from "./series.ts";
import type { Status, WorkerStatus } from "./status.ts";

/** Content types of the two formats. */
export const METRICS_TYPES = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const;

/** One of {@link METRICS_TYPES}. */
export type MetricsFormat = keyof typeof METRICS_TYPES;

/** A label's value: backslash, quote and line feed are escaped. */
function label(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** Gauges of each worker: name, help, value. */
const GAUGES: readonly (readonly [string, string, (worker: WorkerStatus) => number])[] = [
  ["requests_in_flight", "Requests that the application works on.", (one) => one.inFlight],
  ["connections_open", "Open connections.", (one) => one.connections],
  ["event_loop_delay_seconds", "Delay of the event loop.", (one) => one.delayMs / 1_000],
  ["event_loop_utilization", "Share of time the event loop is busy.", (one) => one.utilisation],
  ["resident_memory_bytes", "Memory of the process.", (one) => one.rssBytes],
  ["heap_bytes", "JavaScript objects, used.", (one) => one.heapBytes],
  ["silent_seconds", "Time since its last report.", (one) => one.silentMs / 1_000],
  ["generation", "Which load of the code it runs.", (one) => one.generation],
];

function serviceLines(status: Status, isOpen: boolean): string[] {
  const lines: string[] = [];
  const total = isOpen ? "" : "_total";
  const add = (name: string, type: string, help: string, samples: readonly string[]): void => {
    const family = type === "counter" ? `${name}${total}` : name;
    lines.push(`# HELP ${family} ${help}`, `# TYPE ${family} ${type}`, ...samples);
  };
  const info = (["version", "node", "method", "engine", "transport"] as const)
    .map((name) => `${name}="${label(status[name])}"`)
    .join(",");
  add("postern_info", "gauge", "What runs.", [`postern_info{${info}} 1`]);
  const single = (name: string, type: string, help: string, value: number): void =>
    add(name, type, help, [`${name}${type === "counter" ? "_total" : ""} ${value}`]);
  single("postern_uptime_seconds", "gauge", "Age of the service.", status.uptimeMs / 1_000);
  single("postern_generation", "gauge", "Newest load of the code.", status.generation);
  single("postern_reloads", "counter", "Reloads that came to their end.", status.reloads);
  single("postern_restarts", "counter", "Workers that ended unasked.", status.restarts);
  const { queue } = status;
  if (queue >= 0) single("postern_listen_queue", "gauge", "Connections not accepted yet.", queue);
  single("postern_workers", "gauge", "Workers.", status.workers.length);
  for (const [name, help, read] of GAUGES) {
    const samples = status.workers.map(
      (one) => `postern_worker_${name}{worker="${one.id}"} ${read(one)}`,
    );
    add(`postern_worker_${name}`, "gauge", help, samples);
  }
  return lines;
}

/** The exposition of a status. */
export function metricsText(status: Status, format: MetricsFormat): string {
  const isOpen = format === "openmetrics";
  const lines = serviceLines(status, isOpen);
  for (const { name, type, help, samples } of FAMILIES) {
    const family = type === "counter" && !isOpen ? `${name}_total` : name;
    lines.push(`# HELP ${family} ${help}`, `# TYPE ${family} ${type}`);
    for (const sample of samples) lines.push(`${sample} ${status.counters[sample] ?? 0}`);
  }
  if (isOpen) lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}
