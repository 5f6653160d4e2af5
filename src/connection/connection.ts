/**
 * One connection of a front server: bytes → ring → rows → exchanges, and the end of it all.
 * It decides when reading pauses, whether it is used again, and how it ends; requests are exchange.ts's, and output the
 * encoder's. One connection has one decoder of one protocol.
 */
import { AbortError, ERRORS, type ErrorRow, InternalError } from "../errors.ts";
import type { FieldBlock } from "../http/field-block.ts";
import type { HeadMeta } from "../protocols/protocol.ts";
import { Note } from "../wire/abi.ts";
import { noteEnd } from "./chronicle.ts";
import type { ConnectionContext, ProtocolSetup } from "./context.ts";
import { hasPassed } from "./deadlines.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import { ExchangeTable } from "./exchange-table.ts";
import { Linger } from "./linger.ts";
import { answerError, endUnanswered, isBehindAnswer } from "./refusal.ts";
import type { Transport, TransportListener } from "./transport.ts";
import { refuseUnbegun } from "./unbegun.ts";
import type { Upgrade } from "./upgrade.ts";
import { Watch } from "./watch.ts";
import { Window } from "./window.ts";

/** One connection. */
export class Connection implements TransportListener, ExchangeHost {
  readonly context: ConnectionContext;
  readonly setup: ProtocolSetup;
  readonly reserved: boolean;
  transport!: Transport;
  readonly #isFastCgi: boolean;
  readonly #isMultiplexed: boolean;
  readonly #exchanges = new ExchangeTable();
  readonly watch: Watch;
  #window: Window | undefined;
  #linger: Linger | undefined;
  #upgrade: Upgrade | undefined;
  /** No further request is taken from this connection. */
  #closing = false;
  /** Does the peer not want to use it again? */
  #isLeft = false;
  /** Are rows being dispatched? */
  #reading = false;

  /** Its transport has to be given to it at once. */
  constructor(context: ConnectionContext, setup: ProtocolSetup) {
    this.context = context;
    this.setup = setup;
    this.#isFastCgi = setup.protocol.name === "fastcgi";
    this.#isMultiplexed = this.#isFastCgi && setup.decoderOptions.requestsPerConnection > 1;
    this.reserved = context.crowded;
    this.watch = new Watch(context.nowMs, this.reserved);
  }

  /** Is nothing more to be read? What came together with a request that is answered already still is. */
  get deaf(): boolean {
    return this.#over && !this.#exchanges.unsettled;
  }

  get #over(): boolean {
    return this.#linger !== undefined || this.transport.broken;
  }

  get running(): readonly Exchange[] {
    return this.#exchanges.list();
  }

  /** Has this connection no request in flight? */
  get idle(): boolean {
    return this.#exchanges.size === 0;
  }

  get movable(): boolean {
    return this.idle && !this.#closing && !this.#over && this.transport.movable;
  }

  readBegins(): void {
    this.watch.hear(this.context.nowMs);
    this.context.counters.read();
    this.#reading = true;
    if (this.#isMultiplexed) this.transport.cork();
  }

  readEnds(): void {
    this.#reading = false;
    if (this.#isMultiplexed) this.transport.uncork();
    if (this.#exchanges.unsettled) {
      this.#exchanges.settle();
      this.bodyWanted();
    }
  }

  dropped(): void {
    this.#linger?.drop(this.context.nowMs);
  }

  ended(closed: boolean, unread: boolean): void {
    // A half-close behind bytes that are still to be read is told again once they are.
    if (unread && (this.transport.isUnix || this.context.halfOpen)) return;
    if (this.#linger !== undefined) return this.#linger.ended();
    this.#closing = true;
    if (this.#upgrade !== undefined) return this.#upgrade.inputEnded(closed);
    // Over TCP, FIN may mean either; abort is the safer guess (docs/decisions/half-close.md).
    const gone = closed || (!this.transport.isUnix && !this.context.halfOpen);
    for (const exchange of this.#exchanges.list()) {
      if (gone || !exchange.inputDone) exchange.lose(new AbortError("ERR_CONNECTION_LOST"));
    }
    if (gone && this.transport.queuedBytes === 0) this.transport.destroy();
    else if (this.idle) this.transport.finish();
  }

  /** Rows are lost when somebody throws among them, so nothing more can be answered here; the rest goes on. */
  threw(error: unknown): void {
    this.transport.destroy();
    if (!(error instanceof InternalError)) throw error;
    this.context.report(error, undefined);
  }

  closed(): void {
    this.#loseAll();
    this.context.forget(this);
  }

  drained(): void {
    for (const exchange of this.#exchanges.list()) exchange.side?.drained();
  }

  begin(exchangeId: number, detail: number): void {
    if (this.#over) return;
    const exchange = this.#exchanges.add(new Exchange(this, exchangeId, detail));
    // Only where others still run on it; a connection without a request closes when the server drains.
    if (this.context.draining && this.isShared()) exchange.refuse(ERRORS.LIMIT_REQUESTS);
  }

  head(exchangeId: number, fields: FieldBlock, meta: HeadMeta): void {
    this.watch.headSinceMs = 0;
    this.#exchanges.get(exchangeId)?.begin(fields, meta);
  }

  body(exchangeId: number, chunk: Buffer, frames: number): void {
    this.#exchanges.getForInput(exchangeId)?.body(chunk, frames);
    if (this.isShared()) this.#openedWindow().measure(this.transport);
  }

  bodyEnd(exchangeId: number, leftover: boolean): void {
    const isOver = this.#exchanges.get(exchangeId) === undefined;
    if (leftover || isOver) this.watch.leftoverEnded();
    if (!leftover) this.#exchanges.getForInput(exchangeId)?.bodyEnd();
  }

  data(exchangeId: number, chunk: Buffer): void {
    this.#exchanges.getForInput(exchangeId)?.data(chunk);
  }

  dataEnd(exchangeId: number): void {
    this.#exchanges.getForInput(exchangeId)?.dataEnd();
  }

  abort(exchangeId: number): void {
    const exchange = this.#exchanges.get(exchangeId);
    if (exchange === undefined) this.watch.leftoverEnded();
    else exchange.abort();
  }

  control(type: number, contentView: Uint8Array): void {
    if (this.#over) return;
    // A CPing to a container that is about to stop is answered by its close.
    if (this.context.draining && !this.#isFastCgi) return this.#startLinger();
    const { transport } = this;
    if (this.setup.encoder.control(transport.writer, type, contentView)) transport.flush();
  }

  error(exchangeId: number, row: ErrorRow): void {
    if (this.#over) return;
    const exchange = this.#exchanges.get(exchangeId);
    if (row.scope === "request") {
      if (exchange !== undefined) exchange.refuse(row);
      else if (refuseUnbegun(exchangeId, row, this, this.#exchanges)) return;
      // Else its answer has left while the decoder was ahead: a second one would be taken for another request's.
      else if (!this.#isFastCgi) this.drain();
      else if (row === ERRORS.BODY_SHORT) this.watch.leftoverEnded();
      return;
    }
    this.#closing = true;
    if (row.status === 0 && !isBehindAnswer(row, this)) return endUnanswered(this, row);
    if (exchange !== undefined) exchange.refuse(row);
    else answerError(this, row);
    this.#startLinger();
  }

  isShared(): boolean {
    return this.#exchanges.size > 1;
  }

  canReuse(exchange: Exchange): boolean {
    const over = this.#closing || this.context.draining || exchange.refused || this.reserved;
    return exchange.keepConnection && exchange.inputQuiet && !over;
  }

  exchangeEnded(exchange: Exchange): void {
    if (!this.#exchanges.delete(exchange)) return;
    noteEnd(exchange, this.context);
    this.transport.note(Note.ENDED, exchange.id);
    if (!this.#reading) this.#exchanges.settle();
    this.watch.answer(this.context.nowMs);
    if (this.#over) return;
    const isLast = !exchange.keepConnection || (exchange.refused && !this.#isMultiplexed);
    this.#isLeft = !exchange.keepConnection;
    if (isLast || this.context.draining) this.#closing = true;
    if (!this.#isFastCgi && !this.canReuse(exchange)) this.#closing = true;
    else if (this.#isFastCgi && exchange.inputDue) this.watch.leftoverBegins(this.context.nowMs);
    if (this.#closing && this.idle) return this.#startLinger();
    this.bodyWanted();
    if (this.context.retiring) this.context.offer(this);
  }

  exchangeUpgraded(upgrade: Upgrade): void {
    this.#upgrade = upgrade;
    // Later: the decoder may be in the middle of the read that brought the request.
    process.nextTick(() => {
      this.transport.readHeld();
      this.bodyWanted();
    });
  }

  breakOff(): void {
    this.transport.breakOff(this.#isFastCgi);
  }

  windowFull(): void {
    this.#openedWindow().close(this.transport);
  }

  #openedWindow(): Window {
    this.#window ??= new Window(this.context, this.#exchanges);
    return this.#window;
  }

  bodyWanted(): void {
    this.#window?.open(this.transport);
  }

  /** Soft stop: what runs is finished, then the connection closes. */
  drain(): void {
    this.#closing = true;
    if (!this.idle) return;
    // Accepted just now: its request may be under way, and no front server sends it again once it has left. Node asks twice.
    if (this.watch.heard) this.#startLinger();
    else this.watch.graceSinceMs ||= this.context.nowMs;
  }

  /** Hard stop. A response that is cut off by it looks so. */
  destroy(): void {
    if (this.idle) this.transport.destroy();
    else this.breakOff();
    this.#loseAll();
  }

  #loseAll(): void {
    this.transport.discard();
    // Nearly every connection ends idle, and an error costs as much as a small request.
    if (this.idle) return;
    const reason = new AbortError("ERR_CONNECTION_LOST");
    for (const exchange of this.#exchanges.list()) exchange.lose(reason);
  }

  #startLinger(): void {
    if (this.#over) return;
    this.#loseAll();
    this.#linger = new Linger(this.transport, this.context.nowMs, this.#isLeft);
  }

  /** Called by the server's coarse timer. */
  check(): void {
    const { nowMs, timeouts } = this.context;
    const stalledSinceMs = this.watch.stalledSinceMs(this.transport, nowMs);
    if (hasPassed(stalledSinceMs, timeouts.write, nowMs))
      return endUnanswered(this, ERRORS.TIMEOUT_WRITE);
    if (this.#linger !== undefined) return this.#linger.check(nowMs);
    if (this.#upgrade !== undefined) return this.#upgrade.check(nowMs, timeouts.idle);
    for (const exchange of this.#window?.overdue() ?? []) exchange.refuse(ERRORS.LIMIT_WINDOW);
    this.#exchanges.refuseOverdue(nowMs, timeouts, this.#window?.closed === true);
    const isPartial =
      this.transport.partial || (this.watch.heard && this.setup.protocol.name === "scgi");
    this.watch.seeHead(this.idle ? isPartial : this.#exchanges.headDue, nowMs);
    const verdict = this.watch.verdict(this.#exchanges.size, this.context);
    if (verdict === "head") this.#headOverdue();
    else if (verdict === "leftover") this.drain();
    else if (verdict !== "none") this.#startLinger();
  }

  #headOverdue(): void {
    this.watch.headSinceMs = 0;
    for (const exchange of this.#exchanges.list()) {
      if (!exchange.headDone) exchange.refuse(ERRORS.TIMEOUT_HEAD);
    }
    if (!this.idle) return;
    if (!this.#isFastCgi && !this.deaf) answerError(this, ERRORS.TIMEOUT_HEAD);
    this.#startLinger();
  }
}
