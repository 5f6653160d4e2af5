/**
 * One exchange of a fetch handler, without node's req and res: what its lazy Request is made of, and where its Response goes.
 * Everything that a handler may never ask for comes into being when it does; node's objects too, which take over from then
 * on (node-turn.ts). Which exchanges come this way is server/direct-way.ts.
 */
import type { Server } from "node:http";
import type { BodyPiece, ResponseHead } from "../../http/head.ts";
import type { Carrier, HandlerSide } from "../carrier.ts";
import { Gateway } from "../gateway.ts";
import { CHUNKED, hasUnknownLength } from "../node/request.ts";
import { type AnswerHead, type AnswerSink, FAILURE_TEXT, failureHead } from "./answer.ts";
import { Completion } from "./completion.ts";
import { responseHead } from "./head.ts";
import { brokenOff, HeldBody } from "./held-body.ts";
import { type FetchInfo, type InfoSource, remoteAddrOf } from "./info.ts";
import { NodeTurn } from "./node-turn.ts";
import { bytesOf, Outflow, pieceOf } from "./outflow.ts";
import { LazyRequest } from "./request.ts";
import { hostIn, type RequestSource } from "./source.ts";

/** How far the answer is. */
const Phase = { IDLE: 0, BEGUN: 1, OVER: 2 } as const;

/** Answers up to this size are taken by the kernel in one go, or their connection is lost anyway. */
const TOLD_BYTES = 16_384;

const NO_PIECES: readonly BodyPiece[] = Object.freeze([]);

/** What all exchanges of one handler share. */
export interface SideOwner {
  readonly server: Server;
  /** Runs the handler; never throws. */
  dispatch(side: ExchangeSide): void;
  /** Tells the operator of an error beside the answer. */
  report(error: unknown): void;
}

/** The handler's side of one exchange. */
export class ExchangeSide implements HandlerSide, RequestSource, InfoSource, AnswerSink {
  readonly carrier: Carrier;
  readonly #owner: SideOwner;
  #request: Request | undefined;
  #phase: number = Phase.IDLE;
  /** Has the whole request come, or all that will? */
  #isComplete = false;
  #isCut = false;
  #reason: Error | undefined;
  #gateway: Gateway | undefined;
  #body: HeldBody | undefined;
  #outflow: Outflow | undefined;
  #completion: Completion | undefined;
  #node: NodeTurn | undefined;

  constructor(carrier: Carrier, owner: SideOwner) {
    this.carrier = carrier;
    this.#owner = owner;
  }

  /** Hands the request to its handler; never throws. */
  start(): void {
    this.#owner.dispatch(this);
  }

  /** The Request, for the handler and for whoever is told of errors. */
  get req(): Request {
    this.#request ??= new LazyRequest(this) as unknown as Request;
    return this.#request;
  }

  // --- what the exchange says ---------------------------------------------------------------------

  body(chunk: Buffer): number {
    if (this.#node !== undefined) return this.#node.body(chunk);
    if (this.#phase === Phase.OVER) return 0;
    return this.#heldBody.push(chunk);
  }

  bodyEnd(): void {
    this.#isComplete = true;
    this.#body?.end();
    this.#node?.bodyEnd();
  }

  /** As node's way: who reads must not take a part for the whole; who does not is not told. */
  inputOver(whole: boolean): void {
    if (this.#isComplete) return;
    if (whole) return this.bodyEnd();
    this.#isComplete = true;
    this.#isCut = true;
    this.#body?.fail(brokenOff(undefined));
    this.#node?.inputOver();
  }

  data(chunk: Buffer): number {
    const { data } = this.gateway;
    if (data === undefined || data.destroyed) return 0;
    data.push(chunk);
    return data.readableLength;
  }

  dataEnd(): void {
    const { data } = this.gateway;
    if (data !== undefined && !data.destroyed) data.push(null);
  }

  get unreadBytes(): number {
    const held = (this.#body?.heldBytes ?? 0) + (this.#gateway?.data?.readableLength ?? 0);
    return held + (this.#node?.unreadBytes ?? 0);
  }

  drained(): void {
    this.#outflow?.drained();
    this.#node?.drained();
  }

  aborted(reason: Error): void {
    if (this.#phase === Phase.OVER) return;
    this.#lose(reason, reason);
    this.#node?.aborted(reason);
  }

  /** @param cause what a reader of the body is shown as the reason; undefined where the application broke it off */
  #lose(reason: Error, cause: Error | undefined): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#gateway?.abort(reason);
    this.#body?.fail(brokenOff(cause));
    this.#outflow?.gone();
    this.#completion?.settle(reason);
  }

  // --- RequestSource ------------------------------------------------------------------------------

  get method(): string {
    return this.carrier.head.method;
  }
  get target(): string {
    return this.carrier.head.url;
  }
  get host(): string | undefined {
    return hostIn(this.carrier.head.rawHeaders);
  }
  get isEncrypted(): boolean {
    return this.carrier.head.tls !== undefined;
  }
  get rawHeaders(): readonly string[] {
    const { head, protocol } = this.carrier;
    return hasUnknownLength(protocol, head) ? [...head.rawHeaders, ...CHUNKED] : head.rawHeaders;
  }
  get signal(): AbortSignal {
    return this.gateway.signal;
  }
  get isDisturbed(): boolean {
    return this.#node?.isDisturbed ?? false;
  }

  stream(): ReadableStream<Uint8Array> {
    return this.#node?.takesBody === true ? this.#node.stream() : this.#heldBody.stream();
  }

  collect(): Promise<Buffer> {
    return this.#node?.takesBody === true ? this.#node.collect() : this.#heldBody.collect();
  }

  get #heldBody(): HeldBody {
    if (this.#body === undefined) {
      const body = new HeldBody(this.carrier);
      this.#body = body;
      if (this.#isCut || this.#reason !== undefined) body.fail(brokenOff(this.#reason));
      else if (this.#isComplete) body.end();
    }
    return this.#body;
  }

  // --- FetchInfo ----------------------------------------------------------------------------------

  get gateway(): Gateway {
    if (this.#gateway === undefined) {
      this.#gateway = new Gateway(this.carrier);
      if (this.#reason !== undefined) this.#gateway.abort(this.#reason);
    }
    return this.#gateway;
  }

  get remoteAddr(): FetchInfo["remoteAddr"] {
    const { remoteAddress, remotePort } = this.carrier.head;
    return remoteAddrOf(remoteAddress, remotePort);
  }

  reportWork(error: unknown): void {
    this.#owner.report(error);
  }

  get completed(): Promise<void> {
    if (this.#completion === undefined) {
      this.#completion = new Completion();
      if (this.#reason !== undefined) this.#completion.settle(this.#reason);
      else if (this.#phase === Phase.OVER) this.#completion.settle();
      else this.#node?.completes(this.#completion);
    }
    return this.#completion.promise;
  }

  get node(): FetchInfo["node"] {
    if (this.#node === undefined) {
      const isLate = this.#phase !== Phase.IDLE || this.#reason !== undefined;
      this.#node = new NodeTurn(this, this.#owner.server, isLate, this.#body, this.#isComplete);
      if (!isLate && this.#completion !== undefined) this.#node.completes(this.#completion);
    }
    return this.#node;
  }

  // --- AnswerSink ---------------------------------------------------------------------------------

  get current(): AnswerSink {
    return this.#node?.sink ?? this;
  }
  get isHead(): boolean {
    return this.carrier.head.method === "HEAD";
  }
  get isGone(): boolean {
    return this.#reason !== undefined;
  }
  get isBegun(): boolean {
    return this.#phase !== Phase.IDLE;
  }
  get isEnded(): boolean {
    return this.#phase === Phase.OVER;
  }

  #head(head: AnswerHead, bodyBytes: number): ResponseHead {
    return responseHead(head, bodyBytes, this.carrier.role === "authorizer");
  }

  whole(head: AnswerHead, body: string | Uint8Array | undefined): void {
    if (this.#phase !== Phase.IDLE || this.isGone) return;
    const { status } = head;
    const isBodiless = status === 204 || status === 304 || this.isHead;
    if (isBodiless || body === undefined || body.length === 0) {
      const made = this.#head(head, isBodiless ? -1 : 0);
      this.#phase = Phase.OVER;
      this.carrier.send(made, NO_PIECES, true, this.#completion?.settle);
      return;
    }
    const piece = pieceOf(body);
    const made = this.#head(head, piece.length);
    this.#phase = Phase.OVER;
    if (piece.length > TOLD_BYTES) this.#completion ??= new Completion();
    this.carrier.send(made, [piece], true, this.#completion?.settle);
  }

  begin(head: AnswerHead, chunks: readonly Uint8Array[]): void {
    const pieces = chunks.map(bytesOf).filter(({ length }) => length > 0);
    const made = this.#head(head, -1);
    this.#phase = Phase.BEGUN;
    this.#flow.sent(this.carrier.send(made, pieces, false, undefined));
  }

  write(chunk: Uint8Array): void {
    this.#flow.write(chunk);
  }

  room(): Promise<void> | undefined {
    return this.#flow.room();
  }

  end(): void {
    if (this.#phase !== Phase.BEGUN || this.isGone) return;
    const pieces = this.#flow.take();
    this.#phase = Phase.OVER;
    this.#flow.end();
    this.#completion ??= new Completion();
    this.carrier.send(undefined, pieces, true, this.#completion.settle);
  }

  fail(): void {
    if (this.isGone) return;
    if (this.#phase === Phase.IDLE) this.whole(failureHead(), FAILURE_TEXT);
    else if (this.#phase === Phase.BEGUN) {
      this.#phase = Phase.OVER;
      this.carrier.giveUp();
      this.brokeOff();
    }
  }

  /** The application broke its answer off. */
  brokeOff(): void {
    this.#lose(brokenOff(undefined), undefined);
  }

  onGone(callback: () => void): void {
    this.#flow.whenGone = callback;
  }

  get #flow(): Outflow {
    this.#outflow ??= new Outflow(this.carrier);
    return this.#outflow;
  }
}
