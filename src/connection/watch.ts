/**
 * What one connection remembers of time, for its deadlines: when it was active, since when a head is incomplete.
 * It has no timer; the connection shows it the coarse clock at every tick. What passed is deadlines.ts's to say.
 */
import type { ConnectionTimeouts } from "./context.ts";
import { type Overdue, overdue, StallWatch } from "./deadlines.ts";

/** The times of one connection, by the coarse clock in milliseconds; 0 for what does not run. */
export class Watch {
  /** When the last byte came, or the last request ended. */
  activeMs: number;
  /** Has anything come, ever? */
  heard = false;
  /** Since when a head is incomplete. */
  headSinceMs = 0;
  /** Since when the server drains while this connection has not carried anything yet. */
  graceSinceMs = 0;
  readonly stall: StallWatch = new StallWatch();

  constructor(nowMs: number) {
    this.activeMs = nowMs;
  }

  /** Bytes have come. */
  hear(nowMs: number): void {
    this.activeMs = nowMs;
    this.heard = true;
  }

  /** Is a head incomplete? As long as it grows the connection is not idle. */
  seeHead(isPartial: boolean, nowMs: number): void {
    if (isPartial) this.activeMs = nowMs;
    this.headSinceMs = isPartial ? this.headSinceMs || nowMs : 0;
  }

  /**
   * Which deadline has passed, if any?
   *
   * @param exchanges       requests in flight
   * @param leftoverSinceMs since when leftover input of an ended request is awaited
   */
  verdict(
    exchanges: number,
    leftoverSinceMs: number,
    nowMs: number,
    timeouts: ConnectionTimeouts,
  ): Overdue {
    const { activeMs, headSinceMs } = this;
    const graceSinceMs = exchanges === 0 ? this.graceSinceMs : 0;
    const times = { nowMs, activeMs, headSinceMs, leftoverSinceMs, graceSinceMs, exchanges };
    return overdue(times, timeouts);
  }
}
