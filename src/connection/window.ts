/**
 * Body bytes that handlers do not read → a pause in reading from the peer, and its end.
 * FastCGI and SCGI have no flow control of their own: to stop reading is all there is. On a connection that several
 * requests share, one that does not read holds up the others, so it is refused after a while.
 */
import type { ConnectionContext } from "./context.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeTable } from "./exchange-table.ts";
import type { Transport } from "./transport.ts";

/** A shared connection waits this long for a handler that does not read, then that request is refused. */
const WAIT_MS = 1_000;

/** The window of one connection. */
export class Window {
  readonly #context: ConnectionContext;
  readonly #exchanges: ExchangeTable;
  #closedSinceMs = 0;

  constructor(context: ConnectionContext, exchanges: ExchangeTable) {
    this.#context = context;
    this.#exchanges = exchanges;
  }

  /** Is reading paused? */
  get closed(): boolean {
    return this.#closedSinceMs !== 0;
  }

  /** A request is full, or bytes have to wait for another reason. */
  close(transport: Transport): void {
    if (this.closed) return;
    this.#closedSinceMs = this.#context.nowMs;
    transport.pause();
  }

  /** Closes when all requests of a shared connection together hold too much; alone, each has its own limit. */
  measure(transport: Transport): void {
    if (this.#exchanges.size > 1 && !this.#hasRoom()) this.close(transport);
  }

  /** Reads again, unless a request is still full. */
  open(transport: Transport): void {
    if (!this.closed || this.#exchanges.list().some((one) => one.full) || !this.#hasRoom()) return;
    this.#closedSinceMs = 0;
    for (const exchange of this.#exchanges.list()) exchange.inputMs = this.#context.nowMs;
    transport.resume();
  }

  /** Who has held up the others for too long: the full ones, or else the one that holds most. */
  overdue(): readonly Exchange[] {
    const { nowMs } = this.#context;
    if (this.#exchanges.size < 2 || !this.closed || nowMs - this.#closedSinceMs < WAIT_MS)
      return [];
    const all = this.#exchanges.list();
    const full = all.filter((one) => one.full);
    if (full.length > 0) return full;
    return all.toSorted((a, b) => heldBytes(b) - heldBytes(a)).slice(0, 1);
  }

  #hasRoom(): boolean {
    if (this.#exchanges.size < 2) return true;
    let bytes = 0;
    for (const exchange of this.#exchanges.list()) bytes += heldBytes(exchange);
    return bytes < this.#context.limits.connectionWindowBytes;
  }
}

function heldBytes(exchange: Exchange): number {
  return exchange.side?.unreadBytes ?? 0;
}
