/**
 * Reports of the workers → changes of the pool's wish: how many there are, and which of them is replaced.
 *
 * Looks at all of them every quarter of a second, and has the pure rules of scaling.ts and recycling.ts decide. Where nobody is
 * left it watches the socket, and starts one for whoever comes.
 */
import type { Pool } from "./pool.ts";
import { isRecycling, type RecyclingLimits, wearOf } from "./recycling.ts";
import { LOAD_PERIOD_MS } from "./load.ts";
import { type ScalingBounds, type WorkerActivity, wishedSize } from "./scaling.ts";
import { Scheduler } from "./scheduler.ts";
import { seemsBusy, type Worker } from "./worker.ts";

/** What a pool is steered by. */
export interface SteeringPlan {
  readonly bounds: ScalingBounds;
  readonly recycling: RecyclingLimits;
  /** Are connections moved from busy workers to others? */
  readonly balance: boolean;
  /** Calls once when somebody waits to be accepted; returns what ends that. Undefined where the system cannot tell. */
  readonly watch: ((ready: () => void) => () => void) | undefined;
  /** For the operator, one line. */
  readonly say: (line: string) => void;
}

function activityOf(worker: Worker, nowMs: number): WorkerActivity {
  const isBusy = seemsBusy(worker, nowMs);
  const hasRequests = isBusy || (worker.load?.inFlight ?? 0) > 0;
  return { isBusy, idleMs: hasRequests ? 0 : nowMs - worker.activeMs };
}

/** Keeps one pool within its bounds. */
export class Steering {
  readonly #pool: Pool;
  readonly #plan: SteeringPlan;
  /** One worker a request: then they are started when there is one, so that its code is of that moment. */
  readonly #isFresh: boolean;
  readonly #scheduler = new Scheduler();
  #bounds: ScalingBounds;
  #excessSinceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #endWatch: (() => void) | undefined;

  constructor(pool: Pool, plan: SteeringPlan) {
    this.#pool = pool;
    this.#plan = plan;
    this.#bounds = plan.bounds;
    this.#isFresh = plan.recycling.maxRequests === 1 && plan.watch !== undefined;
  }

  /** Steers from now on; keeps the process running, which may have no worker. Resolves when requests may come. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#tick(performance.now()), LOAD_PERIOD_MS);
    if (!this.#isFresh) return;
    // The one that showed that the application loads has code of that moment: no request is for it.
    this.#pool.resize(0);
    while (this.#pool.workers.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    this.#watchIfEmpty();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#endWatch?.();
    this.#endWatch = undefined;
  }

  /** So many workers from now on, whatever they do. */
  fix(workers: number): void {
    this.#bounds = { ...this.#bounds, mode: "static", workers };
    this.#pool.resize(workers);
  }

  /** A worker left after its one request: the next one brings its own. */
  worn(): void {
    if (!this.#isFresh) return;
    this.#pool.size = Math.max(0, this.#pool.size - 1);
    this.#watchIfEmpty();
  }

  #tick(nowMs: number): void {
    if (!this.#isFresh) this.#scale(nowMs);
    if (isRecycling(this.#plan.recycling)) this.#recycle(nowMs);
    if (this.#plan.balance) this.#balance(nowMs);
    this.#watchIfEmpty();
  }

  #scale(nowMs: number): void {
    const pool = this.#pool;
    const activities = pool.current.map((worker) => activityOf(worker, nowMs));
    const floor = this.#plan.watch === undefined ? 1 : 0;
    const bounds = this.#bounds;
    const since = this.#excessSinceMs;
    const wish = wishedSize(pool.size, activities, bounds, floor, nowMs, since);
    this.#excessSinceMs = wish.excessSinceMs;
    if (wish.size !== pool.size) pool.resize(wish.size);
  }

  #balance(nowMs: number): void {
    const serving = this.#pool.current.filter(({ state }) => state === "ready");
    if (serving.length < 2) return;
    const rates = serving.map((worker) => ({
      worker,
      rate: worker.rate,
      utilisation: worker.utilisation,
      connections: worker.load?.connections ?? 0,
    }));
    const move = this.#scheduler.look(rates, nowMs);
    if (move === undefined) return;
    this.#pool.yield(move.from.worker, move.count, move.to.worker, move.share);
  }

  /** One at a time: while another one is awaited nothing is replaced. */
  #recycle(nowMs: number): void {
    const { workers, current, size } = this.#pool;
    const isChanging = [...workers.values()].some(
      ({ state, leaving }) => state === "starting" || leaving,
    );
    if (isChanging || current.length < size) return;
    for (const worker of current) {
      const wear = this.#wearOf(worker, nowMs);
      if (wear === undefined) continue;
      const { id, channel } = worker;
      this.#plan.say(`Worker ${id} (pid ${channel.pid}) ${wear}; another takes its place.`);
      return this.#pool.replace(worker);
    }
  }

  #wearOf({ load, startedMs, share }: Worker, nowMs: number): string | undefined {
    if (load === undefined) return undefined;
    return wearOf(load, nowMs - startedMs, share, this.#plan.recycling);
  }

  /** Nobody is wished: whoever comes is waited for. */
  #watchIfEmpty(): void {
    const { watch } = this.#plan;
    const pool = this.#pool;
    if (watch === undefined || this.#endWatch !== undefined || pool.size > 0) return;
    if (pool.workers.size >= this.#bounds.maxChildren) return;
    this.#endWatch = watch(() => {
      this.#endWatch = undefined;
      if (pool.size === 0) pool.resize(1);
    });
  }
}
