/**
 * A worker as the pool sees it: what it is, how far it is, and the two ends of its channel.
 *
 * Two kinds exist, processes (worker-process.ts) and threads (worker-thread.ts); neither decides anything.
 */
import type { PassedSocket } from "../connection/passed-socket.ts";
import type { Order, ReadyFacts, Report } from "./messages.ts";

/** A connection on its way between two workers, as the primary holds it: unread. */
export interface Parcel {
  /** What the channel of the next worker sends. */
  readonly passed: PassedSocket;
  /** Closes the primary's part of it. */
  close(): void;
}

/** The worker's end, whatever it runs in. */
export interface WorkerChannel {
  /** Id of its process; of a thread: ours. */
  readonly pid: number;
  /** @param parcel what goes beside the order; it stays the caller's */
  send(order: Order, parcel?: Parcel): void;
  /** Ends it at once. */
  kill(): void;
}

/** Who listens to a worker. */
export interface WorkerListener {
  /** @param parcel what came beside the report, and is the listener's to close */
  reported(report: Report, parcel?: Parcel): void;
  /** Once, and last: how it ended, as a clause such as "exit status 1" or "SIGKILL". */
  exited(how: string): void;
}

/** Starts a worker that waits for its first order. */
export type Launch = (listener: WorkerListener) => WorkerChannel;

/** How far a worker is. */
export type WorkerState = "starting" | "ready" | "retiring" | "gone";

/** One worker. Only the pool writes to it. */
export interface Worker {
  /** Counts up from 1, and is never given twice. */
  readonly id: number;
  /** Which load of the application's code it runs; counts up from 1. */
  readonly generation: number;
  readonly channel: WorkerChannel;
  readonly startedMs: number;
  state: WorkerState;
  /** It is to go as soon as another one is ready in its place. */
  leaving: boolean;
  facts: ReadyFacts | undefined;
}
