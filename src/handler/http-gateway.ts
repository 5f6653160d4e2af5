/**
 * `req.gateway` of a request that came by plain HTTP (`protocol: "http"`, or "auto").
 * No front server said anything about it: there are no variables, no user, no mount prefix. Values as in gateway.ts.
 */
import type { IncomingMessage } from "node:http";
import { Writable } from "node:stream";
import { AbortError } from "../errors.ts";
import type { TlsFacts } from "../http/head.ts";
import { requestIdOf } from "../http/request-id.ts";
import { decodePath, pathOf } from "../http/target.ts";
import type { GatewayFacts } from "./gateway.ts";

const NOTHING: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** What tells how the answer ended: the response, or the socket of an upgrade. */
type Answer = Pick<Writable, "closed" | "destroyed" | "writableFinished" | "once">;

/** The facts of one HTTP request. */
class HttpGateway implements GatewayFacts {
  readonly protocol = "http";
  readonly role = "responder";
  readonly scriptName = "";
  readonly params: Readonly<Record<string, string>> = NOTHING;
  readonly attributes: Readonly<Record<string, string>> = NOTHING;
  readonly remoteUser: undefined = undefined;
  readonly authType: undefined = undefined;
  readonly tls: TlsFacts | undefined = undefined;
  readonly data: undefined = undefined;
  readonly #req: IncomingMessage;
  readonly #answer: Answer;
  #controller: AbortController | undefined;

  constructor(req: IncomingMessage, answer: Answer) {
    this.#req = req;
    this.#answer = answer;
  }

  get pathInfo(): string {
    return decodePath(pathOf(this.#req.url ?? "/"));
  }

  get peer(): { readonly address: string; readonly port: number } {
    const { socket } = this.#req;
    return { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
  }

  get requestId(): string {
    return requestIdOf(this.#req, String(this.#req.headers["x-request-id"] ?? ""));
  }

  get errors(): Writable {
    return new Writable({ write: (_chunk, _encoding, done): void => done() });
  }

  get aborted(): boolean {
    // The response tells: the request is closed as soon as it is read, with its client still there.
    return this.#answer.destroyed && !this.#answer.writableFinished;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      const lost = (): void => {
        if (this.aborted) controller.abort(new AbortError("ERR_CONNECTION_LOST"));
      };
      if (this.#answer.closed || this.#answer.destroyed) lost();
      else this.#answer.once("close", lost);
    }
    return this.#controller.signal;
  }
}

/** Hears of each request of a server that came by plain HTTP, with its response or the socket of an upgrade. */
export type HttpWatch = (req: IncomingMessage, answer: Writable) => void;

const watches = new WeakMap<object, HttpWatch>();

/** Has somebody hear of a server's requests over plain HTTP. */
export function watchHttp(server: object, watch: HttpWatch): void {
  watches.set(server, watch);
}

/** Puts the facts on a request that has none. A listener of "request", called with the server as `this`. */
export function attachHttpGateway(this: object, req: IncomingMessage, answer: Answer): void {
  if ("gateway" in req) return;
  Object.assign(req, { gateway: new HttpGateway(req, answer) });
  watches.get(this)?.(req, answer as Writable);
}
