/**
 * An `http.ServerResponse` whose lowest seam writes frames instead of HTTP/1.1 text.
 * Everything public stays node's own code; the hooks are own properties of the instance, because methods on a
 * prototype of ours would be lost when Express swaps prototypes. Only this file knows node's private members.
 */
import { type IncomingMessage, OutgoingMessage, ServerResponse, STATUS_CODES } from "node:http";
import { UsageError } from "../../errors.ts";
import type { ResponseHead } from "../../http/head.ts";
import type { Carrier } from "../carrier.ts";
import type { Prototypes } from "./prototypes.ts";
import { collectFields, FieldCollector } from "./response-fields.ts";
import type { ClientSocket } from "./socket.ts";

type Written = (error?: Error | null) => void;

/** Node's private members that the hooks read and write; the same on Node 20 to 26. */
interface PrivateResponse {
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
  _contentLength: number | null;
  _removedContLen: boolean;
  _last: boolean;
  _closed: boolean;
  chunkedEncoding: boolean;
  socket: unknown;
  destroyed: boolean;
  _storeHeader(firstLine: string, headers: unknown): void;
  _send(data: string | Uint8Array, encoding?: unknown, callback?: unknown, bytes?: number): boolean;
  _writeRaw(data: unknown, encoding?: unknown, callback?: unknown): boolean;
}

const symbols = Object.getOwnPropertySymbols(new OutgoingMessage());
const symbolOf = (description: string): symbol | undefined =>
  symbols.find((symbol) => symbol.description === description);
const kOutHeaders = symbolOf("kOutHeaders");
const kNeedDrain = symbolOf("kNeedDrain");

const REJECTS = { rejectNonStandardBodyWrites: true };

/** The writing half of one exchange, behind an http.ServerResponse. */
export class ResponseWriter {
  readonly res: ServerResponse;
  readonly #private: PrivateResponse;
  readonly #carrier: Carrier;
  readonly #socket: ClientSocket;
  #head: ResponseHead | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #callbacks: Written[] = [];
  #ending = false;
  #ended = false;
  #flushedEnd = false;
  #dead = false;

  constructor(
    req: IncomingMessage,
    carrier: Carrier,
    socket: ClientSocket,
    prototypes: Prototypes,
  ) {
    this.#carrier = carrier;
    this.#socket = socket;
    const { server } = socket as { server: { rejectNonStandardBodyWrites?: boolean } };
    const rejects = server.rejectNonStandardBodyWrites === true;
    const res = prototypes.response(req, rejects ? REJECTS : undefined);
    this.res = res;
    this.#private = res as unknown as PrivateResponse;
    // The front server writes the date.
    res.sendDate = false;
    // What assignSocket does, without its listeners.
    this.#private.socket = socket;
    socket._httpMessage = res;
    this.#hook();
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

  #hook(): void {
    const hooked = this.#private;
    hooked._storeHeader = (_firstLine, headers) => this.#storeHeader(headers);
    hooked._send = (data, encoding, callback) => this.#send(data, encoding, callback);
    // 1xx responses come this way: CGI has no form for them, and front servers take one for the final status.
    hooked._writeRaw = (_data, encoding, callback) => {
      const done = typeof encoding === "function" ? encoding : callback;
      if (typeof done === "function") process.nextTick(done as () => void);
      return true;
    };
    const end = (...args: unknown[]): ServerResponse => this.#end(args);
    this.res.end = end as ServerResponse["end"];
  }

  #storeHeader(headers: unknown): void {
    const { res } = this;
    const hooked = this.#private;
    if (res.statusCode < 200) {
      throw new UsageError(
        `Status ${res.statusCode} cannot be sent through a web server, which would take it for the final one; use 200 to 599`,
      );
    }
    const collector = new FieldCollector(this.#carrier.role === "authorizer");
    const own = kOutHeaders !== undefined && headers === Reflect.get(res, kOutHeaders);
    collectFields(collector, headers, own);
    const known = typeof hooked._contentLength === "number" && !hooked._removedContLen;
    if (known && hooked._hasBody && collector.contentLength < 0) {
      collector.add("Content-Length", hooked._contentLength ?? 0, true);
    }
    const reason = res.statusMessage || STATUS_CODES[res.statusCode] || "unknown";
    const { fields, contentLength } = collector;
    if (contentLength >= 0) {
      // For node's own check, where `strictContentLength` asks for it.
      hooked._contentLength = contentLength;
      hooked._removedContLen = false;
    }
    this.#head = { status: res.statusCode, reason, fields, contentLength };
    hooked._header = reason;
    hooked._headerSent = false;
    hooked._last = false;
    hooked.chunkedEncoding = false;
  }

  #send(data: string | Uint8Array, encoding: unknown, callback: unknown): boolean {
    // As in node, where a socket that is destroyed takes nothing and calls nobody: a response cannot finish any more.
    if (this.#dead) return false;
    const done = typeof encoding === "function" ? encoding : callback;
    if (typeof done === "function") this.#callbacks.push(done as Written);
    this.#private._headerSent = true;
    this.#socket.active();
    if (data.length > 0) {
      const chunk =
        typeof data === "string"
          ? Buffer.from(data, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8")
          : data;
      this.#queue.push(chunk);
      this.#queuedBytes += chunk.length;
    }
    if (this.#ending || this.#socket.writableCorked > 0) {
      return this.#queuedBytes + this.#carrier.queuedBytes < this.#socket.writableHighWaterMark;
    }
    return this.flush();
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
    this.#flushedEnd = this.#ended;
    const head = this.#private._headerSent ? this.#takeHead() : undefined;
    if (head === undefined && this.#queue.length === 0 && !this.#ended) {
      this.#dropCallbacks(undefined);
      return true;
    }
    const chunks = this.#queue;
    const callbacks = this.#callbacks;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#callbacks = [];
    const written: Written | undefined =
      callbacks.length === 0
        ? undefined
        : (error) => {
            for (const callback of callbacks) callback(error);
          };
    const roomy = this.#carrier.send(head, chunks, this.#ended, written);
    // A write was told to wait while this was held back; where the socket has room, it will say no 'drain'.
    if (roomy && this.#waits()) process.nextTick(() => this.drained());
    return roomy;
  }

  /** Was the handler told to wait for 'drain'? */
  #waits(): boolean {
    return kNeedDrain !== undefined && Reflect.get(this.res, kNeedDrain) === true;
  }

  /** The head, once. A body that is whole by now gets its length: only so is a broken one seen everywhere. */
  #takeHead(): ResponseHead | undefined {
    const head = this.#head;
    this.#head = undefined;
    const { _hasBody, _removedContLen } = this.#private;
    if (head === undefined || head.contentLength >= 0) return head;
    if (!this.#ended || !_hasBody || _removedContLen) return head;
    const contentLength = this.#queuedBytes;
    const fields = [...head.fields, "Content-Length", String(contentLength)];
    return { ...head, fields, contentLength };
  }

  #end(args: unknown[]): ServerResponse {
    this.#ending = !this.#ended;
    try {
      Reflect.apply(ServerResponse.prototype.end, this.res, args);
    } finally {
      this.#ending = false;
    }
    if (this.res.writableEnded && !this.#ended) {
      this.#ended = true;
      this.flush();
    }
    return this.res;
  }

  /** The transport has room: wakes a writer that was told to wait. */
  drained(): void {
    if (kNeedDrain === undefined || this.res.writableEnded || !this.#waits()) return;
    Reflect.set(this.res, kNeedDrain, false);
    this.res.emit("drain");
  }

  /** Nothing leaves any more; who waits for a write is told so. */
  die(): void {
    if (this.#dead) return;
    this.#dead = true;
    // Node's socket forgets what it holds a tick later, too; res.writableLength shows it until then.
    if (this.queuedBytes > 0 || this.#callbacks.length > 0) process.nextTick(() => this.#bury());
  }

  #bury(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#head = undefined;
    const error = Object.assign(new Error("Cannot call write after a stream was destroyed"), {
      code: "ERR_STREAM_DESTROYED",
    });
    for (const callback of this.#callbacks.splice(0)) callback(error);
  }

  #dropCallbacks(error: Error | undefined): void {
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) process.nextTick(callback, error);
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
