/**
 * One connection of a front server: bytes → ring → rows → exchanges, and the end of it all.
 * It decides when reading pauses, when the connection is used again, and how it ends; what a request does is
 * exchange.ts, what leaves is the encoder's. One connection has one decoder of one protocol.
 */
import { AbortError, ERRORS, type ErrorRow } from "../errors.ts";
import type { FieldBlock } from "../http/field-block.ts";
import type { HeadMeta } from "../protocols/protocol.ts";
import { KEEP_CONNECTION, Note, Role } from "../wire/abi.ts";
import type { ConnectionContext, ProtocolSetup } from "./context.ts";
import { overdue, StallWatch } from "./deadlines.ts";
import { Exchange, type ExchangeHost } from "./exchange.ts";
import { ExchangeTable } from "./exchange-table.ts";
import { Linger } from "./linger.ts";
import { Reader, type RowTarget } from "./reader.ts";
import { errorResponse } from "./refusal.ts";
import type { Transport, TransportListener } from "./transport.ts";

/** A multiplexed connection waits this long for a handler that does not read, then that request is refused. */
const WINDOW_WAIT_MS = 1_000;

/** One connection. */
export class Connection implements TransportListener, RowTarget, ExchangeHost {
  readonly context: ConnectionContext;
  readonly setup: ProtocolSetup;
  readonly #reader: Reader;
  readonly #exchanges = new ExchangeTable();
  readonly #onClosed: () => void;
  readonly #stall = new StallWatch();
  #transport!: Transport;
  #linger: Linger | undefined;
  /** No further request is taken from this connection. */
  #closing = false;
  #pausedSinceMs = 0;
  #inputMs: number;
  #headSinceMs = 0;
  #leftoverSinceMs = 0;

  constructor(context: ConnectionContext, setup: ProtocolSetup, onClosed: () => void) {
    this.context = context;
    this.setup = setup;
    this.#onClosed = onClosed;
    const decoder = context.engine.createDecoder(setup.protocol, setup.decoderOptions);
    this.#reader = new Reader(context.engine, decoder, this);
    this.#inputMs = context.nowMs;
  }

  get transport(): Transport {
    return this.#transport;
  }

  /** Is nothing more to be read? */
  get deaf(): boolean {
    return this.#linger !== undefined || this.#transport.destroyed;
  }

  /** Has this connection no request in flight? */
  get idle(): boolean {
    return this.#exchanges.size === 0;
  }

  /** Takes the socket over. */
  attach(transport: Transport): void {
    this.#transport = transport;
  }

  // --- transport ----------------------------------------------------------------------------------

  received(chunk: Buffer): void {
    if (this.#linger !== undefined) {
      this.#linger.drop(chunk.length);
      return;
    }
    this.#inputMs = this.context.nowMs;
    if (!this.#reader.read(chunk)) this.windowFull();
    const partial = this.#reader.partial || this.#exchanges.list().some((one) => !one.headDone);
    this.#headSinceMs = partial ? this.#headSinceMs || this.context.nowMs : 0;
  }

  ended(closed: boolean): void {
    if (this.#linger !== undefined) return this.#linger.ended();
    this.#closing = true;
    // Over TCP, FIN may mean either; abort is the safer guess (docs/decisions/half-close.md).
    const gone = closed || (!this.#transport.isUnix && !this.context.halfOpen);
    for (const exchange of this.#exchanges.list()) {
      if (gone || !exchange.inputDone) exchange.lose(new AbortError("ERR_CONNECTION_LOST"));
    }
    if (gone && this.#transport.queuedBytes === 0) this.#transport.destroy();
    else if (this.idle) this.#transport.finish();
  }

  closed(): void {
    this.#closing = true;
    for (const exchange of this.#exchanges.list())
      exchange.lose(new AbortError("ERR_CONNECTION_LOST"));
    this.#reader.discard();
    this.#onClosed();
  }

  drained(): void {
    for (const exchange of this.#exchanges.list()) exchange.side?.drained();
  }

  // --- rows ---------------------------------------------------------------------------------------

  begin(exchangeId: number, detail: number): void {
    this.#exchanges.add(new Exchange(this, exchangeId, detail));
  }

  head(exchangeId: number, fields: FieldBlock, meta: HeadMeta): void {
    this.#exchanges.get(exchangeId)?.begin(fields, meta);
  }

  body(exchangeId: number, chunk: Buffer): void {
    this.#exchanges.get(exchangeId)?.body(chunk);
  }

  bodyEnd(exchangeId: number, leftover: boolean): void {
    if (leftover) this.#leftoverSinceMs = 0;
    else this.#exchanges.get(exchangeId)?.bodyEnd();
  }

  data(exchangeId: number, chunk: Buffer): void {
    this.#exchanges.get(exchangeId)?.data(chunk);
  }

  dataEnd(exchangeId: number): void {
    this.#exchanges.get(exchangeId)?.dataEnd();
  }

  abort(exchangeId: number): void {
    this.#exchanges.get(exchangeId)?.abort();
  }

  control(type: number, contentView: Uint8Array): void {
    if (this.context.draining && this.setup.protocol.name === "ajp") {
      // A CPing to a container that is about to stop is answered by its close.
      this.#startLinger();
      return;
    }
    if (this.setup.encoder.control(this.#transport.writer, type, contentView))
      this.#transport.flush();
  }

  error(exchangeId: number, row: ErrorRow): void {
    const exchange = this.#exchanges.get(exchangeId);
    if (row.scope === "request") {
      // Refusals of a second request leave the first, and the connection, as they are.
      const bystander = row.status === 0 || row === ERRORS.FCGI_OVERLOADED;
      if (!bystander) this.#closing = true;
      const refused = exchange ?? new Exchange(this, exchangeId, Role.RESPONDER | KEEP_CONNECTION);
      if (exchange === undefined) this.#exchanges.add(refused);
      refused.refuse(row);
      return;
    }
    this.#closing = true;
    if (row.status === 0) {
      this.#transport.destroy();
      return;
    }
    if (exchange !== undefined) exchange.refuse(row);
    else this.#answerError(row);
    this.#startLinger();
  }

  /** A whole answer to bytes that became no request. */
  #answerError(row: ErrorRow): void {
    const { head, body } = errorResponse(row.status);
    const end = { appStatus: 0, protocolStatus: 0, reuse: false, stdout: true, stderr: false };
    this.setup.encoder.response(this.#transport.writer, 1, head, body, end);
    this.#transport.flush();
  }

  // --- what exchanges ask -------------------------------------------------------------------------

  isShared(): boolean {
    return this.#exchanges.size > 1;
  }

  canReuse(exchange: Exchange): boolean {
    return (
      exchange.keepConnection && exchange.inputQuiet && !this.#closing && !this.context.draining
    );
  }

  exchangeEnded(exchange: Exchange): void {
    if (!this.#exchanges.delete(exchange)) return;
    if (exchange.counted) this.context.activeRequests--;
    this.#reader.note(Note.ENDED, exchange.id);
    if (this.deaf) return;
    const isAjp = this.setup.protocol.name === "ajp";
    if (!exchange.keepConnection || this.context.draining || (isAjp && !this.canReuse(exchange))) {
      this.#closing = true;
    }
    if (!exchange.inputDone) this.#leftoverSinceMs = this.context.nowMs;
    if (this.#closing && this.idle) this.#startLinger();
    else this.bodyWanted();
  }

  breakOff(): void {
    this.#closing = true;
    this.#transport.breakOff(this.setup.protocol.name === "fastcgi");
  }

  noteDecoder(note: number, exchangeId: number): void {
    this.#reader.note(note, exchangeId);
  }

  windowFull(): void {
    if (this.#pausedSinceMs !== 0) return;
    this.#pausedSinceMs = this.context.nowMs;
    this.#transport.pause();
  }

  bodyWanted(): void {
    if (this.#pausedSinceMs === 0) return;
    if (this.#exchanges.list().some((one) => one.full)) return;
    this.#pausedSinceMs = 0;
    for (const exchange of this.#exchanges.list()) exchange.inputMs = this.context.nowMs;
    this.#transport.resume();
  }

  // --- ends ---------------------------------------------------------------------------------------

  /** Soft stop: what runs is finished, then the connection closes. */
  drain(): void {
    this.#closing = true;
    if (this.idle && this.#linger === undefined) this.#startLinger();
  }

  /** Hard stop. */
  destroy(): void {
    this.#transport.destroy();
  }

  #startLinger(): void {
    if (this.deaf) return;
    for (const exchange of this.#exchanges.list())
      exchange.lose(new AbortError("ERR_CONNECTION_LOST"));
    this.#reader.discard();
    this.#linger = new Linger(this.#transport, this.context.nowMs);
  }

  /** Called by the server's coarse timer. */
  check(): void {
    const { nowMs, timeouts } = this.context;
    if (this.#linger !== undefined) return this.#linger.check(nowMs);
    this.#checkWindow(nowMs);
    this.#checkBodies(nowMs);
    const times = {
      nowMs,
      inputMs: this.#inputMs,
      headSinceMs: this.#headSinceMs,
      stalledSinceMs: this.#stall.check(this.#transport, nowMs),
      leftoverSinceMs: this.#leftoverSinceMs,
      exchanges: this.#exchanges.size,
    };
    const verdict = overdue(times, timeouts);
    if (verdict === "head") this.#headOverdue();
    else if (verdict === "write") this.breakOff();
    else if (verdict !== "none") this.drain();
  }

  #checkWindow(nowMs: number): void {
    if (
      !this.isShared() ||
      this.#pausedSinceMs === 0 ||
      nowMs - this.#pausedSinceMs < WINDOW_WAIT_MS
    )
      return;
    for (const exchange of this.#exchanges.list()) {
      if (exchange.full) exchange.refuse(ERRORS.LIMIT_WINDOW);
    }
    this.bodyWanted();
  }

  #checkBodies(nowMs: number): void {
    const { body, request } = this.context.timeouts;
    for (const exchange of this.#exchanges.list()) {
      const waits = exchange.awaitsBody && this.#pausedSinceMs === 0;
      const bodyOver = body > 0 && waits && nowMs - exchange.inputMs >= body;
      const requestOver = request > 0 && nowMs - exchange.beganMs >= request;
      if (!bodyOver && !requestOver) continue;
      this.#closing = true;
      exchange.refuse(bodyOver ? ERRORS.TIMEOUT_BODY : ERRORS.TIMEOUT_REQUEST);
    }
  }

  #headOverdue(): void {
    this.#closing = true;
    for (const exchange of this.#exchanges.list()) {
      if (!exchange.headDone) exchange.refuse(ERRORS.TIMEOUT_HEAD);
    }
    if (!this.idle) return;
    if (this.setup.protocol.name !== "fastcgi" && this.#linger === undefined)
      this.#answerError(ERRORS.TIMEOUT_HEAD);
    this.#startLinger();
  }
}
