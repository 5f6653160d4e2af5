/**
 * One exchange after its 101: bytes both ways without a length, until either side ends.
 * It knows which ends have come and how long they may be alone; the bytes themselves go the way of any body, and what
 * the application sees of them is handler/node/upgrade.ts. RFC 9110 §7.8; SCGI after a 101 has no framing, FastCGI
 * keeps its records.
 */
import type { RequestHead } from "../http/head.ts";
import type { HeadMeta } from "../protocols/protocol.ts";
import { BodyKind, Note } from "../wire/abi.ts";
import { hasPassed } from "./deadlines.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import { ResponseEvent } from "./lifecycle.ts";
import type { ResponseHalf } from "./response-half.ts";

/**
 * Is this a request that the listeners of "upgrade" shall hear of? As node has it, one that asks for it, where somebody
 * listens; here also only where its connection is its own, and its front server can carry it.
 */
export function asksForUpgrade(exchange: Exchange, meta: HeadMeta, host: ExchangeHost): boolean {
  const head: RequestHead = exchange.head;
  if (head.upgradeFields.length === 0 || host.context.server.listenerCount("upgrade") === 0) {
    return false;
  }
  const isPlain = meta.bodyKind === BodyKind.NONE && exchange.role === "responder";
  const isAlone = !exchange.keepConnection && !host.isShared();
  return isPlain && isAlone && host.setup.protocol.carriesUpgrade(head);
}

/** One upgraded exchange. */
export class Upgrade {
  readonly #exchange: Exchange;
  readonly #host: ExchangeHost;
  readonly #response: ResponseHalf;
  #outputEnded = false;
  #aloneSinceMs = 0;

  /** Precondition: the 101 is with the transport. */
  constructor(exchange: Exchange, host: ExchangeHost, response: ResponseHalf) {
    this.#exchange = exchange;
    this.#host = host;
    this.#response = response;
    // It may live for days: limits.requests is about requests, limits.connections counts it.
    host.context.activeRequests--;
    host.context.counters.upgrades++;
    host.transport.note(Note.UPGRADED, exchange.id);
    host.exchangeUpgraded(this);
  }

  /** As {@link Carrier.endUpgraded}: without frames a FIN ends our side alone; END_REQUEST ends both. */
  end(written: (error?: Error | null) => void): boolean {
    if (this.#exchange.protocol !== "scgi") {
      this.#response.send(undefined, [], true, written);
      return false;
    }
    this.#outputEnded = true;
    this.#host.transport.finish(written);
    return !this.#exchange.inputDone;
  }

  /** As {@link Carrier.destroyUpgraded}. */
  destroy(): void {
    if (!this.#response.move(ResponseEvent.FAIL)) return;
    this.#host.destroy();
    this.#exchange.responseOver();
  }

  /** The peer has ended. `closed`: nor will it read. */
  inputEnded(closed: boolean): void {
    this.#exchange.bodyEnd();
    if (closed) this.#host.destroy();
  }

  /** Called by the coarse timer: one end that waits for the other in vain is closed after `timeouts.idle`. */
  check(nowMs: number, idleMs: number): void {
    const alone = this.#outputEnded || this.#exchange.inputDone;
    const { inputMs } = this.#exchange;
    this.#aloneSinceMs = alone ? Math.max(this.#aloneSinceMs || nowMs, inputMs) : 0;
    if (hasPassed(this.#aloneSinceMs, idleMs, nowMs)) this.#host.destroy();
  }
}
