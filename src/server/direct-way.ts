/**
 * May a fetch handler have its exchanges without node's req and res? Asked for every request, since listeners and tracing
 * come and go. Yes only while nobody else could tell the difference: the handler is the one listener of "request", nobody
 * has put himself before `emit`, and no diagnostics channel has a subscriber.
 */
import { channel } from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import { Server as HttpServer } from "node:http";
import type { DirectHandler } from "../handler/fetch/direct.ts";
import { attachHttpGateway } from "../handler/http-gateway.ts";

const requestStart = channel("http.server.request.start");
const responseFinish = channel("http.server.response.finish");

/** Node's own table, since asking by listenerCount() costs forty nanoseconds; without it the answer is no. */
interface Emitter extends HttpServer {
  readonly _events?: Readonly<Record<string, unknown>>;
  readonly rejectNonStandardBodyWrites?: boolean;
}

/** Tracing wraps `emit` of a prototype. */
const emitOfAll = EventEmitter.prototype.emit;

/** The direct way of one server. */
export class DirectWay {
  readonly #server: Emitter;
  #handler: DirectHandler | undefined;
  #listener: unknown;
  #emit: HttpServer["emit"] | undefined;

  constructor(server: HttpServer) {
    this.#server = server;
  }

  /**
   * There is one for this listener of "request".
   *
   * @param emit the method of the server's class, by which it can be seen whether somebody stands before it
   */
  offer(listener: unknown, handler: DirectHandler, emit: HttpServer["emit"]): void {
    this.#listener = listener;
    this.#handler = handler;
    this.#emit = emit;
  }

  /** The handler that takes an exchange now; undefined where node's objects are needed. */
  get handler(): DirectHandler | undefined {
    const handler = this.#handler;
    return handler !== undefined && this.#isClear() ? handler : undefined;
  }

  #isClear(): boolean {
    const server = this.#server;
    const listeners = server._events?.["request"] as readonly unknown[] | undefined;
    return (
      listeners?.length === 2 &&
      listeners[0] === attachHttpGateway &&
      listeners[1] === this.#listener &&
      server.emit === this.#emit &&
      HttpServer.prototype.emit === emitOfAll &&
      server.timeout === 0 &&
      server.rejectNonStandardBodyWrites !== true &&
      !requestStart.hasSubscribers &&
      !responseFinish.hasSubscribers
    );
  }
}

const known = new WeakMap<HttpServer, DirectWay>();

/** The direct way of a server. */
export function directWayOf(server: HttpServer): DirectWay {
  let way = known.get(server);
  if (way === undefined) {
    way = new DirectWay(server);
    known.set(server, way);
  }
  return way;
}
