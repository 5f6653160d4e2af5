/**
 * A handler's wish for body bytes → requests to the peer, where a body comes only when it is asked for (AJP).
 * It knows how many packets are under way and how many may be; what comes is the exchange's business.
 * AJP 1.3, "Get Body Chunk".
 */
import type { RequestHead } from "../http/head.ts";
import { Note } from "../wire/abi.ts";
import type { ExchangeHost } from "./exchange-host.ts";

/**
 * Asks are doubled while the peer answers half of them within this, and begin anew otherwise: a web server that waits for
 * a slow client answers all that is open before it looks at a response.
 */
const PROMPT_MS = 100;

/** Whose body it is. */
export interface DemandOwner {
  readonly id: number;
  readonly head: RequestHead;
  readonly side: { readonly unreadBytes: number } | undefined;
  /** May body bytes still be asked for? */
  readonly bodyDue: boolean;
  inputMs: number;
}

/** The demand for one request's body. */
export class Demand {
  /** Packets under way, asked for or due unasked. */
  open: number;
  readonly #host: ExchangeHost;
  readonly #owner: DemandOwner;
  #waiting = false;
  #seenBytes = 0;
  /** Length of a body of which several packets may be under way, else 0; found at the first ask. */
  #aheadBytes = -1;
  /** How many may be under way, and when was asked last. */
  #openMax = 1;
  #askedMs = 0;

  /** @param open packets that come unasked */
  constructor(host: ExchangeHost, owner: DemandOwner, open: number) {
    this.#host = host;
    this.#owner = owner;
    this.open = open;
  }

  /** Packets have come. */
  came(bytes: number, packets: number): void {
    this.#seenBytes += bytes;
    this.open -= packets;
  }

  /**
   * The handler can take more. Asks once everything that came with this read is dispatched: the end of the body may
   * be in it, and a packet asked for after the end would be taken for the next request. Asks again when half is answered,
   * so that one write asks for many.
   */
  want(): void {
    if (this.#waiting || this.open > this.#openMax >> 1) return;
    this.#waiting = true;
    process.nextTick(() => {
      this.#waiting = false;
      if (this.#owner.bodyDue) this.#ask();
    });
  }

  #ask(): void {
    const { setup, transport, context } = this.#host;
    const count = this.#missing();
    if (count < 1) return;
    const { id } = this.#owner;
    // What the handler took to read is not the peer's time.
    if (this.open === 0) this.#owner.inputMs = context.nowMs;
    this.open += count;
    setup.encoder.want(transport.writer, id, count);
    for (let i = 0; i < count; i++) transport.note(Note.ASKED, id);
    transport.flush();
  }

  /**
   * How many more packets to ask for: no more than the rest needs when each is full, so that each ask finds a byte, and
   * no more bytes than may be held for a handler that stops reading.
   */
  #missing(): number {
    const { setup, context } = this.#host;
    const { head, side } = this.#owner;
    if (this.#aheadBytes < 0) this.#aheadBytes = setup.protocol.lengthAskedAhead(head);
    const one = this.open === 0 ? 1 : 0;
    if (this.#aheadBytes === 0) return one;
    const nowMs = Date.now();
    this.#openMax = Math.abs(nowMs - this.#askedMs) < PROMPT_MS ? this.#openMax * 2 : 1;
    this.#askedMs = nowMs;
    const { wantBytes } = setup.encoder;
    const restBytes = this.#aheadBytes - this.#seenBytes;
    const roomBytes = context.limits.windowBytes - (side?.unreadBytes ?? 0);
    const most = Math.min(Math.ceil(restBytes / wantBytes), Math.floor(roomBytes / wantBytes));
    this.#openMax = Math.max(1, Math.min(this.#openMax, most));
    return Math.max(one, this.#openMax - this.open);
  }
}
