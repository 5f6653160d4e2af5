/**
 * The second argument of a fetch handler: the gateway's facts and the client's address.
 * It holds no behaviour of its own. Field names follow Deno's and srvx's.
 */
import type { ServerResponse } from "node:http";
import type { GatewayFacts } from "../gateway.ts";
import type { GatewayRequest } from "../node/request.ts";

/** What a fetch handler is given beside its Request. */
export interface FetchInfo {
  readonly gateway: GatewayFacts;
  /** The client as the front server names it; hostname "" and port 0 when it does not. */
  readonly remoteAddr: {
    readonly transport: "tcp";
    readonly hostname: string;
    readonly port: number;
  };
  /** Resolves when the response has been sent, rejects when it could not be. */
  readonly completed: Promise<void>;
  readonly node: { readonly req: GatewayRequest; readonly res: ServerResponse };
  /** Work that goes on after the response; a rejection is reported and ends nothing. */
  waitUntil(work: Promise<unknown>): void;
}

/** A Web-style handler. */
export type FetchHandler = (request: Request, info: FetchInfo) => Response | Promise<Response>;
