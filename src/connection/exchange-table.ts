/**
 * The exchanges of one connection by id: nearly always none or one, at most a hundred.
 * A small array searched from the front, as FastCGI §3.3 suggests; it knows nothing of what an exchange does.
 */
import type { Exchange } from "./exchange.ts";

/** Exchanges in flight on one connection. */
export class ExchangeTable {
  readonly #exchanges: Exchange[] = [];

  get size(): number {
    return this.#exchanges.length;
  }

  get(id: number): Exchange | undefined {
    for (const exchange of this.#exchanges) {
      if (exchange.id === id) return exchange;
    }
    return undefined;
  }

  add(exchange: Exchange): void {
    this.#exchanges.push(exchange);
  }

  delete(exchange: Exchange): boolean {
    const at = this.#exchanges.indexOf(exchange);
    if (at < 0) return false;
    this.#exchanges.splice(at, 1);
    return true;
  }

  /** A copy to walk over while exchanges leave. */
  list(): Exchange[] {
    return this.#exchanges.slice();
  }
}
