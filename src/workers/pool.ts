/**
 * Workers of one listening address → as many as wished, of the newest code that works, whatever happens to them.
 *
 * Everything — start, crash, reload, scaling, recycling — is a change of the wish, followed by {@link Pool.reconcile}:
 * what is missing is launched, and what is superseded retires once its successors are ready. Accepts no connection and
 * reads no option.
 */
import { Handover } from "./handover.ts";
import type { Order, Report } from "./messages.ts";
import { type Failure, ReloadQueue } from "./reload-queue.ts";
import { RestartLimits } from "./restart-limits.ts";
import type { Launch, Parcel, Worker } from "./worker.ts";

/** Time beyond drain and kill before a retiring worker is killed, in milliseconds: it ends itself before. */
const KILL_MARGIN_MS = 2_000;

/** What a pool is made of. */
export interface PoolPlan {
  /** Workers that are wished at first. */
  readonly size: number;
  readonly launch: Launch;
  /** The first order of a worker. */
  readonly begin: (id: number, generation: number) => Order;
  /** Longest time to get ready, in milliseconds. */
  readonly readyMs: number;
  /** Longest time to leave, in milliseconds; 0: as long as it takes. */
  readonly leaveMs: number;
}

/** Who hears of what happens. */
export interface PoolOwner {
  /** For the operator, one line. */
  say(line: string): void;
  /** A worker is ready; the first time the address may be put in place. Throws when that fails. */
  ready(worker: Worker): void;
  /** The application cannot be kept up; nothing is tried again. */
  gaveUp(sentence: string): void;
}

const STOPPING: Failure = { sentence: "It is stopping.", code: "", detail: "", status: 1 };

/** The workers of one address. */
export class Pool {
  readonly workers: Map<number, Worker> = new Map();
  generation = 0;
  size: number;
  /** Reloads that came to their end. */
  reloads = 0;
  readonly #plan: PoolPlan;
  readonly #owner: PoolOwner;
  readonly #limits = new RestartLimits();
  /** Connections that pass between workers. */
  readonly handover: Handover = new Handover(() => this.#takers);
  /** The newest generation of which all workers were ready. */
  #goodGeneration = 0;
  #lastGeneration = 0;
  #lastId = 0;
  #stopping = false;
  #launchTimer: NodeJS.Timeout | undefined;
  readonly #queue: ReloadQueue = new ReloadQueue(() => this.#begin());
  #emptied: (() => void) | undefined;

  constructor(plan: PoolPlan, owner: PoolOwner) {
    this.#plan = plan;
    this.#owner = owner;
    this.size = plan.size;
  }

  /** Workers that serve or are about to: of the newest generation, and not to be replaced. */
  get current(): Worker[] {
    return [...this.workers.values()].filter(
      (worker) =>
        worker.generation === this.generation && !worker.leaving && worker.state !== "retiring",
    );
  }

  /** Workers that take connections. */
  get serving(): Worker[] {
    return [...this.workers.values()].filter(({ state }) => state === "ready");
  }

  /** Workers that are to stay, of the newest generation if it is there already. */
  get #takers(): Worker[] {
    const staying = this.serving.filter(({ leaving }) => !leaving);
    const newest = staying.filter(({ generation }) => generation === this.generation);
    return newest.length > 0 ? newest : staying;
  }

  /**
   * Has a worker give idle connections away, as many as it has and no more than `count`.
   *
   * @param to who gets them
   */
  yield(from: Worker, count: number, to: Worker): void {
    from.channel.send({ kind: "yield", count, to: to.id });
  }

  /** Resolves when all are ready; rejects with a {@link Failure} when one cannot be, and then none is left. */
  start(): Promise<void> {
    return this.#queue.ask();
  }

  /** New workers with new code; resolves when they serve, rejects with a {@link Failure} when the old ones go on. */
  reload(): Promise<void> {
    return this.#stopping ? Promise.reject(STOPPING) : this.#queue.ask();
  }

  #begin(): void {
    this.generation = ++this.#lastGeneration;
    this.reconcile();
  }

  /** Another number of workers. */
  resize(size: number): void {
    this.size = size;
    this.reconcile();
  }

  /** Another worker takes its place, and then it retires. */
  replace(worker: Worker): void {
    if (worker.state !== "ready") return;
    worker.leaving = true;
    this.reconcile();
  }

  /** Retires all; resolves when they are gone. */
  stop(): Promise<void> {
    this.#stopping = true;
    this.#queue.close(STOPPING);
    clearTimeout(this.#launchTimer);
    return new Promise((resolve) => {
      this.#emptied = resolve;
      for (const worker of this.workers.values()) {
        // Nobody will be there to take what others give away.
        if (worker.state === "retiring") worker.channel.send({ kind: "retire", handOver: false });
        this.#retire(worker);
      }
      this.#tellIfEmpty();
    });
  }

  /** Kills all, now. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#launchTimer);
    for (const { channel } of this.workers.values()) channel.kill();
  }

  /** Does what brings the workers nearer to what is wished. */
  reconcile(): void {
    if (this.#stopping) return;
    const missing = this.size - this.current.length;
    if (missing > 0) this.#launchSome(missing);
    const ready = this.current.filter(({ state }) => state === "ready");
    if (ready.length < this.size) return;
    for (const worker of ready.slice(this.size)) this.#retire(worker);
    for (const worker of this.workers.values()) {
      if (worker.leaving || worker.generation !== this.generation) this.#retire(worker);
    }
    this.#settled();
  }

  #settled(): void {
    if (!this.#queue.busy || this.#goodGeneration === this.generation) return;
    if (this.#goodGeneration > 0) this.reloads++;
    this.#goodGeneration = this.generation;
    this.#queue.done();
  }

  #launchSome(count: number): void {
    const waitMs = this.#limits.waitMs(performance.now());
    if (waitMs > 0) {
      clearTimeout(this.#launchTimer);
      this.#launchTimer = setTimeout(() => this.reconcile(), waitMs);
      return;
    }
    for (let launched = 0; launched < count; launched++) this.#launch();
  }

  #launch(): void {
    const id = ++this.#lastId;
    const { generation } = this;
    const channel = this.#plan.launch({
      reported: (report, parcel) => this.#reported(worker, report, parcel),
      exited: (clause) => this.#exited(worker, clause),
    });
    const startedMs = performance.now();
    const worker: Worker = {
      id,
      generation,
      channel,
      startedMs,
      state: "starting",
      leaving: false,
      facts: undefined,
    };
    this.workers.set(id, worker);
    channel.send(this.#plan.begin(id, generation));
    setTimeout(() => {
      if (worker.state !== "starting") return;
      const seconds = this.#plan.readyMs / 1_000;
      const sentence = `Worker ${id} (pid ${channel.pid}) is not ready after ${seconds} s; look at what it awaits.`;
      this.#failed(worker, { sentence, code: "", detail: "", status: 1 });
    }, this.#plan.readyMs).unref();
  }

  #reported(worker: Worker, report: Report, parcel: Parcel | undefined): void {
    if (this.handover.heard(worker, report, parcel)) return;
    if (report.kind === "leaving") return this.replace(worker);
    if (worker.state !== "starting") return;
    if (report.kind === "failed") return this.#failed(worker, report);
    if (report.kind !== "ready") return;
    worker.state = "ready";
    worker.facts = report.facts;
    try {
      this.#owner.ready(worker);
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      return this.#failed(worker, { sentence, code: "", detail: "", status: 2 });
    }
    // It was superseded while it got ready.
    if (worker.generation !== this.generation) this.#retire(worker);
    this.reconcile();
  }

  /** A worker cannot begin. Of new code: the old code goes on. */
  #failed(worker: Worker, failure: Failure): void {
    worker.state = "retiring";
    worker.channel.kill();
    if (worker.generation === this.#goodGeneration || worker.generation !== this.generation) {
      // One that was to take a crashed worker's place: its exit is counted, and another is tried.
      this.#owner.say(failure.sentence);
      return;
    }
    for (const other of this.workers.values()) {
      if (other.generation !== this.generation) continue;
      other.state = "retiring";
      other.channel.kill();
    }
    if (this.#goodGeneration === 0) this.#stopping = true;
    this.generation = this.#goodGeneration;
    this.#queue.fail(failure);
  }

  #retire(worker: Worker): void {
    if (worker.state === "retiring" || worker.state === "gone") return;
    worker.state = "retiring";
    const handOver = !this.#stopping && this.#takers.length > 0;
    worker.channel.send({ kind: "retire", handOver });
    const { leaveMs } = this.#plan;
    if (leaveMs === 0) return;
    setTimeout(() => {
      if (worker.state === "gone") return;
      this.#owner.say(
        `Worker ${worker.id} (pid ${worker.channel.pid}) did not leave in time and is killed.`,
      );
      worker.channel.kill();
    }, leaveMs + KILL_MARGIN_MS).unref();
  }

  #exited(worker: Worker, clause: string): void {
    const { state, id, channel } = worker;
    worker.state = "gone";
    this.workers.delete(id);
    this.handover.gone(worker);
    this.#tellIfEmpty();
    if (this.#stopping) return;
    if (state === "starting") {
      const sentence = `Worker ${id} (pid ${channel.pid}) ended with ${clause} before it was ready.`;
      this.#failedLate(worker, sentence);
    } else if (state === "ready") {
      this.#owner.say(
        `Worker ${id} (pid ${channel.pid}) ended with ${clause}; another takes its place.`,
      );
    }
    if (state !== "retiring" || this.current.length < this.size) this.#crashed();
    this.reconcile();
  }

  #failedLate(worker: Worker, sentence: string): void {
    this.#failed(worker, { sentence, code: "", detail: "", status: 1 });
    worker.state = "gone";
  }

  #crashed(): void {
    if (this.#limits.crashed(performance.now())) return;
    this.kill();
    this.#owner.gaveUp(
      `Workers ended ${this.#limits.maxCount} times in ${this.#limits.windowMs / 1_000} s; see the lines above.`,
    );
  }

  #tellIfEmpty(): void {
    if (this.workers.size === 0) this.#emptied?.();
  }
}
