/**
 * A pool and the reports of its workers → the status of the whole service, made in the primary: it answers while every
 * worker is busy, blocked or gone.
 *
 * Counters of workers that are gone are kept, so that no total ever falls. Asks no worker anything.
 */
import { addSamples, type Samples } from "../observe/series.ts";
import type { Status, WorkerStatus } from "../observe/status.ts";
import { listenQueue, socketInode } from "../server/listen-queue.ts";
import type { Worker } from "./worker.ts";

/** How often reports are looked at, in milliseconds: what a worker counted after the last look goes with it. */
const LOOK_MS = 250;

/** What of a pool is shown. */
export interface ShownPool {
  readonly workers: ReadonlyMap<number, Worker>;
  readonly generation: number;
  readonly reloads: number;
  readonly restarts: number;
}

/** What the primary knows beside its pool. */
export interface PrimaryFacts {
  readonly version: string;
  readonly method: string;
  /** For people: `unix:/run/x.sock`. */
  readonly address: string;
  /** The listening descriptor. */
  readonly fd: number;
}

function workerStatus(worker: Worker, nowMs: number): WorkerStatus {
  const { id, generation, state, startedMs, reportedMs, load } = worker;
  return {
    id,
    pid: worker.channel.pid,
    generation,
    state,
    uptimeMs: nowMs - startedMs,
    silentMs: Math.max(0, nowMs - reportedMs),
    utilisation: load?.utilisation ?? 0,
    delayMs: load?.delayMs ?? 0,
    rssBytes: load?.rssBytes ?? 0,
    heapBytes: load?.heapBytes ?? 0,
    requests: load?.requests ?? 0,
    inFlight: load?.inFlight ?? 0,
    connections: load?.connections ?? 0,
  };
}

/** The status of one pool. */
export class PoolStatus {
  readonly #pool: ShownPool;
  readonly #facts: PrimaryFacts;
  readonly #inode: string;
  readonly #startedMs = performance.now();
  /** Newest samples of workers there are. */
  readonly #newest = new Map<number, Samples>();
  /** Of workers that are gone. */
  readonly #former: Record<string, number> = {};

  constructor(pool: ShownPool, facts: PrimaryFacts) {
    this.#pool = pool;
    this.#facts = facts;
    this.#inode = socketInode(facts.fd);
    setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    for (const { id, load } of this.#pool.workers.values()) {
      if (load !== undefined) this.#newest.set(id, load.counters);
    }
    for (const [id, samples] of this.#newest) {
      if (this.#pool.workers.has(id)) continue;
      this.#newest.delete(id);
      addSamples(this.#former, samples);
    }
  }

  /** The status now. */
  read(): Status {
    this.#look();
    const { generation, reloads, restarts } = this.#pool;
    const { version, method, address } = this.#facts;
    const nowMs = performance.now();
    const counters = { ...this.#former };
    for (const samples of this.#newest.values()) addSamples(counters, samples);
    const workers = [...this.#pool.workers.values()];
    const facts = workers.find((worker) => worker.facts !== undefined)?.facts;
    return {
      version,
      node: process.version,
      pid: process.pid,
      method,
      address,
      protocols: facts?.protocols ?? [],
      engine: facts?.engine ?? "",
      transport: facts?.transport ?? "",
      uptimeMs: nowMs - this.#startedMs,
      generation,
      reloads,
      restarts,
      queue: listenQueue(this.#inode),
      workers: workers.map((worker) => workerStatus(worker, nowMs)),
      counters,
      running: [],
    };
  }
}
