/**
 * What a pool of workers is made of, and who hears of what happens to them.
 *
 * Shapes and nothing else; cli/primary.ts fills them, pool.ts keeps to them.
 */
import type { Order } from "./messages.ts";
import type { Launch, Worker } from "./worker.ts";

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
  /** Quick ends of workers in a minute after which it is given up; Infinity: never; 10 where nothing is said. */
  readonly maxRestarts?: number;
}

/** Who hears of what happens. */
export interface PoolOwner {
  /** For the operator, one line. */
  say(line: string): void;
  /** A worker is ready; the first time the address may be put in place. Throws when that fails. */
  ready(worker: Worker): void;
  /** A worker has had all the requests it is allowed, and leaves. */
  worn?(worker: Worker): void;
  /** The application cannot be kept up; nothing is tried again. */
  gaveUp(sentence: string): void;
}
