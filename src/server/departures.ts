/**
 * Connections that shall leave for another worker → one at a time, as soon as each is between two requests.
 * Until it leaves a connection is served as ever, so that its peer notices nothing; who takes it over is the taker's
 * business (workers/handover.ts). Knows no socket.
 */
import type { PassedSocket } from "../connection/passed-socket.ts";
import { chooseLeavers } from "./leavers.ts";
import type { Transport } from "../connection/transport.ts";

/** Whoever passes a socket on. It is the taker's to close; `done` is called once this process has no part in it. */
export type Taker = (passed: PassedSocket, done: () => void) => void;

/** One that can leave. */
export interface Leaver {
  /** Is it between two requests? */
  readonly movable: boolean;
  readonly transport: Pick<Transport, "handOver">;
  /** How much it is used; undefined for one that has sent nothing yet. */
  readonly watch?: { readonly recentRequests: number };
}

/** A server's part in what passes between workers. */
export interface Passage {
  readonly departures: Departures;
  /** Takes a connection over that another worker gave away. Throws an Error where that cannot be; it is closed then. */
  adopt(passed: PassedSocket): void;
}

/** Sockets that are under way at once: each is a descriptor that the next worker has not taken yet. */
const UNDER_WAY_MAX = 32;

/** The departures of one server. */
export class Departures {
  readonly #everybody: () => Iterable<Leaver>;
  #taker: Taker | undefined;
  readonly #waiting = new Set<Leaver>();
  /** Some that leave while the others stay, and who takes each. */
  readonly #chosen = new Map<Leaver, Taker>();
  #underWay = 0;
  #isScheduled = false;

  /** @param everybody that is connected now */
  constructor(everybody: () => Iterable<Leaver>) {
    this.#everybody = everybody;
  }

  /** Shall all connections leave, now or after the request that they carry? */
  get retiring(): boolean {
    return this.#taker !== undefined;
  }

  /** All that are here may be between two requests now. */
  offerAll(): void {
    if (this.#taker === undefined) return;
    for (const leaver of this.#everybody()) this.#waiting.add(leaver);
    this.#schedule();
  }

  /** From now on all that are here, and all that come, leave by `taker`. */
  retire(taker: Taker): void {
    this.#taker = taker;
    this.offerAll();
  }

  /** Nobody takes them any more: they stay. */
  stay(): void {
    this.#taker = undefined;
    this.#chosen.clear();
    this.#waiting.clear();
  }

  /** Is somebody to leave as soon as it is between two requests? */
  get isAwaiting(): boolean {
    return this.retiring || this.#chosen.size > 0;
  }

  /**
   * Some of the connections leave, now or after the request that they carry, and the rest stays.
   *
   * @param share part of this server's recent requests that shall leave with them, from 0 to 1
   */
  yield(count: number, taker: Taker, share = 1): void {
    // Those of the last time that are not gone yet have ended, or carry a request for long.
    this.#chosen.clear();
    for (const leaver of chooseLeavers(this.#everybody(), count, share)) {
      this.#chosen.set(leaver, taker);
      this.offer(leaver);
    }
  }

  /** It may be between two requests now. */
  offer(leaver: Leaver): void {
    if (this.#takerOf(leaver) === undefined) return;
    this.#waiting.add(leaver);
    this.#schedule();
  }

  #takerOf(leaver: Leaver): Taker | undefined {
    return this.#taker ?? this.#chosen.get(leaver);
  }

  /** In a turn of its own: rows of the same read may follow, and listeners still want to know who the peer was. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#go());
  }

  #go(): void {
    this.#isScheduled = false;
    for (const leaver of this.#waiting) {
      if (this.#underWay >= UNDER_WAY_MAX) return;
      this.#waiting.delete(leaver);
      const taker = this.#takerOf(leaver);
      // One that is not says so again once it is.
      if (taker === undefined || !leaver.movable) continue;
      this.#chosen.delete(leaver);
      this.#give(leaver, taker);
    }
  }

  #give(leaver: Leaver, taker: Taker): void {
    this.#underWay++;
    let isDone = false;
    taker(leaver.transport.handOver(), () => {
      if (isDone) return;
      isDone = true;
      this.#underWay--;
      if (this.#waiting.size > 0) this.#schedule();
    });
  }
}
