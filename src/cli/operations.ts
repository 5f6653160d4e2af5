/**
 * What a primary can be told to do, whoever says so: a signal, or a client of the control socket.
 *
 * One place for the state of the whole, so that an upgrade, a reload and a stop know of each other. How workers come and
 * go is workers/pool.ts's, how another primary takes over upgrade.ts's.
 */
import { readVersion } from "../serve/version.ts";
import type { ControlRequest, Refusal, Status, WorkerStatus } from "../workers/control-messages.ts";
import type { ControlActions, ControlServer } from "../workers/control-server.ts";
import type { Pool } from "../workers/pool.ts";
import type { Failure } from "../workers/reload-queue.ts";
import type { Steering } from "../workers/steering.ts";
import type { Service } from "../workers/service.ts";
import type { Worker } from "../workers/worker.ts";
import type { StartFacts } from "../workers/start-place.ts";
import type { Legacy } from "../workers/upgrade-messages.ts";
import type { Estate } from "./estate.ts";
import { Upgrade } from "./upgrade.ts";

/** What a primary consists of. */
export interface PrimaryParts {
  readonly pool: Pool;
  readonly steering: Steering;
  readonly estate: Estate;
  readonly service: Service;
  readonly start: StartFacts;
  readonly method: string;
  /** Longest time for workers to get ready, in milliseconds. */
  readonly readyMs: number;
  /** What the primary before this one counted. */
  readonly before: Pick<Legacy, "reloads" | "upgrades" | "fixed">;
  say(line: string): void;
  /** Opens log files anew, also those of the workers. */
  reopen(): void;
  /** Ends the process; what was said is out. */
  end(status: number): void;
}

/** How often it is looked whether as many workers serve as are wished, in milliseconds. */
const LOOK_MS = 20;

/** Longest wait for connections on their way to others, at the end, in milliseconds. */
const DELIVERY_MS = 5_000;

const refusal = (sentence: string, detail = ""): Refusal => ({ sentence, detail });

/** What a worker last told, and how long that is ago. */
function loadOf({ load, reportedMs }: Worker, nowMs: number): Record<string, number> {
  if (load === undefined) return {};
  const { counters, ...numbers } = load;
  return { ...counters, ...numbers, ageMs: Math.round(nowMs - reportedMs) };
}

/** The operations of one primary. */
export class Operations implements ControlActions {
  control: ControlServer | undefined;
  readonly #parts: PrimaryParts;
  readonly #startedMs: number = performance.now();
  readonly #upgrade: Upgrade;
  /** As many workers as somebody asked for; 0: as the options say. */
  #fixed: number;
  #reloading = 0;
  /** How the last reload ended: a generation that serves, or the failure. */
  #outcome: unknown;
  #stopped: Promise<void> | undefined;
  #isServing = false;
  /** An upgrade that was asked for before there was something to hand over. */
  #wanted: string | undefined;

  constructor(parts: PrimaryParts) {
    this.#parts = parts;
    this.#fixed = parts.before.fixed;
    this.#upgrade = new Upgrade(parts, {
      control: () => this.control,
      reloads: () => this.#reloads,
      isStopping: () => this.#stopped !== undefined,
      fixed: () => this.#fixed,
      line: () => this.#line(),
    });
  }

  async obey(request: ControlRequest): Promise<Readonly<Record<string, unknown>>> {
    const { pool } = this.#parts;
    switch (request.verb) {
      case "status":
        return { ...this.status() };
      case "workers":
        return { workers: this.#workers() };
      case "reload":
        await this.reload("postern reload");
        return { generation: pool.generation, reloads: this.#reloads };
      case "scale":
        return this.#scale(request.count);
      case "upgrade":
        return { pid: await this.upgrade("postern upgrade") };
      case "reopen":
        this.reopen();
        return {};
      case "stop":
        void this.stop("postern stop");
        return { pid: process.pid };
    }
  }

  /** What is known of the whole. */
  status(): Status {
    const { pool, estate, method, before } = this.#parts;
    return {
      version: readVersion(),
      node: process.version,
      pid: process.pid,
      uptimeMs: Math.round(performance.now() - this.#startedMs),
      address: estate.held.text,
      protocols: pool.serving.find(({ facts }) => facts !== undefined)?.facts?.protocols ?? [],
      method,
      state: this.#state,
      generation: pool.generation,
      reloads: this.#reloads,
      upgrades: before.upgrades,
      size: pool.size,
      workers: this.#workers(),
    };
  }

  get #state(): string {
    if (this.#stopped !== undefined) return "stopping";
    if (this.#upgrade.isBusy) return "upgrading";
    return this.#reloading > 0 ? "reloading" : "serving";
  }

  get #reloads(): number {
    return this.#parts.before.reloads + this.#parts.pool.reloads;
  }

  #workers(): WorkerStatus[] {
    const nowMs = performance.now();
    return [...this.#parts.pool.workers.values()].map((worker) => ({
      id: worker.id,
      pid: worker.channel.pid,
      generation: worker.generation,
      state: worker.state,
      uptimeMs: Math.round(nowMs - worker.startedMs),
      load: loadOf(worker, nowMs),
    }));
  }

  /** New workers with new code; rejects with a {@link Failure} when the old ones go on. */
  async reload(why: string): Promise<void> {
    const { pool, say, service } = this.#parts;
    if (this.isStopping) throw refusal("It is stopping.");
    say(`${why}: loading the application anew`);
    // A supervisor that awaits the start is told of nothing else.
    if (this.#isServing) service.reloading("loading the application anew");
    this.#reloading++;
    try {
      await pool.reload();
      this.#sayOnce(pool.generation, "the new workers serve");
    } catch (failure) {
      const { sentence, detail } = failure as Failure;
      const line = `the old workers go on, since new ones cannot begin: ${sentence}\n${detail}`;
      this.#sayOnce(failure, line.trimEnd());
      throw failure;
    } finally {
      this.#reloading--;
      this.#tellLine();
    }
  }

  /** Says how a reload ended, one line for all who asked for it; nothing where none of the workers goes on. */
  #sayOnce(outcome: unknown, line: string): void {
    if (outcome !== this.#outcome && !this.isStopping) this.#parts.say(line);
    this.#outcome = outcome;
  }

  /** Tells the supervisor that everything is as it was. */
  #tellLine(): void {
    if (this.#isServing && this.#state === "serving") this.#parts.service.ready(this.#line());
  }

  #line(): string {
    const { pool, estate } = this.#parts;
    return `${pool.size} workers on ${estate.held.text}, generation ${pool.generation}, ${this.#reloads} reloads`;
  }

  async #scale(count: number): Promise<Readonly<Record<string, unknown>>> {
    const { pool, steering, say, readyMs } = this.#parts;
    const former = pool.size;
    say(`postern scale: ${count} workers instead of ${former}`);
    steering.fix(count);
    this.#fixed = count;
    const endMs = performance.now() + readyMs;
    const isDone = (): boolean => {
      const ready = pool.current.filter(({ state }) => state === "ready");
      return ready.length === count && pool.current.length === count;
    };
    while (!isDone()) {
      if (pool.size !== count) throw refusal("Another number of workers was asked for meanwhile.");
      if (performance.now() > endMs) throw refusal(`The ${count} workers are not ready in time.`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    this.#tellLine();
    return { count, former };
  }

  /**
   * Everything is in place: the supervisor may know.
   *
   * @returns false where it was stopped meanwhile
   */
  serving(): boolean {
    if (this.isStopping) {
      this.control?.close();
      return false;
    }
    this.#isServing = true;
    this.#tellLine();
    if (this.#wanted !== undefined) this.upgrade(this.#wanted).catch(() => undefined);
    return true;
  }

  /** Was it told to stop, or has another one taken its place? */
  get isStopping(): boolean {
    return this.#stopped !== undefined;
  }

  /** Opens log files anew. */
  reopen(): void {
    this.#parts.reopen();
  }

  /** Ends at once, whatever runs. */
  force(): void {
    this.#parts.pool.kill();
    this.#parts.end(1);
  }

  /** Lets everything finish, and ends the process; the second time it waits for the first. */
  stop(why: string): Promise<void> {
    this.#stopped ??= this.#stop(why);
    return this.#stopped;
  }

  async #stop(why: string): Promise<void> {
    const { pool, steering, estate, say, service } = this.#parts;
    say(`${why}: finishing what runs`);
    service.stopping("finishing what runs");
    this.#upgrade.cancel();
    steering.stop();
    this.control?.close();
    const { hasServed } = pool;
    await estate.release();
    await this.#leave(pool.stop(), hasServed ? 0 : 1);
  }

  /**
   * A new primary takes this one's place.
   *
   * @returns its process id; this process ends by itself
   * @throws a {@link Refusal} when this one goes on
   */
  async upgrade(why: string): Promise<number> {
    if (!this.#isServing) {
      this.#wanted = why;
      throw refusal("It is starting; the upgrade follows.");
    }
    return this.#upgrade.begin(why, (heir) => {
      const { steering, pool } = this.#parts;
      steering.stop();
      this.#stopped = this.#leave(
        pool.stop(heir).then(() => this.#delivered()),
        0,
      );
    });
  }

  /** Connections that the last workers gave away are read from their channels and taken by others. */
  async #delivered(): Promise<void> {
    const { handover } = this.#parts.pool;
    const endMs = performance.now() + DELIVERY_MS;
    // An exit may be seen before the last words: twice empty is empty.
    for (let empty = 0; empty < 2 && performance.now() < endMs; ) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      empty = handover.underWay === 0 ? empty + 1 : 0;
    }
  }

  async #leave(emptied: Promise<void>, status: number): Promise<void> {
    const { service } = this.#parts;
    await emptied;
    await service.told;
    this.#parts.end(status);
  }
}
