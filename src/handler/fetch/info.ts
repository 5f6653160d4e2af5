/**
 * The second argument of a fetch handler: the gateway's facts and the client's address, each made when it is read.
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
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** A Web-style handler. */
export type FetchHandler = (request: Request, info: FetchInfo) => Response | Promise<Response>;

/** The facts of one request. */
export class RequestInfo implements FetchInfo {
  readonly #req: GatewayRequest;
  readonly #res: ServerResponse;
  readonly #report: (error: unknown) => void;
  #completed: Promise<void> | undefined;

  /** @param report told of rejections of `waitUntil` */
  constructor(req: GatewayRequest, res: ServerResponse, report: (error: unknown) => void) {
    this.#req = req;
    this.#res = res;
    this.#report = report;
  }

  get gateway(): GatewayFacts {
    return this.#req.gateway;
  }

  get remoteAddr(): FetchInfo["remoteAddr"] {
    const { socket } = this.#req;
    return {
      transport: "tcp",
      hostname: socket.remoteAddress ?? "",
      port: socket.remotePort ?? 0,
    };
  }

  get completed(): Promise<void> {
    this.#completed ??= new Promise((resolve, reject) => {
      const res = this.#res;
      const broken = (): void => reject(new Error("The response was not sent whole."));
      if (res.writableFinished) resolve();
      else if (res.destroyed) broken();
      else res.once("finish", resolve).once("close", broken);
    });
    return this.#completed;
  }

  get node(): FetchInfo["node"] {
    return { req: this.#req, res: this.#res };
  }

  /** A function of its own, so that it can be taken off and handed on. */
  get waitUntil(): FetchInfo["waitUntil"] {
    const report = this.#report;
    return (work) => {
      Promise.resolve(work).catch(report);
    };
  }
}
