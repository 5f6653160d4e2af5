/**
 * The response half of one exchange: what the handler's objects say → the encoder → one write.
 * It keeps count of a declared Content-Length and of error text; which states may follow is lifecycle.ts, and what
 * the end means for the connection is the exchange's business.
 */
import { AbortError } from "../errors.ts";
import type { BodyPiece, ResponseHead } from "../http/head.ts";
import type { ResponseEnd } from "../protocols/protocol.ts";
import type { Account } from "./account.ts";
import type { ConnectionContext, ProtocolSetup } from "./context.ts";
import { nextState, RESPONSE_TABLE, ResponseEvent, ResponseState } from "./lifecycle.ts";
import { errorResponse } from "./refusal.ts";
import type { Transport } from "./transport.ts";

/** Called once bytes are with the kernel, or with an error when they never will be. */
export type Written = ((error?: Error | null) => void) | undefined;

/** The connection, as a response sees it that cannot be completed. */
export interface Breakable {
  isShared(): boolean;
  breakOff(): void;
}

/** The exchange, as its response half sees it. */
export interface ResponseOwner {
  readonly id: number;
  readonly account: Account | undefined;
  /** Has a body no meaning for this response (HEAD, 204, 304)? */
  isBodiless(status: number): boolean;
  /** May the peer use the connection again (AJP's reuse flag)? */
  canReuse(): boolean;
  /** The response is over and with the transport. */
  responseOver(): void;
  /** The response cannot be completed. */
  fail(error: Error, written: Written): void;
  /** An error that the operator should hear of. */
  report(error: Error): void;
}

/** Where a response goes. */
export interface ResponsePath {
  readonly context: ConnectionContext;
  readonly setup: ProtocolSetup;
  readonly transport: Transport;
}

const TOO_SHORT = "The response ended before the bytes that its Content-Length promised";
const TOO_LONG =
  "The response has more bytes than its Content-Length promised; the rest is not sent";

/** The ends of nearly all responses: of a connection that may be used again, and of one that may not. */
const KEPT: ResponseEnd = Object.freeze({
  appStatus: 0,
  protocolStatus: 0,
  reuse: true,
  stdout: true,
  stderr: false,
});
const LEFT: ResponseEnd = Object.freeze({ ...KEPT, reuse: false });

/** One response. */
export class ResponseHalf {
  /** FastCGI's appStatus: 0 = well. */
  appStatus = 0;
  /** Of the head that left; 0: none did. */
  status = 0;
  readonly #owner: ResponseOwner;
  readonly #path: ResponsePath;
  #state: number = ResponseState.IDLE;
  #declaredBytes = -1;
  #sentBytes = 0;
  #excessTold = false;
  #stderrBytes = 0;
  #heldStderr: Uint8Array[] | undefined;

  constructor(owner: ResponseOwner, path: ResponsePath) {
    this.#owner = owner;
    this.#path = path;
  }

  /** Has anything of it left? */
  get begun(): boolean {
    return this.#state !== ResponseState.IDLE;
  }

  /** Is it ended or failed? */
  get over(): boolean {
    return this.#state === ResponseState.DONE || this.#state === ResponseState.FAILED;
  }

  /** Moves to the next state; false when the event changes nothing. */
  move(event: number): boolean {
    const next = nextState(RESPONSE_TABLE, this.#state, event);
    if (next < 0) return false;
    this.#state = next;
    return true;
  }

  /** As {@link Carrier.send}. */
  send(
    head: ResponseHead | undefined,
    chunks: readonly BodyPiece[],
    end: boolean,
    written: Written,
  ): boolean {
    if (this.over) {
      if (written !== undefined) process.nextTick(written, new AbortError("ERR_CONNECTION_LOST"));
      return false;
    }
    if (head !== undefined) {
      this.move(ResponseEvent.HEAD);
      this.#headLeaves(head.status);
      this.#declaredBytes = this.#owner.isBodiless(head.status) ? -1 : head.contentLength;
    }
    const pieces = this.#withinDeclared(chunks);
    const isShort = end && this.#sentBytes < this.#declaredBytes;
    if (isShort && head === undefined) {
      this.#owner.fail(new RangeError(TOO_SHORT), written);
      return false;
    }
    let over = end;
    try {
      if (isShort) throw new RangeError(TOO_SHORT);
      this.#encode(head, pieces, end);
    } catch (error) {
      // The writer serves other connections as well.
      this.#path.transport.writer.discard();
      if (!(error instanceof RangeError) || head === undefined) throw error;
      // Nothing has left yet, also where an AJP head fits no packet: the peer gets a whole 500 in its place.
      this.#owner.report(error);
      this.#encodeError(500);
      over = true;
    }
    // A handler that pauses in mid-body wants its bytes seen: httpd and mod_jk hold AJP chunks back until told.
    if (!over) this.#path.setup.encoder.flush(this.#path.transport.writer, this.#owner.id);
    const roomy = this.#path.transport.flush(written);
    if (over && this.move(ResponseEvent.END)) this.#owner.responseOver();
    return roomy;
  }

  /** Bytes past the declared Content-Length are never sent: the front server could take them for another answer. */
  #withinDeclared(chunks: readonly BodyPiece[]): readonly BodyPiece[] {
    if (this.#declaredBytes < 0) return chunks;
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    if (this.#sentBytes + bytes <= this.#declaredBytes) {
      this.#sentBytes += bytes;
      return chunks;
    }
    const pieces: BodyPiece[] = [];
    for (const chunk of chunks) {
      const room = this.#declaredBytes - this.#sentBytes;
      if (chunk.length > room && !this.#excessTold) {
        this.#excessTold = true;
        this.#owner.report(new RangeError(TOO_LONG));
      }
      const piece = chunk.length <= room ? chunk : chunk.slice(0, room);
      this.#sentBytes += piece.length;
      if (piece.length > 0) pieces.push(piece);
    }
    return pieces;
  }

  #encode(head: ResponseHead | undefined, pieces: readonly BodyPiece[], end: boolean): void {
    const { setup, transport } = this.#path;
    this.#releaseStderr();
    this.#owner.account?.sent(head, pieces);
    const last = Math.max(pieces.length - 1, 0);
    for (let i = 0; i <= last; i++) {
      const finish = end && i === last ? this.#end(0, true) : undefined;
      const first = i === 0 ? head : undefined;
      setup.encoder.response(transport.writer, this.#owner.id, first, pieces[i], finish);
    }
  }

  #headLeaves(status: number): void {
    this.status = status;
    this.#path.setup.counts.respond(status);
  }

  #encodeError(status: number, protocolStatus = 0): void {
    const { setup, transport } = this.#path;
    this.#headLeaves(status);
    const { head, body } = errorResponse(status);
    const end = this.#end(protocolStatus, true);
    const chunk = this.#owner.isBodiless(status) ? undefined : body;
    this.#owner.account?.sent(head, chunk === undefined ? [] : [chunk]);
    this.#releaseStderr();
    setup.encoder.response(transport.writer, this.#owner.id, head, chunk, end);
  }

  #end(protocolStatus: number, stdout: boolean): ResponseEnd {
    const reuse = this.#owner.canReuse();
    const stderr = this.#stderrBytes > 0;
    const { appStatus } = this;
    if (appStatus === 0 && protocolStatus === 0 && stdout && !stderr) return reuse ? KEPT : LEFT;
    return { appStatus, protocolStatus, reuse, stdout, stderr };
  }

  /** It cannot be completed: alone on its connection it looks so, beside others all that can be said is. */
  breakOff(begun: boolean, host: Breakable): void {
    // Before the exchange leaves: what follows an ordinary end would send a FIN, which looks like success.
    if (!host.isShared()) return host.breakOff();
    this.appStatus = 1;
    // Others live on this connection: END_REQUEST with an appStatus (docs/errors.md).
    if (begun) this.sendEnd(0, true);
    else this.sendError(500, 0);
  }

  /** A response of our own: a status with one line of text. */
  sendError(status: number, protocolStatus: number): void {
    this.#encodeError(status, protocolStatus);
    this.#path.transport.flush();
  }

  /** The end alone: of an aborted or refused request, or of a response that failed. */
  sendEnd(protocolStatus: number, stdout: boolean): void {
    const { setup, transport } = this.#path;
    const end = this.#end(protocolStatus, stdout);
    this.#releaseStderr();
    setup.encoder.response(transport.writer, this.#owner.id, undefined, undefined, end);
    transport.flush();
  }

  /**
   * As {@link Carrier.stderr}.
   *
   * The text leaves together with the next piece of the response, in front of it: HAProxy 2.6.12 stops with an
   * assertion when it reads a STDERR record that nothing follows (seen in test/conformance/haproxy.test.ts).
   */
  stderr(chunk: Uint8Array): number {
    if (this.over) return 0;
    const room = Math.min(chunk.length, this.#path.context.limits.stderrBytes - this.#stderrBytes);
    if (room <= 0) return 0;
    this.#stderrBytes += room;
    // Copied: the caller may use its buffer again before it is written.
    this.#heldStderr ??= [];
    this.#heldStderr.push(new Uint8Array(chunk.subarray(0, room)));
    return room;
  }

  #releaseStderr(): void {
    if (this.#heldStderr === undefined) return;
    const { setup, transport } = this.#path;
    for (const text of this.#heldStderr)
      setup.encoder.stderr(transport.writer, this.#owner.id, text);
    this.#heldStderr = undefined;
  }
}
