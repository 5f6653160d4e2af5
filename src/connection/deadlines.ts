/**
 * Which of a connection's deadlines has passed: one look a second for each connection, and no timer of its own.
 * It decides by numbers alone; what follows from its verdict is the connection's business.
 */
import { ERRORS, type ErrorRow } from "../errors.ts";
import type { ConnectionTimeouts } from "./context.ts";
import type { Transport } from "./transport.ts";

/** What a connection says of itself. Times are those of the coarse clock, in milliseconds. */
export interface ConnectionTimes {
  readonly nowMs: number;
  /** When the last byte came, or the last request ended. */
  readonly activeMs: number;
  /** Since when a head is incomplete; 0 when none is. */
  readonly headSinceMs: number;
  /** Since when leftover input of an ended request is awaited (FastCGI); 0 when none is. */
  readonly leftoverSinceMs: number;
  /** Since when a new connection of a draining server has been waited for; 0 when none is. */
  readonly graceSinceMs: number;
  /** Requests in flight. */
  readonly exchanges: number;
}

/** The verdict: nothing, or which deadline has passed. */
export type Overdue = "none" | "head" | "idle" | "leftover" | "grace";

/** Leftover input of an ended request may take this long, then the connection is closed. */
const LEFTOVER_MS = 2_000;
/** A new connection without a byte is given this long by a draining server. */
const GRACE_MS = 1_000;

/**
 * No deadline is shorter. The clock moves twice a second, so what has just happened may look half a second old: with less
 * than this a peer would be ended that never rested.
 */
const SHORTEST_MS = 750;

/** Has a deadline passed? A time of 0 is none that runs, a timeout of 0 is switched off. */
export function hasPassed(sinceMs: number, timeoutMs: number, nowMs: number): boolean {
  return sinceMs > 0 && timeoutMs > 0 && nowMs - sinceMs >= Math.max(timeoutMs, SHORTEST_MS);
}

/** Finds the first deadline that has passed. Body deadlines are each exchange's own. */
export function overdue(times: ConnectionTimes, timeouts: ConnectionTimeouts): Overdue {
  const { nowMs } = times;
  if (hasPassed(times.headSinceMs, timeouts.head, nowMs)) return "head";
  if (hasPassed(times.leftoverSinceMs, LEFTOVER_MS, nowMs)) return "leftover";
  if (times.exchanges === 0 && hasPassed(times.activeMs, timeouts.idle, nowMs)) return "idle";
  if (hasPassed(times.graceSinceMs, GRACE_MS, nowMs)) return "grace";
  return "none";
}

/** What a request says of itself. */
export interface ExchangeTimes {
  /** Is a byte of its body due that nobody holds back? */
  readonly awaitsBody: boolean;
  readonly inputMs: number;
  readonly beganMs: number;
}

/** The error of the deadline that a request has passed, if it has. */
export function overdueExchange(
  exchange: ExchangeTimes,
  nowMs: number,
  timeouts: ConnectionTimeouts,
  windowClosed: boolean,
): ErrorRow | undefined {
  const waits = exchange.awaitsBody && !windowClosed;
  if (waits && hasPassed(exchange.inputMs, timeouts.body, nowMs)) return ERRORS.TIMEOUT_BODY;
  return hasPassed(exchange.beganMs, timeouts.request, nowMs) ? ERRORS.TIMEOUT_REQUEST : undefined;
}

/** Notices a peer that takes nothing of what is queued for it. */
export class StallWatch {
  #doneBytes = 0;
  #heldBytes = 0;
  #sinceMs = 0;

  /** Since when nothing was taken, or 0. To be asked at every tick. */
  check(transport: Pick<Transport, "progress" | "queuedBytes">, nowMs: number): number {
    const [doneBytes, heldBytes] = transport.progress;
    const moves = doneBytes !== this.#doneBytes || heldBytes !== this.#heldBytes;
    const stalled = transport.queuedBytes > 0 && !moves;
    this.#doneBytes = doneBytes;
    this.#heldBytes = heldBytes;
    this.#sinceMs = stalled ? this.#sinceMs || nowMs : 0;
    return this.#sinceMs;
  }
}
