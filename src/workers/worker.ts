/**
 * A worker as the pool sees it: what it is, how far it is, and the two ends of its channel.
 *
 * Two kinds exist, processes (worker-process.ts) and threads (worker-thread.ts); neither decides anything.
 */
import { type Load, OVERDUE_MS } from "./load.ts";
import type { PassedSocket } from "../connection/passed-socket.ts";
import type { Order, ReadyFacts, Report } from "./messages.ts";
import { isBusy } from "./scaling.ts";

/** Time beyond drain and kill before a retiring worker is killed, in milliseconds: it ends itself before. */
const KILL_MARGIN_MS = 2_000;

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
  /** It could not begin, or was killed for that. */
  failed: boolean;
  /** Its last report, and how its event loop is on average over the last few. */
  load: Load | undefined;
  utilisation: number;
  /** Requests that it answers a second, on average over the last few reports. */
  rate: number;
  /** When that came; when it got ready, where none has come. */
  reportedMs: number;
  /** When it was last seen to have a request. */
  activeMs: number;
  /** Too busy for more, as far as its reports tell. */
  isBusy: boolean;
  /** Its share of the jitter with which workers wear out, from 0 to 1. */
  readonly share: number;
}

/** A worker that has just been launched. */
export function newWorker(
  id: number,
  generation: number,
  channel: WorkerChannel,
  startedMs: number,
): Worker {
  return {
    id,
    generation,
    channel,
    startedMs,
    state: "starting",
    leaving: false,
    facts: undefined,
    failed: false,
    load: undefined,
    utilisation: 0,
    rate: 0,
    reportedMs: startedMs,
    activeMs: startedMs,
    isBusy: false,
    share: Math.random(),
  };
}

/** How much the newest report counts in the average. */
const NEWEST_PART = 0.5;

/** Keeps what a worker reports. */
export function noteLoad(worker: Worker, load: Load, nowMs: number): void {
  const answered = Math.max(0, load.requests - (worker.load?.requests ?? 0));
  const rate = (1_000 * answered) / Math.max(1, nowMs - worker.reportedMs);
  worker.rate = NEWEST_PART * rate + (1 - NEWEST_PART) * worker.rate;
  const hasRequests = load.inFlight > 0 || load.requests > (worker.load?.requests ?? 0);
  const sum = NEWEST_PART * load.utilisation + (1 - NEWEST_PART) * worker.utilisation;
  // What it was busy with before says nothing of one that has nothing to do.
  worker.utilisation = hasRequests ? sum : load.utilisation;
  worker.isBusy = isBusy(hasRequests, worker.utilisation, worker.isBusy);
  if (hasRequests) worker.activeMs = nowMs;
  worker.load = load;
  worker.reportedMs = nowMs;
}

/** Does it do nothing but wait for an event loop that is blocked, or is it too busy for more? */
export function seemsBusy(worker: Worker, nowMs: number): boolean {
  if (worker.state !== "ready") return false;
  return worker.isBusy || nowMs - worker.reportedMs > OVERDUE_MS;
}

/** Kills a worker that was told to leave and is still there long after its time; `leaveMs` 0: it may take any time. */
export function killIfLate(worker: Worker, leaveMs: number, say: (line: string) => void): void {
  if (leaveMs === 0) return;
  setTimeout(() => {
    if (worker.state === "gone") return;
    const { id, channel } = worker;
    say(`Worker ${id} (pid ${channel.pid}) did not leave in time and is killed.`);
    channel.kill();
  }, leaveMs + KILL_MARGIN_MS).unref();
}
