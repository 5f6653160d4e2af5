/**
 * A handler's wish for body bytes → a request to the peer, where a body comes only when it is asked for (AJP).
 * It knows whether a packet is under way, and asks for one at a time; what comes is the exchange's business.
 * AJP 1.3, "Get Body Chunk".
 */
import { Note } from "../wire/abi.ts";
import type { ExchangeHost } from "./exchange-host.ts";

/** The demand for one request's body. */
export class Demand {
  /** Is a packet under way, asked for or due unasked? */
  asked = false;
  readonly #host: ExchangeHost;
  readonly #exchangeId: number;
  readonly #isDue: () => boolean;
  #waiting = false;

  /** @param isDue may body bytes still be asked for? */
  constructor(host: ExchangeHost, exchangeId: number, isDue: () => boolean) {
    this.#host = host;
    this.#exchangeId = exchangeId;
    this.#isDue = isDue;
  }

  /**
   * The handler can take more. Asks once everything that came with this read is dispatched: the end of the body may
   * be in it, and a packet asked for after the end would be taken for the next request.
   */
  want(): void {
    if (this.#waiting || this.asked) return;
    this.#waiting = true;
    process.nextTick(() => {
      this.#waiting = false;
      if (!this.asked && this.#isDue()) this.#ask();
    });
  }

  #ask(): void {
    const { setup, transport } = this.#host;
    this.asked = true;
    setup.encoder.want(transport.writer, this.#exchangeId);
    transport.note(Note.ASKED, this.#exchangeId);
    transport.flush();
  }
}
