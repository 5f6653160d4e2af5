/**
 * What the workers do + bounds → how many there should be, by runfcgi's minspare, maxspare and maxchildren.
 *
 * A spare worker is one that could take more: it has no requests, or has them and its event loop mostly waits. Connections do
 * not count: front servers keep a few open, idle or not. Pure: it is told the time, and keeps nothing.
 */

/** How the number of workers is found. */
export type ScalingMode = "static" | "dynamic" | "ondemand";

/** What the operator allows. */
export interface ScalingBounds {
  readonly mode: ScalingMode;
  /** Of `static`: how many. */
  readonly workers: number;
  /** Of `dynamic`: fewest and most spare workers. */
  readonly minSpare: number;
  readonly maxSpare: number;
  /** Most workers at all. */
  readonly maxChildren: number;
  /** Of `ondemand`: a worker without a request for so long is let go, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/** One worker that serves or is about to. */
export interface WorkerActivity {
  /** Is it too busy for more? One that starts is not: it will be spare. */
  readonly isBusy: boolean;
  /** Time since it had a request, or since it began. */
  readonly idleMs: number;
}

/** The answer. */
export interface Wish {
  readonly size: number;
  /** Since when there are too many spare workers; 0: there are not. For the next call. */
  readonly excessSinceMs: number;
}

/** Utilisation from which an event loop with requests is busy, and below which it is spare again. */
const BUSY_FROM = 0.6;
const SPARE_BELOW = 0.4;
/** Too many spare workers for so long, and one goes; then one more each step, in milliseconds. */
const CALM_MS = 5_000;
const STEP_MS = 1_000;

/**
 * Is a worker busy?
 *
 * Both must be so: it has or had requests, since an application's own work would not become less by more workers; and its
 * loop is utilised, since requests that wait for a database keep nobody else waiting. What is in flight at one moment is not
 * enough: of a handler that computes nothing is ever in flight when the loop gets to tell.
 *
 * @param hasRequests in flight, or answered since the last report
 * @param utilisation from 0 to 1
 */
export function isBusy(hasRequests: boolean, utilisation: number, wasBusy: boolean): boolean {
  return hasRequests && utilisation >= (wasBusy ? SPARE_BELOW : BUSY_FROM);
}

/** Workers to begin with. `ondemand` begins with one too: so that an application that does not load is told at once. */
export function firstSize({ mode, workers, minSpare }: ScalingBounds): number {
  if (mode === "ondemand") return 1;
  return mode === "static" ? workers : minSpare;
}

function dynamicWish(
  size: number,
  spare: number,
  bounds: ScalingBounds,
  nowMs: number,
  excessSinceMs: number,
): Wish {
  const { minSpare, maxSpare, maxChildren } = bounds;
  if (spare < minSpare) {
    return { size: Math.min(maxChildren, size + minSpare - spare), excessSinceMs: 0 };
  }
  if (spare <= maxSpare) return { size, excessSinceMs: 0 };
  const sinceMs = excessSinceMs === 0 ? nowMs : excessSinceMs;
  if (nowMs - sinceMs < CALM_MS) return { size, excessSinceMs: sinceMs };
  return { size: size - 1, excessSinceMs: sinceMs + STEP_MS };
}

/**
 * How many workers there should be.
 *
 * From nothing to one is not decided here: nobody is there to report, and a watch on the socket tells.
 *
 * @param size    how many are wished now
 * @param workers those that are there; fewer than `size` while one is awaited
 * @param floor   fewest of `ondemand`: 0, or 1 where the socket cannot be watched
 * @param excessSinceMs of the last answer
 */
export function wishedSize(
  size: number,
  workers: readonly WorkerActivity[],
  bounds: ScalingBounds,
  floor: 0 | 1,
  nowMs: number,
  excessSinceMs: number,
): Wish {
  const { mode, maxChildren, idleTimeoutMs } = bounds;
  if (mode === "static") return { size, excessSinceMs: 0 };
  // One that crashed and waits for its turn will be spare, when it is back.
  const spare = workers.filter((worker) => !worker.isBusy).length + size - workers.length;
  if (mode === "dynamic") return dynamicWish(size, spare, bounds, nowMs, excessSinceMs);
  if (size === 0) return { size, excessSinceMs: 0 };
  if (spare <= 0) return { size: Math.min(maxChildren, size + 1), excessSinceMs: 0 };
  const idle = workers.filter(({ idleMs }) => idleMs >= idleTimeoutMs).length;
  return { size: Math.max(floor, size - idle), excessSinceMs: 0 };
}
