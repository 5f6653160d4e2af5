/**
 * Workers of one listening address → as many as wished, of the newest code that works, whatever happens to them.
 *
 * Everything — start, crash, reload, scaling, recycling — is a change of the wish, followed by {@link Pool.reconcile}:
 * what is missing is launched, and what is superseded retires once its successors are ready. Accepts no connection and
 * reads no option.
 */
import { Handover } from "./handover.ts";
import { type Heir, heirWorker } from "./heir.ts";
import type { Report } from "./messages.ts";
import type { PoolOwner, PoolPlan } from "./pool-plan.ts";
import { type Failure, ReloadQueue, STOPPING } from "./reload-queue.ts";
import { RestartLimits } from "./restart-limits.ts";
import { killIfLate, newWorker, noteLoad, type Parcel, type Worker } from "./worker.ts";

/** The workers of one address. */
export class Pool {
  readonly workers: Map<number, Worker> = new Map();
  generation = 0;
  size: number;
  /** Reloads that came to their end. */
  reloads = 0;
  /** Workers that ended unasked. */
  restarts = 0;
  readonly #plan: PoolPlan;
  readonly #owner: PoolOwner;
  readonly #limits: RestartLimits;
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
  /** The process that takes this pool's place, as one that takes connections. */
  #heir: Worker | undefined;

  constructor(plan: PoolPlan, owner: PoolOwner) {
    this.#plan = plan;
    this.#owner = owner;
    this.size = plan.size;
    this.#limits = new RestartLimits(plan.maxRestarts);
  }

  /** Workers that serve or are about to: of the newest generation, and not to be replaced. */
  get current(): Worker[] {
    return [...this.workers.values()].filter(
      (worker) =>
        worker.generation === this.generation && !worker.leaving && worker.state !== "retiring",
    );
  }

  /** Were all workers ready once? */
  get hasServed(): boolean {
    return this.#goodGeneration > 0;
  }

  /** Workers that take connections. */
  get serving(): Worker[] {
    return [...this.workers.values()].filter(({ state }) => state === "ready");
  }

  /** Workers that are to stay, of the newest generation if it is there already. */
  get #takers(): Worker[] {
    if (this.#heir !== undefined) return [this.#heir];
    const staying = this.serving.filter(({ leaving }) => !leaving);
    const newest = staying.filter(({ generation }) => generation === this.generation);
    return newest.length > 0 ? newest : staying;
  }

  /**
   * Has a worker give connections away, as many as it has and no more than `count`.
   *
   * @param to    who gets them
   * @param share part of its recent requests that shall go with them, from 0 to 1
   */
  yield(from: Worker, count: number, to: Worker, share = 1): void {
    from.channel.send({ kind: "yield", count, to: to.id, share });
  }

  /** Resolves when all are ready; rejects with a {@link Failure} when one cannot be, and then none is left. */
  start(): Promise<void> {
    return this.#queue.ask();
  }

  /** New workers with new code; resolves when they serve, rejects with a {@link Failure} when the old ones go on. */
  reload(): Promise<void> {
    // New code is tried even where nobody is wished: it may not load.
    this.size = Math.max(1, this.size);
    return this.#stopping ? Promise.reject(STOPPING) : this.#queue.ask();
  }

  #begin(): void {
    this.generation = ++this.#lastGeneration;
    // How the old code ended says nothing of the new, which somebody waits for.
    this.#limits.forget();
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

  /** Retires all; kept connections go to the heir while it is there. Resolves when they are gone. */
  stop(heir?: Heir): Promise<void> {
    this.#stopping = true;
    this.#queue.close(STOPPING);
    clearTimeout(this.#launchTimer);
    // Without an heir nobody will be there to take what others give away.
    if (heir === undefined) this.#disinherit();
    else this.#heir = heirWorker(heir, this.handover, () => this.#disinherit());
    return new Promise((resolve) => {
      this.#emptied = resolve;
      for (const worker of this.workers.values()) this.#retire(worker);
      this.#tellIfEmpty();
    });
  }

  #disinherit(): void {
    this.#heir = undefined;
    for (const { state, channel } of this.workers.values()) {
      if (state === "retiring") channel.send({ kind: "retire", handOver: false });
    }
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
    // Those that had nothing to do for longest are the spare ones.
    ready.sort((one, other) => other.activeMs - one.activeMs || one.id - other.id);
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
    const youngestMs = Math.max(...this.current.map(({ startedMs }) => startedMs));
    const waitMs = this.#limits.waitMs(performance.now(), youngestMs);
    if (waitMs > 0) {
      clearTimeout(this.#launchTimer);
      this.#launchTimer = setTimeout(() => this.reconcile(), waitMs);
      return;
    }
    const tries = this.#limits.isCalm ? count : 1;
    for (let launched = 0; launched < tries; launched++) this.#launch();
  }

  #launch(): void {
    const id = ++this.#lastId;
    const channel = this.#plan.launch({
      reported: (report, parcel) => this.#reported(worker, report, parcel),
      exited: (clause) => this.#exited(worker, clause),
    });
    const worker = newWorker(id, this.generation, channel, performance.now());
    this.workers.set(id, worker);
    channel.send(this.#plan.begin(id, this.generation));
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
    if (report.kind === "load") return noteLoad(worker, report.load, performance.now());
    if (report.kind === "worn") return this.#worn(worker);
    if (worker.state !== "starting") return;
    if (report.kind === "failed") return this.#failed(worker, report);
    if (report.kind !== "ready") return;
    worker.state = "ready";
    worker.facts = report.facts;
    worker.reportedMs = performance.now();
    worker.activeMs = worker.reportedMs;
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

  #worn(worker: Worker): void {
    if (worker.state !== "ready") return;
    worker.state = "retiring";
    this.#killIfLate(worker);
    this.#owner.worn?.(worker);
    this.reconcile();
  }

  /** A worker cannot begin. Of new code: the old code goes on. */
  #failed(worker: Worker, failure: Failure): void {
    worker.state = "retiring";
    worker.channel.kill();
    if (worker.generation === this.#goodGeneration || worker.generation !== this.generation) {
      // One that was to take another's place: its exit is counted, and the next is tried.
      worker.failed = worker.generation === this.generation;
      if (!this.#stopping) this.#owner.say(failure.sentence);
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
    // Until it is ready it serves nobody, and that may be never.
    if (this.#stopping && worker.state === "starting") worker.channel.kill();
    worker.state = "retiring";
    const handOver = this.#heir !== undefined || (!this.#stopping && this.#takers.length > 0);
    worker.channel.send({ kind: "retire", handOver });
    this.#killIfLate(worker);
  }

  #killIfLate(worker: Worker): void {
    killIfLate(worker, this.#plan.leaveMs, (line) => this.#owner.say(line));
  }

  #exited(worker: Worker, clause: string): void {
    const { state, id, channel } = worker;
    worker.state = "gone";
    this.workers.delete(id);
    this.handover.gone(worker);
    this.#tellIfEmpty();
    if (this.#stopping) return;
    const ended = `Worker ${id} (pid ${channel.pid}) ended with ${clause}`;
    if (state === "starting") {
      const sentence = `${ended} before it was ready.`;
      this.#failed(worker, { sentence, code: "", detail: "", status: 1 });
      worker.state = "gone";
    }
    if (state === "ready") this.#crashed(worker, ended);
    else if (worker.failed) this.#crashed(worker);
    this.reconcile();
  }

  /** @param ended what happened, where that was not said yet */
  #crashed(worker: Worker, ended?: string): void {
    this.restarts++;
    const nowMs = performance.now();
    const answered = (worker.load?.requests ?? 0) > 0;
    const goesOn = this.#limits.crashed(nowMs, nowMs - worker.startedMs, answered);
    const waitMs = this.#limits.waitMs(nowMs);
    // While others serve there is something to lose.
    const isOver = !goesOn && this.serving.length === 0;
    const after = waitMs === 0 ? "" : ` in ${(waitMs / 1_000).toFixed(1)} s`;
    const next = isOver ? "." : `; another takes its place${after}.`;
    if (ended !== undefined) this.#owner.say(`${ended}${next}`);
    if (!isOver) return;
    this.kill();
    this.#owner.gaveUp(this.#limits.verdict);
  }

  #tellIfEmpty(): void {
    if (this.workers.size === 0) this.#emptied?.();
  }
}
