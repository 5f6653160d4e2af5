/**
 * An `http.ServerResponse` whose lowest seam writes frames instead of HTTP/1.1 text.
 * Everything public stays node's own code; the hooks are own properties of the instance, because methods on a
 * prototype of ours would be lost when Express swaps prototypes. What node keeps private
 * of a response is response-hooks.ts.
 */
import { type IncomingMessage, ServerResponse, STATUS_CODES } from "node:http";
import { UsageError } from "../../errors.ts";
import type { BodyPiece, ResponseHead } from "../../http/head.ts";
import type { Carrier } from "../carrier.ts";
import type { Prototypes } from "./prototypes.ts";
import { collectFields, FieldCollector } from "./response-fields.ts";
import {
  type HookTarget,
  hearFinish,
  hook,
  kEndCallbacks,
  kNeedDrain,
  kOutHeaders,
  noCallback,
  type PrivateResponse,
} from "./response-hooks.ts";
import type { ClientSocket } from "./socket.ts";
import { pieceOf } from "./text-piece.ts";

type Written = (error?: Error | null) => void;

const REJECTS = { rejectNonStandardBodyWrites: true };
const NOTHING: readonly BodyPiece[] = [];
/** What a writer tells its request. */
export interface WriterOwner {
  /** The response is written; "finish" is about to be told. */
  finished(): void;
}

/** The writing half of one exchange, behind an http.ServerResponse. */
export class ResponseWriter implements HookTarget {
  readonly res: ServerResponse;
  readonly #private: PrivateResponse;
  readonly #carrier: Carrier;
  readonly #socket: ClientSocket;
  readonly #owner: WriterOwner;
  #head: FieldCollector | undefined = undefined;
  #queue: BodyPiece[] | undefined = undefined;
  #queuedBytes = 0;
  #callbacks: Written[] | undefined = undefined;
  /** Node's own, by which it learns that all is written; the last of a response. */
  #last: Written | undefined = undefined;
  #ending = false;
  #ended = false;
  #flushedEnd = false;
  /** Is it settled how the request hears of "finish"? */
  #isTold = false;
  #dead = false;

  constructor(
    req: IncomingMessage,
    carrier: Carrier,
    socket: ClientSocket,
    owner: WriterOwner,
    prototypes: Prototypes,
  ) {
    this.#carrier = carrier;
    this.#socket = socket;
    this.#owner = owner;
    const { server } = socket as { server: { rejectNonStandardBodyWrites?: boolean } };
    const rejects = server.rejectNonStandardBodyWrites === true;
    const res = prototypes.response(req, rejects ? REJECTS : undefined);
    this.res = res;
    const hooked = res as unknown as PrivateResponse;
    this.#private = hooked;
    // The front server writes the date.
    res.sendDate = false;
    // What assignSocket does, without its listeners.
    hooked.socket = socket;
    socket._httpMessage = res;
    hook(hooked, this);
  }

  /** Has the head left, or the end? */
  get started(): boolean {
    return this.#private._header !== null;
  }

  /** Bytes written by the handler and not handed on yet, with the characters of a head that waits for the tick's end. */
  get queuedBytes(): number {
    // What end() holds back leaves in this tick; node has written it by then and calls itself finished.
    if (this.#ending) return 0;
    const head = this.#private._headerSent ? this.#head : undefined;
    return this.#queuedBytes + (head?.fields.join().length ?? 0) + (head?.reason.length ?? 0);
  }

  /** Did the handler end the response? */
  get ended(): boolean {
    return this.#ended;
  }

  /** Is node's end() behind the head? From there to uncork() it calls no code but ours. */
  get uncorking(): boolean {
    return this.#ending && this.#private._headerSent;
  }

  /** Hook of node's `_storeHeader`. */
  storeHeader(headers: unknown): void {
    const hooked = this.#private;
    const { statusCode: status, statusMessage } = this.res;
    if (status < 200) {
      throw new UsageError(
        `Status ${status} cannot be sent through a web server, which would take it for the final one; use 200 to 599`,
      );
    }
    const head = new FieldCollector(this.#carrier.role === "authorizer");
    const isOwn = headers !== undefined && headers === hooked[kOutHeaders];
    collectFields(head, headers, isOwn);
    const isKnown = typeof hooked._contentLength === "number" && !hooked._removedContLen;
    if (isKnown && hooked._hasBody && head.contentLength < 0) {
      head.addLength(hooked._contentLength ?? 0);
    }
    if (head.contentLength >= 0) {
      // For node's own check, where `strictContentLength` asks for it.
      hooked._contentLength = head.contentLength;
      hooked._removedContLen = false;
    }
    head.status = status;
    head.reason = statusMessage || STATUS_CODES[status] || "unknown";
    this.#head = head;
    hooked._header = head.reason;
    hooked._headerSent = false;
    hooked._last = false;
    hooked.chunkedEncoding = false;
  }

  /** Hook of node's `_send`. */
  send(data: string | Uint8Array, encoding: unknown, callback: unknown): boolean {
    // As in node, where a socket that is destroyed takes nothing and calls nobody: a response cannot finish any more.
    if (this.#dead) return false;
    const done = typeof encoding === "function" ? encoding : callback;
    if (typeof done === "function" && done !== noCallback) this.#call(done as Written);
    this.#private._headerSent = true;
    this.#socket.active();
    if (data.length > 0) {
      const piece = typeof data === "string" ? pieceOf(data, encoding) : data;
      if (this.#queue === undefined) this.#queue = [piece];
      else this.#queue.push(piece);
      this.#queuedBytes += piece.length;
    }
    if (this.#ending || this.#socket.writableCorked > 0) {
      return this.#queuedBytes + this.#carrier.queuedBytes < this.#socket.writableHighWaterMark;
    }
    return this.flush();
  }

  /** Somebody wants to know when what was written so far is. Within end() that is node itself, once. */
  #call(done: Written): void {
    if (this.#ending && !this.#isTold) {
      this.#isTold = true;
      this.#last = done;
    } else if (this.#callbacks === undefined) this.#callbacks = [done];
    else this.#callbacks.push(done);
  }

  /**
   * The socket was uncorked. Node's end() does it once everything is written, and before 'prefinish': head, body and
   * end leave together there. Marked as ended then and not on 'finish', so that a destroy() right after is harmless.
   */
  uncorked(): void {
    if (this.#ending) {
      this.#ending = false;
      this.#ended = true;
    }
    this.flush();
  }

  /** Sends what is queued, unless node holds it back until the end of this tick. */
  flush(): boolean {
    if (this.#dead || this.#flushedEnd) return false;
    const isEnd = this.#ended;
    this.#flushedEnd = isEnd;
    const head = this.#private._headerSent ? this.#takeHead() : undefined;
    const pieces = this.#queue;
    const written = this.#takeCallbacks();
    if (head === undefined && pieces === undefined && !isEnd) {
      if (written !== undefined) process.nextTick(written);
      return true;
    }
    this.#queue = undefined;
    this.#queuedBytes = 0;
    const roomy = this.#carrier.send(head, pieces ?? NOTHING, isEnd, written);
    // A write was told to wait while this was held back; where the socket has room, it will say no 'drain'.
    if (roomy && this.#waits()) process.nextTick(drained, this);
    return roomy;
  }

  #takeCallbacks(): Written | undefined {
    const callbacks = this.#callbacks;
    const last = this.#last;
    this.#callbacks = undefined;
    this.#last = undefined;
    if (last === undefined && callbacks === undefined) return undefined;
    return (error) => {
      if (callbacks !== undefined) for (const callback of callbacks) callback(error);
      if (last !== undefined) this.#finish(last, error);
    };
  }

  /** All is written. Node tells "finish", of which the request hears first, as node's server does. */
  #finish(last: Written, error: Error | null | undefined): void {
    // Whether "finish" comes, and what in front of it, is node's to say.
    const isForeseen = !error && !this.#socket.awake && !this.#private[kEndCallbacks];
    if (isForeseen) this.finished();
    else hearFinish(this.res);
    last(error);
  }

  /** "finish" is being told. */
  finished(): void {
    this.#owner.finished();
  }

  /** Was the handler told to wait for 'drain'? */
  #waits(): boolean {
    return this.#private[kNeedDrain] === true;
  }

  /** The head, once. A body that is whole by now gets its length: only so is a broken one seen everywhere. */
  #takeHead(): ResponseHead | undefined {
    const head = this.#head;
    this.#head = undefined;
    const { _hasBody, _removedContLen } = this.#private;
    if (head === undefined || head.contentLength >= 0) return head;
    if (!this.#ended || !_hasBody || _removedContLen) return head;
    head.addLength(this.#queuedBytes);
    return head;
  }

  /** In the place of `res.end`: node's own, and what it has corked leaves with the end. */
  end(chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
    const { res } = this;
    this.#ending = !this.#ended;
    try {
      (ServerResponse.prototype.end as PrivateResponse["end"]).call(res, chunk, encoding, callback);
    } finally {
      this.#ending = false;
    }
    if (this.#private.finished && !this.#isTold) {
      // With nothing left to write node has set "finish" going by itself, for the next tick.
      this.#isTold = true;
      hearFinish(res);
    }
    if (this.#private.finished && !this.#ended) {
      this.#ended = true;
      this.flush();
    }
    return res;
  }

  /** The transport has room: wakes a writer that was told to wait. */
  drained(): void {
    if (this.#private.finished || !this.#waits()) return;
    this.#private[kNeedDrain] = false;
    this.res.emit("drain");
  }

  /** Nothing leaves any more; who waits for a write is told so. */
  die(): void {
    if (this.#dead) return;
    this.#dead = true;
    // Node's socket forgets what it holds a tick later, too; res.writableLength shows it until then.
    const isHeard = this.#callbacks !== undefined || this.#last !== undefined;
    if (this.queuedBytes > 0 || isHeard) process.nextTick(() => this.#bury());
  }

  #bury(): void {
    this.#queue = undefined;
    this.#queuedBytes = 0;
    this.#head = undefined;
    const error = Object.assign(new Error("Cannot call write after a stream was destroyed"), {
      code: "ERR_STREAM_DESTROYED",
    });
    this.#takeCallbacks()?.(error);
  }

  /** What node does on the tick after 'finish' or an abort: 'close', once. */
  close(): void {
    const hooked = this.#private;
    if (hooked._closed) return;
    hooked.destroyed = true;
    hooked._closed = true;
    this.res.emit("close");
  }

  /** Takes the socket off a finished response, as node's detachSocket does. */
  detach(): void {
    this.#socket._httpMessage = null;
    this.#private.socket = null;
  }
}

const drained = (writer: ResponseWriter): void => writer.drained();
