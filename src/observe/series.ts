/**
 * Counters of one server → samples by name, as a worker reports them and Prometheus reads them.
 *
 * The one table of what there is: name, labels, type, help. A primary prints no name but these, whatever a worker says
 * (reliability O-7). Reads no clock.
 */
import { type Counters, DURATION_BOUNDS } from "../connection/counters.ts";
import { ERRORS } from "../errors.ts";
import type { Figures } from "../server/figures.ts";
import { droppedLines } from "./line-log.ts";

/** A family of samples. */
export interface Family {
  /** Without the ending `_total`. */
  readonly name: string;
  readonly type: "counter" | "histogram";
  readonly help: string;
  /** Names of its samples, labels included, in the order of the exposition. */
  readonly samples: readonly string[];
}

/** Numbers by the name of their sample. */
export type Samples = Readonly<Record<string, number>>;

const PROTOCOLS = ["fastcgi", "scgi", "ajp", "http"] as const;
const CLASSES = [1, 2, 3, 4, 5] as const;
const DURATION = "postern_request_duration_seconds";

const requestsOf = (protocol: string): string => `postern_requests_total{protocol="${protocol}"}`;
const responsesOf = (protocol: string, kind: number): string =>
  `postern_responses_total{protocol="${protocol}",class="${kind}xx"}`;
const refusedFor = (reason: string): string =>
  `postern_connections_refused_total{reason="${reason}"}`;
const errorsOf = (code: string): string => `postern_errors_total{code="${code}"}`;
const bucketOf = (bound: number | string): string => `${DURATION}_bucket{le="${bound}"}`;

const counter = (name: string, help: string, samples?: readonly string[]): Family => ({
  name: `postern_${name}`,
  type: "counter",
  help,
  samples: samples ?? [`postern_${name}_total`],
});

/** Every family that a server counts. */
export const FAMILIES: readonly Family[] = [
  counter("requests", "Requests whose head came whole.", PROTOCOLS.map(requestsOf)),
  counter(
    "responses",
    "Response heads that left.",
    PROTOCOLS.flatMap((protocol) => CLASSES.map((kind) => responsesOf(protocol, kind))),
  ),
  {
    name: DURATION,
    type: "histogram",
    help: "Seconds from the whole head of a request to the end of its response.",
    samples: [
      ...DURATION_BOUNDS.map(bucketOf),
      bucketOf("+Inf"),
      `${DURATION}_sum`,
      `${DURATION}_count`,
    ],
  },
  counter("connections_accepted", "Connections that were taken."),
  counter(
    "connections_refused",
    "Connections that were closed unread, by why.",
    ["peers", "connections", "protocol"].map(refusedFor),
  ),
  counter("accept_failures", "Times the system had no descriptor for a connection."),
  counter(
    "errors",
    "Requests and connections refused, by the code of docs/errors.md.",
    Object.values(ERRORS).map(({ code }) => errorsOf(code)),
  ),
  counter("idle_timeouts", "Kept connections closed since nothing came."),
  counter("aborts", "Requests whose client left while they ran."),
  counter("drops", "Requests whose client had left before they could run."),
  counter("failures", "Requests whose handler threw or rejected."),
  counter("upgrades", "Requests that became a connection of another protocol."),
  counter("received_bytes", "Bytes of request heads and bodies, without framing."),
  counter("sent_bytes", "Bytes written to front servers, with framing."),
  counter("log_lines_dropped", "Lines that logs have lost: a full disk, or one that is too slow."),
];

const known: ReadonlySet<string> = new Set(FAMILIES.flatMap(({ samples }) => samples));

/** The samples of one server; those that are 0 are left out. */
export function readSamples({ counters, starvation, writer }: Figures): Samples {
  const samples: Record<string, number> = {
    postern_connections_accepted_total: counters.accepted,
    [refusedFor("peers")]: counters.refusedPeers,
    [refusedFor("connections")]: counters.refusedConnections,
    [refusedFor("protocol")]: counters.refusedProtocols,
    postern_accept_failures_total: starvation.count,
    postern_idle_timeouts_total: counters.idleTimeouts,
    postern_aborts_total: counters.aborts,
    postern_drops_total: counters.drops,
    postern_failures_total: counters.failures,
    postern_upgrades_total: counters.upgrades,
    postern_received_bytes_total: counters.receivedBytes,
    postern_sent_bytes_total: writer.takenBytes,
    // Of the process, all its servers together: a log may be shared.
    postern_log_lines_dropped_total: droppedLines(),
  };
  for (const protocol of PROTOCOLS) {
    const { requests, responses } = counters.protocols[protocol];
    samples[requestsOf(protocol)] = requests;
    for (const kind of CLASSES) samples[responsesOf(protocol, kind)] = responses[kind]!;
  }
  for (const { code, number } of Object.values(ERRORS)) {
    samples[errorsOf(code)] = counters.errors[number]!;
  }
  readDurations(counters, samples);
  for (const name of Object.keys(samples)) if (samples[name] === 0) delete samples[name];
  return samples;
}

/** Buckets are cumulative: each holds those below it. */
function readDurations(counters: Counters, samples: Record<string, number>): void {
  let count = 0;
  for (const [index, requests] of counters.durations.entries()) {
    count += requests;
    samples[bucketOf(DURATION_BOUNDS[index] ?? "+Inf")] = count;
  }
  samples[`${DURATION}_sum`] = counters.durationMs / 1_000;
  samples[`${DURATION}_count`] = count;
}

/** Adds samples to others, those with a known name. */
export function addSamples(to: Record<string, number>, samples: Samples): void {
  for (const [name, value] of Object.entries(samples)) {
    if (known.has(name)) to[name] = (to[name] ?? 0) + value;
  }
}
