/**
 * The main thread's side of its watchdog: heartbeats, and what the watchdog may ask while everything stands still.
 * One for each slow log. It does nothing in threads: an inspector reaches the main thread alone.
 */
import { isMainThread, Worker } from "node:worker_threads";
import { type WatchdogData, watchdogSource } from "./watchdog-thread.ts";

/** Under this symbol the watchdogs' questions are kept where an evaluated expression finds them. */
const QUESTIONS: unique symbol = Symbol.for("postern.slow") as never;

interface Asked {
  [QUESTIONS]?: Map<number, () => string>;
}

let count = 0;

function question(ask: () => string): { readonly expression: string; forget(): void } {
  const all = globalThis as Asked;
  if (all[QUESTIONS] === undefined) {
    Object.defineProperty(globalThis, QUESTIONS, { value: new Map(), enumerable: false });
  }
  const id = ++count;
  all[QUESTIONS]!.set(id, ask);
  return {
    expression: `globalThis[Symbol.for("postern.slow")]?.get(${id})?.() ?? ""`,
    forget: () => void all[QUESTIONS]!.delete(id),
  };
}

/** What a watchdog watches. */
export interface Watched {
  readonly path: string;
  readonly afterMs: number;
  /** Milliseconds between two heartbeats. */
  readonly beatMs: number;
  /** One line for each request that is slow by now and not written yet, joined; "" for none. */
  ask(): string;
  /** The thread is gone, and why. */
  failed(error: Error): void;
}

/** A running watchdog. */
export interface Watchdog {
  /** @param oldestMs when the oldest request began that is not written yet, by {@link performance}; 0: none */
  beat(oldestMs: number): void;
  close(): void;
}

/** Starts one; undefined in a thread, where none is possible. */
export function startWatchdog(watched: Watched): Watchdog | undefined {
  if (!isMainThread) return undefined;
  const { timeOrigin } = performance;
  const beats = new Float64Array(new SharedArrayBuffer(16));
  const { expression, forget } = question(() => watched.ask());
  const { path, afterMs } = watched;
  const workerData: WatchdogData = {
    beats,
    missedMs: watched.beatMs * 3,
    afterMs,
    path,
    expression,
  };
  beats[0] = timeOrigin + performance.now();
  const thread = new Worker(watchdogSource(), {
    eval: true,
    workerData,
    name: "postern watchdog",
    // Nothing of what the program was started with is to be loaded there again.
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
  thread.unref();
  thread.once("error", (error: Error) => watched.failed(error));
  return {
    beat(oldestMs): void {
      beats[0] = timeOrigin + performance.now();
      beats[1] = oldestMs === 0 ? 0 : timeOrigin + oldestMs;
    },
    close(): void {
      forget();
      void thread.terminate();
    },
  };
}
