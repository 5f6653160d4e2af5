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

/** A client's address in the form that Deno gave it. */
export function remoteAddrOf(hostname: string, port: number): FetchInfo["remoteAddr"] {
  return { transport: "tcp", hostname, port };
}

/** A function of its own, so that it can be taken off and handed on. */
function workTaker(report: (error: unknown) => void): FetchInfo["waitUntil"] {
  return (work) => {
    Promise.resolve(work).catch(report);
  };
}

/** What the facts of a request without node's objects are read from; each is made when it is. */
export interface InfoSource extends Omit<FetchInfo, "waitUntil"> {
  /** Told of rejections of `waitUntil`. */
  reportWork(error: unknown): void;
}

/** The facts of one request, read from the exchange itself. */
export class DirectInfo implements FetchInfo {
  readonly #source: InfoSource;

  constructor(source: InfoSource) {
    this.#source = source;
  }

  get gateway(): GatewayFacts {
    return this.#source.gateway;
  }
  get remoteAddr(): FetchInfo["remoteAddr"] {
    return this.#source.remoteAddr;
  }
  get completed(): Promise<void> {
    return this.#source.completed;
  }
  get node(): FetchInfo["node"] {
    const { req, res } = this.#source.node;
    return { req, res };
  }
  get waitUntil(): FetchInfo["waitUntil"] {
    const source = this.#source;
    return workTaker((error) => source.reportWork(error));
  }
}

/** The facts of one request, read from node's objects. */
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
    return remoteAddrOf(socket.remoteAddress ?? "", socket.remotePort ?? 0);
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

  get waitUntil(): FetchInfo["waitUntil"] {
    return workTaker(this.#report);
  }
}
