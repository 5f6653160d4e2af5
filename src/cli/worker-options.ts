/**
 * The options that say how many workers there are and for how long each serves: rows, defaults, and what goes together.
 *
 * runfcgi's minspare, maxspare, maxchildren and maxrequests are among them, with their meaning. What they do is
 * workers/scaling.ts's and workers/recycling.ts's.
 */
import { availableParallelism } from "node:os";
import type { OptionRow, OptionType } from "../serve/option-table.ts";
import { UsageError } from "../errors.ts";
import type { RecyclingLimits } from "../workers/recycling.ts";
import type { ScalingBounds, ScalingMode } from "../workers/scaling.ts";

/** Filled in. */
export interface WorkerOptions {
  readonly scaling: ScalingBounds;
  readonly recycling: RecyclingLimits;
  /** Move kept connections from busy workers to others. */
  readonly balance: boolean;
  /** Quick ends of workers in a minute after which it is given up. */
  readonly maxRestarts: number;
}

/** Most workers of one command: beyond that it is a slip of the hand. */
export const WORKERS_MAX = 1_024;
/** runfcgi's. */
const MIN_SPARE = 2;
const MAX_SPARE = 5;
/** As php-fpm's: a pause for reading a page is shorter. */
const IDLE_TIMEOUT_MS = 10_000;
const MAX_RESTARTS = 10;
const MEBIBYTE = 1_048_576;
const TIME_MAX_MS = 2_147_483_647;

const row = (
  name: string,
  min: number,
  max: number,
  help: string,
  more: Partial<OptionRow> = {},
): OptionRow => ({ name, takes: { type: "integer", min, max }, help, sample: "N", ...more });

const RESTARTS: OptionType = { type: "integer", min: 1, max: 4_294_967_295, infinite: true };

/** All of them, in the order of `--help`. */
export const WORKER_OPTIONS: readonly OptionRow[] = [
  {
    name: "balance",
    takes: { type: "boolean" },
    help: "move kept connections from busy workers to others",
    default: true,
  },
  row("idleTimeout", 1, TIME_MAX_MS, "ms without a request until a worker of pm=ondemand goes", {
    default: IDLE_TIMEOUT_MS,
  }),
  row("maxAge", 0, TIME_MAX_MS, "ms until a worker is replaced; 0 is never", { default: 0 }),
  row("maxchildren", 1, WORKERS_MAX, "most workers [twice the processor cores]"),
  row("maxHeap", 0, 1_048_576, "MiB of heap from which a worker is replaced; 0 is none", {
    default: 0,
  }),
  row("maxrequests", 0, 4_294_967_295, "requests until a worker is replaced; 0 is never", {
    default: 0,
  }),
  row("maxRestarts", 1, 0, "quick ends of workers in a minute until it gives up, or Infinity", {
    takes: RESTARTS,
    default: MAX_RESTARTS,
  }),
  row("maxRss", 0, 1_048_576, "MiB of memory from which a worker process is replaced; 0 is none", {
    default: 0,
  }),
  row("maxspare", 1, WORKERS_MAX, "most spare workers of pm=dynamic", { default: MAX_SPARE }),
  row("minspare", 1, WORKERS_MAX, "fewest spare workers of pm=dynamic", { default: MIN_SPARE }),
  row("pm", 0, 0, "number of workers: static, dynamic or ondemand", {
    takes: { type: "text" },
    sample: "NAME",
  }),
];

/** Each of them asks for workers, where nothing is said about `method`. */
const ASKING = ["maxAge", "maxchildren", "maxHeap", "maxrequests", "maxRss", "maxspare"].concat([
  "minspare",
  "pm",
]);

/** The first of these options that asks for workers; undefined where none does. */
export function askForWorkers(given: ReadonlyMap<string, unknown>): string | undefined {
  return ASKING.find((name) => (given.get(name) ?? 0) !== 0);
}

function readMode(given: ReadonlyMap<string, unknown>): ScalingMode {
  const written = given.get("pm") as string | undefined;
  if (written === undefined) {
    const isBounded = ["minspare", "maxspare", "maxchildren"].some((name) => given.has(name));
    return isBounded && !given.has("workers") ? "dynamic" : "static";
  }
  const mode = written.toLowerCase();
  if (mode === "dynamic") return mode;
  if (mode === "static" || mode === "ondemand") {
    const spare = ["minspare", "maxspare"].find((name) => given.has(name));
    if (spare === undefined) return mode;
    throw new UsageError(
      `${spare} is about pm=dynamic, and pm is ${mode}; leave one of the two out.`,
    );
  }
  throw new UsageError(`pm is ${JSON.stringify(written)}; it takes static, dynamic or ondemand.`);
}

/**
 * runfcgi's 50 is for processes that each wait for one request. A worker here has thousands in flight, and computes on one
 * core: more of them than cores only help where handlers block, and cost 50 MiB each.
 */
function defaultMaxChildren(maxSpare: number): number {
  return Math.max(2 * availableParallelism(), maxSpare);
}

function boundsOf(given: ReadonlyMap<string, unknown>, workers: number): ScalingBounds {
  const number = (name: string): number | undefined => given.get(name) as number | undefined;
  const mode = readMode(given);
  const leastSpare = Math.max(number("minspare") ?? 0, MAX_SPARE);
  const most = number("maxchildren") ?? defaultMaxChildren(number("maxspare") ?? leastSpare);
  const maxSpare =
    number("maxspare") ?? Math.max(Math.min(MAX_SPARE, most), number("minspare") ?? 0);
  const minSpare = number("minspare") ?? Math.min(MIN_SPARE, maxSpare, most);
  if (mode !== "static" && number("workers") !== undefined) {
    throw new UsageError(
      `workers is ${workers} and pm is ${mode}; leave workers out, or write pm=static.`,
    );
  }
  if (minSpare > maxSpare) {
    throw new UsageError(
      `minspare is ${minSpare} and maxspare is ${maxSpare}; maxspare must be at least minspare.`,
    );
  }
  if (minSpare > most) {
    throw new UsageError(
      `minspare is ${minSpare} and maxchildren is ${most}; maxchildren must be at least minspare.`,
    );
  }
  const idleTimeoutMs = number("idleTimeout") ?? IDLE_TIMEOUT_MS;
  const maxChildren = mode === "static" ? workers : most;
  return { mode, workers, minSpare, maxSpare, maxChildren, idleTimeoutMs };
}

function recyclingOf(given: ReadonlyMap<string, unknown>): RecyclingLimits {
  const limit = (name: string, unit = 1): number => {
    const value = (given.get(name) ?? 0) as number;
    return value === 0 ? Number.POSITIVE_INFINITY : value * unit;
  };
  return {
    maxRequests: limit("maxrequests"),
    maxAgeMs: limit("maxAge"),
    maxRssBytes: limit("maxRss", MEBIBYTE),
    maxHeapBytes: limit("maxHeap", MEBIBYTE),
  };
}

/**
 * Fills in what was not given.
 *
 * @param given      checked values by name
 * @param workers    how many of `static`
 * @param isThreaded are the workers threads of one process?
 * @throws UsageError for options that do not go together
 */
export function resolveWorkerOptions(
  given: ReadonlyMap<string, unknown>,
  workers: number,
  isThreaded: boolean,
): WorkerOptions {
  const recycling = recyclingOf(given);
  if (isThreaded && Number.isFinite(recycling.maxRssBytes)) {
    throw new UsageError(
      "max-rss is about processes, and method=threaded has one for all workers; use max-heap, or method=prefork.",
    );
  }
  return {
    scaling: boundsOf(given, workers),
    recycling,
    balance: (given.get("balance") ?? true) as boolean,
    maxRestarts: (given.get("maxRestarts") ?? MAX_RESTARTS) as number,
  };
}
