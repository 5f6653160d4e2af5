/**
 * `req.gateway` of a request that came by plain HTTP (`protocol: "http"`, or "auto").
 * No front server said anything about it: there are no variables, no user, no mount prefix. Values as in gateway.ts.
 */
import type { IncomingMessage } from "node:http";
import { Writable } from "node:stream";
import { AbortError } from "../errors.ts";
import type { TlsFacts } from "../http/head.ts";
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

/** Puts the facts on a request that has none. */
export function attachHttpGateway(req: IncomingMessage, answer: Answer): void {
  if (!("gateway" in req)) Object.assign(req, { gateway: new HttpGateway(req, answer) });
}
