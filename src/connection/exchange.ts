/**
 * One request and its response: the turning point of the data's way.
 * It takes rows from dispatch.ts, gives the application its objects, and sends what they say through the encoder;
 * reading, pausing and closing are the connection's business. States are in lifecycle.ts.
 */
import { AbortError, ERRORS, type ErrorRow, ProtocolError } from "../errors.ts";
import type { Carrier, HandlerSide } from "../handler/carrier.ts";
import { NodeRequest } from "../handler/node/request.ts";
import type { FieldBlock } from "../http/field-block.ts";
import type { RequestHead, ResponseHead, RoleName } from "../http/head.ts";
import type { HeadMeta, ResponseEnd } from "../protocols/protocol.ts";
import { BodyKind, KEEP_CONNECTION, Note, Role } from "../wire/abi.ts";
import type { ConnectionContext, ProtocolSetup } from "./context.ts";
import {
  nextState,
  REQUEST_TABLE,
  RequestEvent,
  RequestState,
  RESPONSE_TABLE,
  ResponseEvent,
  ResponseState,
} from "./lifecycle.ts";
import { errorResponse } from "./refusal.ts";
import type { Transport } from "./transport.ts";

/** What an exchange needs from its connection. */
export interface ExchangeHost {
  readonly context: ConnectionContext;
  readonly setup: ProtocolSetup;
  readonly transport: Transport;
  /** Does another exchange of this connection live? */
  isShared(): boolean;
  /** May the connection be used again after this exchange's end (AJP's reuse flag)? */
  canReuse(exchange: Exchange): boolean;
  /** The response is over, well or not: the exchange leaves. */
  exchangeEnded(exchange: Exchange): void;
  /** Nothing can be said any more: ends the connection so that the peer sees a failure. */
  breakOff(): void;
  noteDecoder(note: number, exchangeId: number): void;
  /** A body is held unread up to its window: reading stops until `bodyWanted`. */
  windowFull(): void;
  bodyWanted(): void;
}

type Written = ((error?: Error | null) => void) | undefined;

const ROLES: Readonly<Record<number, RoleName>> = {
  [Role.RESPONDER]: "responder",
  [Role.AUTHORIZER]: "authorizer",
  [Role.FILTER]: "filter",
};
const OVERLOADED = 2;

/** One request in flight. */
export class Exchange implements Carrier {
  readonly id: number;
  readonly keepConnection: boolean;
  readonly role: RoleName;
  head!: RequestHead;
  /** When the last byte of this request's input came, by the coarse clock. */
  inputMs: number;
  readonly beganMs: number;
  readonly #host: ExchangeHost;
  #request: number = RequestState.OPEN;
  #response: number = ResponseState.IDLE;
  #side: NodeRequest | undefined;
  #bodyKind: number = BodyKind.NONE;
  readonly #pulled: boolean;
  #asked = false;
  #declaredBytes = -1;
  #sentBytes = 0;
  #stderrBytes = 0;
  #appStatus = 0;
  #counted = false;

  constructor(host: ExchangeHost, id: number, detail: number) {
    this.#host = host;
    this.id = id;
    this.keepConnection = (detail & KEEP_CONNECTION) !== 0;
    this.#pulled = host.setup.encoder.pullsBody;
    this.role = ROLES[detail & 255] ?? "responder";
    this.beganMs = host.context.nowMs;
    this.inputMs = this.beganMs;
  }

  // --- what the connection asks -------------------------------------------------------------------

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
  get side(): HandlerSide | undefined {
    return this.#side;
  }
  /** Has the whole request come? */
  get inputDone(): boolean {
    return this.#request === RequestState.DONE;
  }
  get headDone(): boolean {
    return this.#request !== RequestState.OPEN;
  }
  get responseBegun(): boolean {
    return this.#response !== ResponseState.IDLE;
  }
  /** AJP: is no packet under way that was asked for, or due unasked? */
  get inputQuiet(): boolean {
    return this.inputDone || (this.#bodyKind === BodyKind.UNKNOWN && !this.#asked);
  }
  /** Is a byte of the body due that nobody holds back? */
  get awaitsBody(): boolean {
    return this.#request === RequestState.BODY && (!this.#pulled || this.#asked);
  }

  // --- rows ---------------------------------------------------------------------------------------

  /** HEAD: reads it and hands the request to the application. */
  begin(fields: FieldBlock, meta: HeadMeta): void {
    if (!this.#move(RequestEvent.HEAD)) return;
    const { context, setup } = this.#host;
    this.#bodyKind = meta.bodyKind;
    try {
      this.head = setup.protocol.readHead(fields, meta, setup.headOptions);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.refuse(error.row);
      return;
    }
    if (context.activeRequests >= context.limits.requests) {
      this.refuse(ERRORS.LIMIT_REQUESTS);
      return;
    }
    context.activeRequests++;
    this.#counted = true;
    // The first body packet of a known length comes unasked.
    this.#asked = this.#pulled && meta.bodyKind === BodyKind.KNOWN;
    this.#side = new NodeRequest(this, context.server);
    context.dispatch(this.#side.req, this.#side.res);
  }

  /** BODY. The chunk is ours. */
  body(chunk: Buffer): void {
    if (!this.#move(RequestEvent.BODY)) return;
    this.inputMs = this.#host.context.nowMs;
    this.#asked = false;
    const unread = this.#side?.body(chunk) ?? 0;
    if (unread >= this.#host.context.limits.windowBytes && !this.#pulled) this.#host.windowFull();
  }

  bodyEnd(): void {
    if (!this.#move(RequestEvent.BODY_END)) return;
    this.#asked = false;
    this.#side?.bodyEnd();
  }

  /** DATA of a Filter. */
  data(chunk: Buffer): void {
    const unread = this.#side?.data(chunk) ?? 0;
    if (unread >= this.#host.context.limits.windowBytes) this.#host.windowFull();
  }

  dataEnd(): void {
    this.#side?.dataEnd();
  }

  /** ABORT_REQUEST: the handler hears of it, and the peer gets its END_REQUEST (FastCGI §5.4). */
  abort(): void {
    if (!this.#move(RequestEvent.ABORT)) return;
    this.#side?.aborted(new AbortError("ERR_ABORTED"));
    if (this.#respond(ResponseEvent.END)) this.#sendBare(undefined, undefined, 0);
  }

  /** The connection is gone, or going: nothing more can be sent. */
  lose(reason: Error): void {
    this.#move(RequestEvent.CLOSE);
    this.#respond(ResponseEvent.FAIL);
    this.#side?.aborted(reason);
    this.#leave();
  }

  /** The peer broke a rule or a limit with this request: a full answer, or a broken end where one has begun. */
  refuse(row: ErrorRow): void {
    this.#move(RequestEvent.CLOSE);
    const begun = this.responseBegun;
    if (!this.#respond(begun ? ResponseEvent.FAIL : ResponseEvent.END)) return;
    this.#side?.aborted(new ProtocolError(row));
    if (begun) this.#breakOff();
    else this.#refuseWith(row);
  }

  #refuseWith(row: ErrorRow): void {
    if (row.status === 0) {
      const protocolStatus = row === ERRORS.FCGI_ROLE ? 3 : 1;
      this.#sendBare(undefined, undefined, protocolStatus);
      return;
    }
    const { head, body } = errorResponse(row.status);
    this.#sendBare(head, body, row === ERRORS.FCGI_OVERLOADED ? OVERLOADED : 0);
  }

  #sendBare(head: ResponseHead | undefined, body: Uint8Array | undefined, status: number): void {
    const { setup, transport } = this.#host;
    setup.encoder.response(
      transport.writer,
      this.id,
      head,
      body,
      this.#end(status, head !== undefined),
    );
    transport.flush();
    this.#leave();
  }

  // --- what the handler's objects ask -------------------------------------------------------------

  send(
    head: ResponseHead | undefined,
    chunks: readonly Uint8Array[],
    end: boolean,
    written: Written,
  ): boolean {
    if (this.#response === ResponseState.DONE || this.#response === ResponseState.FAILED) {
      if (written !== undefined) process.nextTick(written, new AbortError("ERR_CONNECTION_LOST"));
      return false;
    }
    if (head !== undefined) {
      this.#respond(ResponseEvent.HEAD);
      const bodiless = this.head.method === "HEAD" || head.status === 204 || head.status === 304;
      this.#declaredBytes = bodiless ? -1 : head.contentLength;
    }
    const pieces = this.#withinDeclared(chunks);
    if (end && this.#declaredBytes >= 0 && this.#sentBytes < this.#declaredBytes) {
      const { context } = this.#host;
      context.report(new RangeError("Response ended before its Content-Length"), this.#side?.req);
      this.fail(written);
      return false;
    }
    const roomy = this.#encode(head, pieces, end, written);
    if (end && this.#respond(ResponseEvent.END)) this.#leave();
    return roomy;
  }

  /** Bytes past the declared Content-Length are never sent: the front server could take them for another answer. */
  #withinDeclared(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
    if (this.#declaredBytes < 0) return chunks;
    const pieces: Uint8Array[] = [];
    for (const chunk of chunks) {
      const room = this.#declaredBytes - this.#sentBytes;
      const piece = chunk.length <= room ? chunk : chunk.subarray(0, room);
      this.#sentBytes += piece.length;
      if (piece.length > 0) pieces.push(piece);
    }
    return pieces;
  }

  #encode(
    head: ResponseHead | undefined,
    pieces: readonly Uint8Array[],
    end: boolean,
    written: Written,
  ): boolean {
    const { setup, transport, context } = this.#host;
    const last = Math.max(pieces.length - 1, 0);
    try {
      for (let i = 0; i <= last; i++) {
        const finish = end && i === last ? this.#end(0, true) : undefined;
        setup.encoder.response(
          transport.writer,
          this.id,
          i === 0 ? head : undefined,
          pieces[i],
          finish,
        );
      }
    } catch (error) {
      if (!(error instanceof RangeError) || head === undefined) throw error;
      // An AJP head that fits no packet: the peer gets a whole 500 in its place.
      context.report(error, this.#side?.req);
      const { head: other, body } = errorResponse(500);
      setup.encoder.response(transport.writer, this.id, other, body, this.#end(0, true));
      const roomy = transport.flush(written);
      if (!end && this.#respond(ResponseEvent.END)) {
        this.#side?.aborted(error);
        this.#leave();
      }
      return roomy;
    }
    return transport.flush(written);
  }

  flush(): void {
    if (this.#response !== ResponseState.HEAD) return;
    this.#host.setup.encoder.flush(this.#host.transport.writer, this.id);
    this.#host.transport.flush();
  }

  stderr(chunk: Uint8Array): number {
    if (this.#response === ResponseState.DONE || this.#response === ResponseState.FAILED) return 0;
    const { setup, transport, context } = this.#host;
    const room = Math.min(chunk.length, context.limits.stderrBytes - this.#stderrBytes);
    if (room <= 0) return 0;
    this.#stderrBytes += room;
    // Copied: a response may be cut off before the socket has taken it.
    setup.encoder.stderr(
      transport.writer,
      this.id,
      Uint8Array.prototype.slice.call(chunk, 0, room),
    );
    transport.flush();
    return room;
  }

  want(): void {
    if (!this.#pulled) {
      this.#host.bodyWanted();
      return;
    }
    if (this.#request !== RequestState.BODY || this.#asked) return;
    const { setup, transport } = this.#host;
    this.#asked = true;
    setup.encoder.want(transport.writer, this.id);
    this.#host.noteDecoder(Note.ASKED, this.id);
    transport.flush();
  }

  giveUp(): void {
    this.fail(undefined);
  }

  /** The response cannot be completed: a broken end. */
  fail(written: Written): void {
    if (!this.#respond(ResponseEvent.FAIL)) return;
    this.#appStatus = 1;
    if (written !== undefined) process.nextTick(written, new AbortError("ERR_CONNECTION_LOST"));
    this.#breakOff();
  }

  #breakOff(): void {
    if (this.#host.isShared()) {
      // Others live on this connection: END_REQUEST with an appStatus is all that can be said (docs/errors.md).
      this.#appStatus = 1;
      this.#sendBare(undefined, undefined, 0);
      return;
    }
    this.#leave();
    this.#host.breakOff();
  }

  // --- states -------------------------------------------------------------------------------------

  #end(protocolStatus: number, stdout: boolean): ResponseEnd {
    return {
      appStatus: this.#appStatus,
      protocolStatus,
      reuse: this.#host.canReuse(this),
      stdout: stdout || this.responseBegun,
      stderr: this.#stderrBytes > 0,
    };
  }

  #move(event: number): boolean {
    const next = nextState(REQUEST_TABLE, this.#request, event);
    if (next < 0) return false;
    this.#request = next;
    return true;
  }

  #respond(event: number): boolean {
    const next = nextState(RESPONSE_TABLE, this.#response, event);
    if (next < 0) return false;
    this.#response = next;
    return true;
  }

  #leave(): void {
    if (this.#counted) {
      this.#counted = false;
      this.#host.context.activeRequests--;
    }
    this.#host.exchangeEnded(this);
  }
}
