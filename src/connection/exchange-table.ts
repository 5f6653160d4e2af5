/**
 * The exchanges of one connection by id: nearly always none or one, at most a hundred.
 * The first has a place of its own, so that a connection without others has no array; more are searched from the
 * front, as FastCGI §3.3 suggests. It knows nothing of what an exchange does, but that one which was answered while its
 * bytes are still being dispatched has to see the rest of them.
 */
import type { ConnectionTimeouts } from "./context.ts";
import { overdueExchange } from "./deadlines.ts";
import type { Exchange } from "./exchange.ts";

const NONE: readonly Exchange[] = [];

/** Exchanges in flight on one connection. */
export class ExchangeTable {
  #first: Exchange | undefined;
  /** In the order in which they came; none while there is no first. */
  #others: Exchange[] | undefined;
  /** The last one that has ended since {@link settle}, and those that did before it. */
  #ended: Exchange | undefined;
  #endedBefore: Exchange[] | undefined;

  get size(): number {
    if (this.#first === undefined) return 0;
    return this.#others === undefined ? 1 : 1 + this.#others.length;
  }

  /** Has an exchange ended since the last {@link settle}? */
  get unsettled(): boolean {
    return this.#ended !== undefined;
  }

  /** Is the head of one incomplete? */
  get headDue(): boolean {
    return this.list().some(({ headDone }) => !headDone);
  }

  get(id: number): Exchange | undefined {
    return this.#first?.id === id ? this.#first : find(this.#others, id);
  }

  /** As `get`, but also one that has ended since the last {@link settle}: for rows of its input. */
  getForInput(id: number): Exchange | undefined {
    const found = this.get(id);
    if (found !== undefined || this.#ended === undefined) return found;
    return find(this.#endedBefore, id) ?? (this.#ended.id === id ? this.#ended : undefined);
  }

  add(exchange: Exchange): Exchange {
    if (this.#first === undefined) this.#first = exchange;
    else if (this.#others === undefined) this.#others = [exchange];
    else this.#others.push(exchange);
    return exchange;
  }

  /** Takes an exchange out; its input may still be found until {@link settle}. */
  delete(exchange: Exchange): boolean {
    const others = this.#others;
    if (this.#first === exchange) this.#first = others?.shift();
    else {
      const at = others?.indexOf(exchange) ?? -1;
      if (at < 0) return false;
      others!.splice(at, 1);
    }
    if (others?.length === 0) this.#others = undefined;
    if (this.#ended !== undefined) {
      this.#endedBefore ??= [];
      this.#endedBefore.push(this.#ended);
    }
    this.#ended = exchange;
    return true;
  }

  /** A read is dispatched: exchanges that have ended hear no more of their input. */
  settle(): void {
    const ended = this.#ended;
    if (ended === undefined) return;
    const before = this.#endedBefore;
    this.#ended = undefined;
    this.#endedBefore = undefined;
    if (before !== undefined) for (const exchange of before) exchange.settle();
    ended.settle();
  }

  /** Called by the coarse timer: refuses those whose deadline has passed. */
  refuseOverdue(nowMs: number, timeouts: ConnectionTimeouts, windowClosed: boolean): void {
    for (const exchange of this.list()) {
      const row = overdueExchange(exchange, nowMs, timeouts, windowClosed);
      if (row !== undefined) exchange.refuse(row);
    }
  }

  /** To walk over while exchanges leave. */
  list(): readonly Exchange[] {
    if (this.#first === undefined) return NONE;
    return this.#others === undefined ? [this.#first] : [this.#first, ...this.#others];
  }
}

function find(exchanges: readonly Exchange[] | undefined, id: number): Exchange | undefined {
  if (exchanges === undefined) return undefined;
  for (const exchange of exchanges) {
    if (exchange.id === id) return exchange;
  }
  return undefined;
}
