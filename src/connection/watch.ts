/**
 * What one connection remembers of time, for its deadlines: when it was active, since when a head is incomplete.
 * It has no timer; the connection shows it the coarse clock at every tick. What passed is deadlines.ts's to say.
 */
import type { ConnectionContext } from "./context.ts";
import { type Overdue, overdue, StallWatch } from "./deadlines.ts";
import type { Transport } from "./transport.ts";

/** The times of one connection, by the coarse clock in milliseconds; 0 for what does not run. */
export class Watch {
  /** When the last byte came, or the last request ended. */
  activeMs: number;
  /** Has anything come, ever? */
  heard = false;
  /** Since when a head is incomplete. */
  headSinceMs = 0;
  /** Since when the server drains, or is crowded, while this connection has not carried anything yet. */
  graceSinceMs = 0;
  /** While something is queued for the peer. */
  #stall: StallWatch | undefined;
  /** Requests that ended before their input did (FastCGI): how many, and since when. */
  #leftovers = 0;
  #leftoverSinceMs = 0;

  /** Requests that ended lately: each tick halves what is older. */
  recentRequests = 0;

  /** @param brief is it not to be kept, so that its time of grace begins at once? */
  constructor(nowMs: number, brief: boolean) {
    this.activeMs = nowMs;
    if (brief) this.graceSinceMs = nowMs;
  }

  /** Bytes have come. */
  hear(nowMs: number): void {
    this.activeMs = nowMs;
    this.heard = true;
  }

  /** A request has ended. */
  answer(nowMs: number): void {
    this.activeMs = nowMs;
    this.recentRequests++;
  }

  /**
   * Is a head incomplete? As long as it grows the connection is not idle. A frame that is cut off behind one belongs to a
   * body, which has its own deadline.
   */
  seeHead(isPartial: boolean, nowMs: number): void {
    if (isPartial) this.activeMs = nowMs;
    this.headSinceMs = isPartial ? this.headSinceMs || nowMs : 0;
  }

  /** A request ended before its input did. */
  leftoverBegins(nowMs: number): void {
    if (this.#leftovers++ === 0) this.#leftoverSinceMs = nowMs;
  }

  /** The input of such a request has ended too, be it in the read in which the request did. */
  leftoverEnded(): void {
    if (this.#leftovers > 0) this.#leftovers--;
  }

  /** Is such input still awaited? */
  get hasLeftover(): boolean {
    return this.#leftovers > 0;
  }

  /** Since when the peer takes nothing of what is queued for it, or 0. To be asked at every tick. */
  stalledSinceMs(transport: Transport, nowMs: number): number {
    this.recentRequests /= 2;
    if (transport.queuedBytes > 0) this.#stall ??= new StallWatch();
    else this.#stall = undefined;
    return this.#stall?.check(transport, nowMs) ?? 0;
  }

  /**
   * Which deadline has passed, if any? Idle connections are counted here: their end is no error of anybody's.
   *
   * @param exchanges requests in flight
   */
  verdict(exchanges: number, { nowMs, timeouts, counters }: ConnectionContext): Overdue {
    const { activeMs, headSinceMs } = this;
    // The decoder drops that input itself (FastCGI specification §3.3).
    const leftoverSinceMs = this.#leftovers > 0 ? this.#leftoverSinceMs : 0;
    const graceSinceMs = exchanges === 0 ? this.graceSinceMs : 0;
    const times = { nowMs, activeMs, headSinceMs, leftoverSinceMs, graceSinceMs, exchanges };
    const verdict = overdue(times, timeouts);
    if (verdict === "idle") counters.idleTimeouts++;
    return verdict;
  }
}
