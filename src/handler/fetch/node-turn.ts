/**
 * `info.node` of an exchange that came without node's objects: they are made when somebody asks for them, and take over
 * the exchange if nothing of the answer has left. Later ones show the facts and are destroyed (docs/handlers.md).
 */
import type { Server, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Carrier } from "../carrier.ts";
import type { Gateway } from "../gateway.ts";
import { prototypesOf } from "../node/prototypes.ts";
import { type GatewayRequest, NodeRequest } from "../node/request.ts";
import { type AnswerSink, NodeSink } from "./answer.ts";
import { bodyStream, collectBody } from "./body.ts";
import type { Completion } from "./completion.ts";
import type { HeldBody } from "./held-body.ts";
import { SpentCarrier } from "./spent.ts";

/** Whose turn it was until now. */
interface Before {
  readonly carrier: Carrier;
  readonly gateway: Gateway;
  /** The application destroyed node's objects. */
  brokeOff(): void;
}

/** Node's objects of one exchange. */
export class NodeTurn {
  readonly req: GatewayRequest;
  readonly res: ServerResponse;
  /** Where the answer goes now; undefined where it has gone elsewhere. */
  readonly sink: AnswerSink | undefined;
  /** Does the body go through `req`? Not where the Request's own readers have begun with it. */
  readonly takesBody: boolean;
  readonly #side: NodeRequest;
  readonly #body: HeldBody | undefined;

  /**
   * @param isLate     has the answer begun, or is the client gone?
   * @param body       what is held of the request's body; it is taken over, or goes on to be read as it is
   * @param isComplete has all of the body come?
   */
  constructor(
    before: Before,
    server: Server,
    isLate: boolean,
    body: HeldBody | undefined,
    isComplete: boolean,
  ) {
    const carrier = isLate ? new SpentCarrier(before.carrier) : before.carrier;
    const side = new NodeRequest(carrier, server, prototypesOf(server));
    this.#side = side;
    this.req = side.req;
    this.res = side.res;
    // One object: what was seen of it before holds on.
    const gateway = { value: before.gateway, enumerable: true, writable: true, configurable: true };
    Object.defineProperty(this.req, "gateway", gateway);
    this.takesBody = !isLate && body?.isBegun !== true;
    this.#body = this.takesBody ? undefined : body;
    this.sink = isLate ? undefined : new NodeSink(this.res);
    if (isLate) {
      this.res.destroy();
      return;
    }
    // Before node's own listeners hear of it, as where this was node's from the start.
    this.req.socket.prependOnceListener("close", () => {
      if (!this.req.complete || !this.res.writableEnded) before.brokeOff();
    });
    if (!this.takesBody) side.bodyEnd();
    else {
      for (const chunk of body?.takeHeld() ?? []) side.body(chunk);
      if (isComplete) side.bodyEnd();
    }
  }

  // --- as HandlerSide -----------------------------------------------------------------------------

  body(chunk: Buffer): number {
    return this.takesBody ? this.#side.body(chunk) : (this.#body?.push(chunk) ?? 0);
  }

  bodyEnd(): void {
    if (this.takesBody) this.#side.bodyEnd();
  }

  inputOver(): void {
    if (this.takesBody) this.#side.inputOver(false);
  }

  get unreadBytes(): number {
    return this.takesBody ? this.req.readableLength : 0;
  }

  drained(): void {
    if (this.sink !== undefined) this.#side.drained();
  }

  aborted(reason: Error): void {
    if (this.sink !== undefined) this.#side.aborted(reason);
  }

  // --- as RequestSource ---------------------------------------------------------------------------

  get isDisturbed(): boolean {
    return this.takesBody && Readable.isDisturbed(this.req);
  }

  stream(): ReadableStream<Uint8Array> {
    return bodyStream(this.req);
  }

  collect(): Promise<Buffer> {
    return collectBody(this.req);
  }

  /** Tells when the answer is sent, or never will be. */
  completes(completion: Completion): void {
    const { res } = this;
    if (this.sink === undefined) return;
    const broken = (): void => completion.settle(new Error("The response was not sent whole."));
    if (res.writableFinished) completion.settle();
    else if (res.destroyed) broken();
    else res.once("finish", () => completion.settle()).once("close", broken);
  }
}
