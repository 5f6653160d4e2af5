/**
 * One request and its response: the turning point of the data's way.
 * It takes rows from dispatch.ts and gives the application its objects; the response half is response-half.ts, and
 * reading, pausing and closing are the connection's business. States are in lifecycle.ts.
 */
import { AbortError, ERRORS, type ErrorRow, ProtocolError } from "../errors.ts";
import type { Carrier } from "../handler/carrier.ts";
import type { FieldBlock } from "../http/field-block.ts";
import type { BodyPiece, RequestHead, ResponseHead, RoleName } from "../http/head.ts";
import type { HeadMeta } from "../protocols/protocol.ts";
import { BodyKind, KEEP_CONNECTION } from "../wire/abi.ts";
import type { Account } from "./account.ts";
import { obstacleTo } from "./admission.ts";
import { noteStart } from "./chronicle.ts";
import { Demand } from "./demand.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import {
  nextState,
  REQUEST_TABLE,
  RequestEvent,
  RequestState,
  ResponseEvent,
} from "./lifecycle.ts";
import { isBystander, protocolStatusOf } from "./refusal.ts";
import { ResponseHalf, type ResponseOwner, type Written } from "./response-half.ts";
import { roleOf } from "./role.ts";
import { giveSide, type Side } from "./sides.ts";
import { Upgrade } from "./upgrade.ts";

/** One request in flight. */
export class Exchange implements Carrier, ResponseOwner {
  readonly id: number;
  /** Does the peer keep the connection after this request? */
  readonly keepConnection: boolean;
  readonly role: RoleName;
  readonly beganMs: number;
  /** When its head was whole, by the exact clock; 0 while nobody asks for times. */
  startedMs = 0;
  /** When the last byte of this request's input came, by the coarse clock; once upgraded, the last byte either way. */
  inputMs: number;
  aborted = false;
  /** Is the window full, and has the handler not asked for more since? */
  full = false;
  /** May input of this request still come, as far as one can know? */
  inputDue = true;
  /** Did it break a rule or a limit? Then the connection is not used again, unless others share it. */
  refused = false;
  head!: RequestHead;
  /** What is counted of it; undefined where nobody keeps book. */
  readonly account: Account | undefined;
  /** The handler's objects; undefined before there are any. */
  side: Side | undefined;
  readonly #host: ExchangeHost;
  readonly #response: ResponseHalf;
  /** Where a body comes only when it is asked for. */
  #demand: Demand | undefined;
  #request: number = RequestState.OPEN;
  #upgrade: Upgrade | undefined;
  #bodyKind: number = BodyKind.NONE;

  constructor(host: ExchangeHost, id: number, detail: number) {
    this.#host = host;
    this.id = id;
    this.keepConnection = (detail & KEEP_CONNECTION) !== 0;
    this.role = roleOf(detail);
    this.beganMs = host.context.nowMs;
    this.inputMs = this.beganMs;
    this.account = host.context.books.begin(this, host.context.counters);
    this.#response = new ResponseHalf(this, host);
  }

  // --- what the connection asks -------------------------------------------------------------------

  /** Has the whole request come? */
  get inputDone(): boolean {
    return this.#request === RequestState.DONE;
  }
  get headDone(): boolean {
    return this.#request !== RequestState.OPEN;
  }
  /** AJP: is no packet under way that was asked for, or due unasked? */
  get inputQuiet(): boolean {
    if (this.#bodyKind === BodyKind.NONE || this.inputDone) return true;
    return this.#bodyKind === BodyKind.UNKNOWN && this.#demand?.open === 0;
  }
  get response(): ResponseHalf {
    return this.#response;
  }
  /** Is a byte of the body due that nobody holds back? */
  get awaitsBody(): boolean {
    return this.#request === RequestState.BODY && this.#demand?.open !== 0;
  }
  /** May body bytes still be asked for? */
  get bodyDue(): boolean {
    return this.#request === RequestState.BODY && !this.#response.over;
  }

  // --- rows ---------------------------------------------------------------------------------------

  /** HEAD: reads it and hands the request to the application. */
  begin(fields: FieldBlock, meta: HeadMeta): void {
    if (!this.#move(RequestEvent.HEAD)) return;
    const { context, setup } = this.#host;
    this.#bodyKind = meta.bodyKind;
    try {
      this.head = setup.protocol.readHead(fields, meta, setup.headOptions);
      this.account?.knows(this.head, context.books.timed);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.refuse(error.row);
      return;
    }
    noteStart(this, fields, this.#host);
    const obstacle = obstacleTo(this.head, this.#host);
    if (obstacle !== undefined) return this.refuse(obstacle);
    context.activeRequests++;
    context.begunRequests++;
    if (setup.encoder.wantBytes > 0 && meta.bodyKind !== BodyKind.NONE) {
      // The first body packet of a known length comes unasked.
      this.#demand = new Demand(this.#host, this, meta.bodyKind === BodyKind.KNOWN ? 1 : 0);
    }
    giveSide(this, meta, this.#host);
  }

  /** BODY. The chunk is ours. */
  body(chunk: Buffer, frames: number): void {
    if (!this.#move(RequestEvent.BODY)) return;
    this.inputMs = this.#host.context.nowMs;
    this.#host.context.counters.receivedBytes += chunk.length;
    this.#demand?.came(chunk.length, frames);
    if (this.account !== undefined) this.account.requestBytes += chunk.length;
    this.#held(this.side?.body(chunk) ?? 0);
  }

  /** BODY_END. */
  bodyEnd(): void {
    if (!this.#move(RequestEvent.BODY_END)) return;
    this.inputDue = false;
    this.side?.bodyEnd();
  }

  /** DATA of a Filter. */
  data(chunk: Buffer): void {
    this.#held(this.side?.data(chunk) ?? 0);
  }

  /** What the handler does not read is held up to the window; then reading from the peer stops. */
  #held(unreadBytes: number): void {
    if (this.#demand !== undefined || unreadBytes < this.#host.context.limits.windowBytes) return;
    this.full = true;
    this.#host.windowFull();
  }

  /** DATA_END of a Filter. */
  dataEnd(): void {
    this.side?.dataEnd();
  }

  /** ABORT_REQUEST: the handler hears of it, and the peer gets its END_REQUEST (FastCGI §5.4). */
  abort(): void {
    if (!this.#move(RequestEvent.ABORT)) return;
    this.inputDue = false;
    const { begun } = this.#response;
    if (!this.#response.move(ResponseEvent.END)) return;
    this.aborted = true;
    this.account?.endsAs("aborted");
    this.side?.aborted(new AbortError("ERR_ABORTED"));
    this.#response.sendEnd(0, begun);
    this.responseOver();
  }

  /** The response is over and its read is dispatched: what is still to come of the request is nobody's. */
  settle(): void {
    if (this.inputDone || !this.#move(RequestEvent.CLOSE)) return;
    this.side?.inputOver(this.#bodyKind === BodyKind.NONE);
  }

  /** The connection is gone, or going: nothing more can be sent. */
  lose(reason: Error): void {
    this.#move(RequestEvent.CLOSE);
    this.aborted = this.#response.move(ResponseEvent.FAIL);
    if (this.#upgrade === undefined) this.account?.endsAs("aborted");
    this.side?.aborted(reason);
    this.responseOver();
  }

  /** The peer broke a rule or a limit with this request: a full answer, or a broken end where one has begun. */
  refuse(row: ErrorRow): void {
    this.#move(RequestEvent.CLOSE);
    this.refused = !isBystander(row);
    this.#host.context.remark(row, this);
    if (row === ERRORS.BODY_SHORT) this.inputDue = false;
    const { begun } = this.#response;
    if (!this.#response.move(begun ? ResponseEvent.FAIL : ResponseEvent.END)) return;
    this.account?.endsAs("refused", row);
    this.side?.aborted(new ProtocolError(row));
    if (begun) return this.#breakOff(true);
    if (row.status !== 0) this.#response.sendError(row.status, protocolStatusOf(row));
    else this.#response.sendEnd(protocolStatusOf(row), false);
    this.responseOver();
  }

  // --- Carrier: what the handler's objects ask ----------------------------------------------------

  get protocol(): Carrier["protocol"] {
    return this.#host.setup.protocol.name;
  }
  get peerAddress(): string {
    return this.#host.transport.remoteAddress;
  }
  get peerPort(): number {
    return this.#host.transport.remotePort;
  }
  get queuedBytes(): number {
    return this.#host.transport.queuedBytes;
  }

  send(
    head: ResponseHead | undefined,
    chunks: readonly BodyPiece[],
    end: boolean,
    written: Written,
  ): boolean {
    if (this.#upgrade !== undefined) this.inputMs = this.#host.context.nowMs;
    const roomy = this.#response.send(head, chunks, end, written);
    if (head?.status === 101 && this.#move(RequestEvent.UPGRADE)) {
      this.#upgrade = new Upgrade(this, this.#host, this.#response);
    }
    return roomy;
  }

  endUpgraded(written: (error?: Error | null) => void): boolean {
    return this.#upgrade?.end(written) ?? false;
  }

  destroyUpgraded(): void {
    this.#upgrade?.destroy();
  }

  stderr(chunk: Uint8Array): number {
    return this.#response.stderr(chunk);
  }

  want(): void {
    if (this.#demand !== undefined) return this.#demand.want();
    // A stream asks once, and before it hands on what it holds: its word counts, not its fill.
    this.full = false;
    this.#host.bodyWanted();
  }

  giveUp(): void {
    const { begun } = this.#response;
    if (this.#response.move(ResponseEvent.FAIL)) this.#breakOff(begun);
  }

  // --- ResponseOwner ------------------------------------------------------------------------------

  isBodiless(status: number): boolean {
    // Refusals may come before there is a head.
    return this.head?.method === "HEAD" || status === 204 || status === 304;
  }

  canReuse(): boolean {
    return this.#host.canReuse(this);
  }

  responseOver(): void {
    this.#host.context.books.end(this.account);
    this.#host.exchangeEnded(this);
  }

  fail(error: Error, written: Written): void {
    this.report(error);
    if (written !== undefined) process.nextTick(written, error);
    this.side?.aborted(error);
    this.giveUp();
  }

  report(error: Error): void {
    this.#host.context.report(error, this.side?.req);
  }

  /** Was it handed to the application, so that it counts as in flight? Upgraded ones live too long for that. */
  get counted(): boolean {
    return this.side !== undefined && this.#upgrade === undefined;
  }

  #breakOff(begun: boolean): void {
    this.account?.endsAs("failed");
    this.#response.breakOff(begun, this.#host);
    this.responseOver();
  }

  #move(event: number): boolean {
    const next = nextState(REQUEST_TABLE, this.#request, event);
    if (next < 0) return false;
    this.#request = next;
    return true;
  }
}
