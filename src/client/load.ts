/**
 * One request, over and over on several connections → how many were answered, with which status, how fast.
 *
 * Each connection has one request at a time. Small on purpose: a load test from one process of Node shows what an
 * application does, not where a fast one ends.
 */
import { ClientConnection } from "./client.ts";
import { Latencies } from "./latencies.ts";
import type { ConnectionOptions, RequestOptions } from "./session.ts";

/** What is to be done. */
export interface LoadPlan {
  readonly connection: ConnectionOptions;
  /** With a body that can be sent again: bytes, or none. */
  readonly request: RequestOptions;
  readonly connections: number;
  /** Requests in all; Infinity: until the time is over. */
  readonly requests: number;
  readonly durationMs: number;
  /** Longest time of one request. */
  readonly requestMs: number;
  /** Ends it early; what is under way is waited for. */
  readonly signal: AbortSignal;
}

/** What came of it, also while it runs. */
export class LoadTally {
  readonly latencies: Latencies = new Latencies();
  /** Answers by status. */
  readonly statuses: Map<number, number> = new Map<number, number>();
  /** Requests without a whole answer, by the sentence that says why. */
  readonly failures: Map<string, number> = new Map<string, number>();
  bodyBytes = 0;
  failed = 0;
  /** What went wrong first. */
  firstError: unknown;
  elapsedMs = 0;

  /** Answers that came whole. */
  get answered(): number {
    return this.latencies.count;
  }
}

/** Who has begun how much. */
class LoadRun {
  readonly #plan: LoadPlan;
  readonly #tally: LoadTally;
  readonly #startedMs = performance.now();
  #begun = 0;

  constructor(plan: LoadPlan, tally: LoadTally) {
    this.#plan = plan;
    this.#tally = tally;
  }

  /** Sends one request after the other over one connection. */
  async drive(): Promise<void> {
    const connection = new ClientConnection(this.#plan.connection);
    while (this.#goesOn()) {
      this.#begun += 1;
      await this.#ask(connection);
      this.#tally.elapsedMs = performance.now() - this.#startedMs;
    }
    connection.close();
  }

  #goesOn(): boolean {
    const { requests, durationMs, signal, connections } = this.#plan;
    const { answered, failed } = this.#tally;
    // Nobody is there: asking as fast as the system refuses would tell nothing more.
    if (answered === 0 && failed >= connections) return false;
    const isOver = performance.now() - this.#startedMs >= durationMs;
    return this.#begun < requests && !isOver && !signal.aborted;
  }

  async #ask(connection: ClientConnection): Promise<void> {
    const tally = this.#tally;
    const beganMs = performance.now();
    const signal = AbortSignal.timeout(this.#plan.requestMs);
    try {
      const response = await connection.request({ ...this.#plan.request, signal });
      for await (const piece of response.body) tally.bodyBytes += piece.length;
      tally.latencies.add(performance.now() - beganMs);
      tally.statuses.set(response.status, (tally.statuses.get(response.status) ?? 0) + 1);
    } catch (error) {
      tally.failed += 1;
      tally.firstError ??= error;
      const sentence = error instanceof Error ? error.message : String(error);
      tally.failures.set(sentence, (tally.failures.get(sentence) ?? 0) + 1);
    }
  }
}

/**
 * Runs it to its end.
 *
 * @param tally filled as it goes, so that progress can be shown
 */
export async function runLoad(plan: LoadPlan, tally: LoadTally): Promise<void> {
  const run = new LoadRun(plan, tally);
  await Promise.all(Array.from({ length: plan.connections }, () => run.drive()));
}
