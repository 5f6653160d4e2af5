/**
 * The exchanges of one connection by id: nearly always none or one, at most a hundred.
 * A small array searched from the front, as FastCGI §3.3 suggests; it knows nothing of what an exchange does, but that
 * one which was answered while its bytes are still being dispatched has to see the rest of them.
 */
import type { Exchange } from "./exchange.ts";

/** Exchanges in flight on one connection. */
export class ExchangeTable {
  readonly #exchanges: Exchange[] = [];
  /** Those that have ended since the last {@link settle}. */
  readonly #ended: Exchange[] = [];

  get size(): number {
    return this.#exchanges.length;
  }

  /** Has an exchange ended since the last {@link settle}? */
  get unsettled(): boolean {
    return this.#ended.length > 0;
  }

  get(id: number): Exchange | undefined {
    return find(this.#exchanges, id);
  }

  /** As `get`, but also one that has ended since the last {@link settle}: for rows of its input. */
  getForInput(id: number): Exchange | undefined {
    return find(this.#exchanges, id) ?? find(this.#ended, id);
  }

  add(exchange: Exchange): Exchange {
    this.#exchanges.push(exchange);
    return exchange;
  }

  /** Takes an exchange out; its input may still be found until {@link settle}. */
  delete(exchange: Exchange): boolean {
    const at = this.#exchanges.indexOf(exchange);
    if (at < 0) return false;
    // Nearly always the only one; splice() would make an array of what it takes out.
    if (at === this.#exchanges.length - 1) this.#exchanges.pop();
    else this.#exchanges.splice(at, 1);
    this.#ended.push(exchange);
    return true;
  }

  /** A read is dispatched: exchanges that have ended hear no more of their input. */
  settle(): void {
    while (this.#ended.length > 0) this.#ended.shift()!.settle();
  }

  /** A copy to walk over while exchanges leave. */
  list(): Exchange[] {
    return this.#exchanges.slice();
  }
}

function find(exchanges: readonly Exchange[], id: number): Exchange | undefined {
  for (const exchange of exchanges) {
    if (exchange.id === id) return exchange;
  }
  return undefined;
}
