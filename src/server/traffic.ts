/**
 * Requests and connections of one server, counted: those of our protocols by the acceptor, those of HTTP here.
 *
 * Counts and nothing else; who is told is workers/load.ts's.
 */
import type { ServerResponse } from "node:http";

/** Counts of the acceptor. */
export interface AcceptedTraffic {
  readonly activeRequests: number;
  readonly begunRequests: number;
  readonly connections: number;
}

/** What one server carries. An upgraded connection is no request in flight. */
export class Traffic {
  readonly #accepted: AcceptedTraffic;
  /** Of HTTP, which node itself serves. */
  #active = 0;
  #begun = 0;

  constructor(accepted: AcceptedTraffic) {
    this.#accepted = accepted;
  }

  /** "request" is about to be told. Requests of our protocols bring the gateway's facts with them, and are counted there. */
  begin(request: object, response: ServerResponse): void {
    if ("gateway" in request) return;
    this.#begun++;
    this.#active++;
    response.once("close", () => this.#active--);
  }

  /** Requests that came to their end since the server was made. */
  get requests(): number {
    return this.#accepted.begunRequests + this.#begun - this.inFlight;
  }

  get inFlight(): number {
    return this.#accepted.activeRequests + this.#active;
  }

  /** Open ones, of which the protocol is known. */
  get connections(): number {
    return this.#accepted.connections;
  }
}
