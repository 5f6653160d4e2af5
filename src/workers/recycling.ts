/**
 * A worker's age and what it reports → why it should be replaced, if it should.
 *
 * Requests and age are judged with a jitter, so that workers that began together do not end together. Replaces nothing:
 * steering.ts asks the pool for one replacement at a time, and the pool has the new one ready first.
 */
import type { Load } from "./load.ts";

/** When a worker has served long enough; Infinity: never. */
export interface RecyclingLimits {
  readonly maxRequests: number;
  readonly maxAgeMs: number;
  readonly maxRssBytes: number;
  readonly maxHeapBytes: number;
}

/** Largest part by which a limit comes earlier. */
const JITTER = 0.1;
/** Memory is looked at from this age on, in milliseconds: an application that begins too large would be replaced for ever. */
const MEMORY_AGE_MS = 10_000;

const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;

/** Does anything wear workers out? */
export function isRecycling(limits: RecyclingLimits): boolean {
  return Object.values(limits).some(Number.isFinite);
}

/**
 * Why a worker is worn out, as a clause such as "has answered 500 requests"; undefined while it is not.
 *
 * @param share its own random number, from 0 to 1, the same at each call
 */
export function wearOf(
  load: Pick<Load, "requests" | "rssBytes" | "heapBytes">,
  ageMs: number,
  share: number,
  { maxRequests, maxAgeMs, maxRssBytes, maxHeapBytes }: RecyclingLimits,
): string | undefined {
  const part = 1 - JITTER * share;
  if (load.requests >= Math.ceil(maxRequests * part)) {
    return `has answered ${load.requests} requests`;
  }
  if (ageMs >= maxAgeMs * part) return `is ${Math.round(ageMs / 1_000)} s old`;
  if (ageMs < MEMORY_AGE_MS) return undefined;
  if (load.rssBytes > maxRssBytes) return `has grown to ${megabytes(load.rssBytes)}`;
  if (load.heapBytes > maxHeapBytes) return `has a heap of ${megabytes(load.heapBytes)}`;
  return undefined;
}
