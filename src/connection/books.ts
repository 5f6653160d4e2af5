/**
 * The requests of one server, for those who keep book of them: access log, slow log, metrics.
 * It opens accounts, knows which are in flight, and tells of those that are over. Without a keeper it does nothing, and a
 * request has no account.
 */
import type { Server } from "node:http";
import type { ErrorRow } from "../errors.ts";
import { Account, type Origin } from "./account.ts";

/** Somebody who keeps book. Called in the turn in which it happens; must not throw, nor take long. */
export interface Bookkeeper {
  /** Does it want to know when the application got a request? That costs another look at the clock. */
  readonly timed: boolean;
  /** Does it want to know when a request ended? So does that. */
  readonly clocked: boolean;
  /** A request is over, well or not. Everything of its account is as it will stay. */
  ended(account: Account): void;
}

/** Tells when the bytes were read that are looked at now: counters do, once for all of a turn. */
export interface ReadClock {
  /** By `performance.now()`. */
  readonly readMs: number;
}

/** The accounts of one server. */
export class Books {
  /** As {@link Bookkeeper.timed}, of all of them. */
  timed = false;
  #clocked = false;
  #keeper: Bookkeeper | undefined;
  readonly #keepers: Bookkeeper[] = [];
  #first: Account | undefined;
  #last: Account | undefined;

  /** Adds a keeper. Requests that run by then are not told of. */
  add(keeper: Bookkeeper): void {
    const keepers = this.#keepers;
    keepers.push(keeper);
    this.timed ||= keeper.timed;
    this.#clocked ||= keeper.clocked;
    this.#keeper =
      keepers.length === 1
        ? keeper
        : {
            timed: this.timed,
            clocked: this.#clocked,
            ended(account): void {
              for (const one of keepers) one.ended(account);
            },
          };
  }

  /** Requests in flight whose account is open, those that began first in front. */
  *open(): Generator<Account> {
    let account = this.#first;
    while (account !== undefined) {
      const { after } = account;
      yield account;
      account = after;
    }
  }

  /** The one of them that began first. */
  get oldest(): Account | undefined {
    return this.#first;
  }

  /**
   * A request begins; undefined where nobody keeps book.
   *
   * @param clock knows when its first byte was read
   */
  begin(origin: Origin, clock: ReadClock): Account | undefined {
    if (this.#keeper === undefined) return undefined;
    const account = new Account(origin, clock.readMs);
    const last = this.#last;
    account.before = last;
    if (last === undefined) this.#first = account;
    else last.after = account;
    this.#last = account;
    return account;
  }

  /** A request is over; the second time this does nothing. */
  end(account: Account | undefined): void {
    if (account === undefined || !account.isOpen) return;
    account.isOpen = false;
    if (this.#clocked) account.endedMs = performance.now();
    const { before, after } = account;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    account.before = undefined;
    account.after = undefined;
    this.#keeper?.ended(account);
  }

  /** Bytes that became no request were answered, or ended their connection. */
  refuse(origin: Origin, error: ErrorRow, clock: ReadClock): void {
    const account = this.begin(origin, clock);
    if (account === undefined) return;
    account.status = error.status;
    account.endsAs("refused", error);
    this.end(account);
  }
}

const known = new WeakMap<Server, Books>();

/** The books of a server. */
export function booksOf(server: Server): Books {
  let books = known.get(server);
  if (books === undefined) {
    books = new Books();
    known.set(server, books);
  }
  return books;
}
