/**
 * A Web-style handler → what takes exchanges without node's req and res. How one is answered is adapter.ts, for both ways;
 * its objects are exchange-side.ts.
 */
import { AsyncResource } from "node:async_hooks";
import type { Server } from "node:http";
import type { Carrier, HandlerSide } from "../carrier.ts";
import { answerBy, type FetchMount, isForbidden } from "./adapter.ts";
import { ExchangeSide, type SideOwner } from "./exchange-side.ts";
import { DirectInfo } from "./info.ts";

/** The handler's side of an exchange that needs no "request" listener. */
export interface DirectSide extends HandlerSide {
  /** What errors are shown with. */
  readonly req: Request;
  /** Hands the request to its handler; never throws. */
  start(): void;
}

/** Takes exchanges in place of the "request" event. */
export interface DirectHandler {
  /** Makes the side of one exchange, which is yet to be started. */
  side(carrier: Carrier): DirectSide;
}

function run(mount: FetchMount, side: ExchangeSide): void {
  answerBy(mount, side.req, new DirectInfo(side), side)?.catch((error: unknown) => {
    mount.errors.report(error);
    side.current.fail();
  });
}

/** One fetch handler and its server. */
export class DirectFetch implements DirectHandler, SideOwner {
  readonly server: Server;
  readonly #mount: FetchMount;

  constructor(mount: FetchMount, server: Server) {
    this.#mount = mount;
    this.server = server;
  }

  side(carrier: Carrier): DirectSide {
    return new ExchangeSide(carrier, this);
  }

  dispatch(side: ExchangeSide): void {
    if (isForbidden(side.method)) side.whole({ status: 501, statusText: "", headers: [] }, "");
    // Without a scope AsyncLocalStorage.enterWith() of one request would show in the next of the same read. About 50 ns
    // on Node 20 to 26; a scope for all would do from Node 24 on, but not before.
    else new AsyncResource("POSTERN_REQUEST").runInAsyncScope(run, undefined, this.#mount, side);
  }

  report(error: unknown): void {
    this.#mount.errors.report(error);
  }
}
