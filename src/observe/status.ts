/**
 * What is to be seen of a service: its shape, for the JSON, the page and the metrics alike.
 *
 * Plain numbers and short texts. Values that come from peers are in `running` alone, as they were sent: whoever shows them
 * escapes them (reliability O-9).
 */
import type { Samples } from "./series.ts";

/** One worker; the only one is the process itself. */
export interface WorkerStatus {
  readonly id: number;
  readonly pid: number;
  readonly generation: number;
  readonly state: string;
  readonly uptimeMs: number;
  /** Since it reported last: of one whose loop stands still it grows. */
  readonly silentMs: number;
  /** Share of the time in which its event loop had something to do, 0 to 1. */
  readonly utilisation: number;
  readonly delayMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Requests that came to their end. */
  readonly requests: number;
  readonly inFlight: number;
  readonly connections: number;
}

/** One request in flight. */
export interface RunningRequest {
  readonly protocol: string;
  readonly method: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  readonly user: string;
  readonly client: string;
  readonly ageMs: number;
}

/** A service. */
export interface Status {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly method: string;
  readonly address: string;
  readonly protocols: readonly string[];
  readonly engine: string;
  readonly transport: string;
  readonly uptimeMs: number;
  readonly generation: number;
  readonly reloads: number;
  readonly restarts: number;
  /** Connections that the kernel holds until they are accepted; −1 where nobody can tell. */
  readonly queue: number;
  readonly workers: readonly WorkerStatus[];
  /** Of all workers there are and were. */
  readonly counters: Samples;
  /** The oldest requests in flight; empty where many workers are asked together. */
  readonly running: readonly RunningRequest[];
}
