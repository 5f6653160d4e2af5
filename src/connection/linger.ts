/**
 * The lingering close: our side ends, then what the peer still sends is read and dropped, for a while.
 * Closing with unread bytes would make the kernel reset the connection, and the peer could lose our answer.
 * Measured: 413 and close at once is a 502 at nginx in 7 of 10 tries; so lingered, in none. Time bounds it, not bytes: nginx
 * writes a whole buffered body before it looks at an answer, and an end behind 8 MiB of 10 made a 502 of the 413.
 */
import type { Transport } from "./transport.ts";

/** How long a closing connection is read on which nothing comes, in milliseconds. */
export const LINGER_MS = 2_000;
/** How long it is read in all, in milliseconds, as long as something comes. */
export const LINGER_LONGEST_MS = 10_000;

/** One connection that is closing. */
export class Linger {
  readonly #transport: Transport;
  #untilMs: number;
  #latestMs: number;

  /** Ends our side. `nowMs` is the server's coarse clock; `quiet` as in {@link Transport.finish}. */
  constructor(transport: Transport, nowMs: number, quiet: boolean) {
    this.#transport = transport;
    this.#untilMs = nowMs + LINGER_MS;
    this.#latestMs = nowMs + LINGER_LONGEST_MS;
    transport.finish(undefined, quiet);
    transport.drop();
  }

  /** Bytes came too late. */
  drop(nowMs: number): void {
    this.#untilMs = Math.min(nowMs + LINGER_MS, this.#latestMs);
  }

  /** The peer has ended as well; what it has not taken of our answer yet is still its due. */
  ended(): void {
    if (this.#transport.queuedBytes === 0) this.#transport.destroy();
  }

  /** Called by the coarse timer. The time runs from when our side has really ended: a long answer takes its while. */
  check(nowMs: number): void {
    if (this.#transport.queuedBytes > 0) {
      this.#untilMs = nowMs + LINGER_MS;
      this.#latestMs = nowMs + LINGER_LONGEST_MS;
    } else if (nowMs >= this.#untilMs) this.#transport.destroy();
  }
}
