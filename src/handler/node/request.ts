/**
 * One request as node:http shows it: a real `http.IncomingMessage` and `http.ServerResponse` over one exchange.
 * It mirrors the order of events of node's own server, step by step; the writing half is in response.ts.
 * Body bytes come from the exchange and go into the request's own stream.
 */
import { IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { ProtocolName, RequestHead } from "../../http/head.ts";
import type { Carrier, HandlerSide } from "../carrier.ts";
import { Gateway, type GatewayFacts } from "../gateway.ts";
import type { Prototypes } from "./prototypes.ts";
import { dump, dumpUnheard, endUnheard, mayEndUnheard } from "./quiet-end.ts";
import { ResponseWriter, type WriterOwner } from "./response.ts";
import type { ClientSocket, SocketOwner } from "./socket.ts";
import { createClientSocket } from "./tls-socket.ts";

/** A request with the gateway's facts on it. */
export interface GatewayRequest extends IncomingMessage {
  readonly gateway: GatewayFacts;
}

/** Node's private members of a request that its own server uses. */
interface PrivateRequest {
  _addHeaderLines(headers: readonly string[], count: number): void;
  upgrade: boolean;
  _dumped: boolean;
}

const kDetachAbortSignal = Object.getOwnPropertySymbols(IncomingMessage.prototype).find(
  (symbol) => symbol.description === "kDetachAbortSignal",
);

/** The reason a handler sees when its client is gone; as node's http server words it. */
function abortedError(cause: Error | undefined): Error {
  const error = new Error("aborted", cause === undefined ? undefined : { cause });
  return Object.assign(error, { code: "ECONNRESET" });
}

/**
 * The request is whole. After a body this waits for what its last bytes have set going, as node's parser does: who pauses
 * at the last chunk hears of the end only when it goes on.
 */
function endBody(req: IncomingMessage): void {
  if (req.complete) return;
  req.complete = true;
  endStream(req);
}

function endStream(req: IncomingMessage): void {
  if (!req.destroyed) req.push(null);
}

/** One exchange's handler side, Node style. */
export class NodeRequest implements HandlerSide, SocketOwner, WriterOwner {
  readonly req: GatewayRequest;
  readonly #writer: ResponseWriter;
  readonly #socket: ClientSocket;
  readonly #carrier: Carrier;
  readonly #gateway: Gateway;
  #reason: Error | undefined = undefined;
  #finished = false;
  #hasBody = false;

  constructor(carrier: Carrier, server: Server, prototypes: Prototypes) {
    const socket = createClientSocket(carrier, this, server);
    const gateway = new Gateway(carrier);
    const req = fillRequest(prototypes.request(socket as never), carrier.head, gateway);
    this.req = req;
    this.#carrier = carrier;
    this.#gateway = gateway;
    this.#socket = socket;
    this.#writer = new ResponseWriter(req, carrier, socket, this, prototypes);
    if (server.timeout > 0) socket.setTimeout(server.timeout);
  }

  /** What node's server listens to on a socket; until it is one, nothing of it can be heard. */
  woken(socket: ClientSocket): void {
    socket.on("close", () => this.#socketClosed());
    socket.on("timeout", () => this.#timedOut(socket.server));
  }

  get res(): ServerResponse {
    return this.#writer.res;
  }

  /** Has a response head been made? Then a failure can only be shown by a broken end. */
  get started(): boolean {
    return this.#writer.started;
  }

  get ended(): boolean {
    return this.#writer.ended;
  }

  get queuedBytes(): number {
    return this.#writer.queuedBytes + this.#carrier.queuedBytes;
  }

  get unreadBytes(): number {
    return this.req.readableLength + (this.#gateway.data?.readableLength ?? 0);
  }

  body(chunk: Buffer): number {
    if (this.req.destroyed || (this.req as unknown as PrivateRequest)._dumped) return 0;
    this.#socket.active();
    this.#hasBody = true;
    this.req.push(chunk);
    return this.req.readableLength;
  }

  bodyEnd(): void {
    if (this.#hasBody) setImmediate(endBody, this.req);
    else if (!this.#writer.ended || this.#socket.awake || this.req.complete) endBody(this.req);
    else {
      this.req.complete = true;
      if (!endUnheard(this.req)) endStream(this.req);
    }
  }

  /** As node's, which drops what nobody reads; but who does read must not take a part for the whole. */
  inputOver(whole: boolean): void {
    const { req } = this;
    if (whole) return this.bodyEnd();
    if (req.complete || req.destroyed) return;
    if (req.listenerCount("data") + req.listenerCount("readable") > 0) {
      req.destroy(abortedError(undefined));
    } else this.bodyEnd();
  }

  data(chunk: Buffer): number {
    const { data } = this.#gateway;
    if (data === undefined || data.destroyed) return 0;
    data.push(chunk);
    return data.readableLength;
  }

  dataEnd(): void {
    const { data } = this.#gateway;
    if (data !== undefined && !data.destroyed) data.push(null);
  }

  drained(): void {
    this.#writer.drained();
  }

  aborted(reason: Error): void {
    if (this.#finished || this.#socket.destroyed) return;
    this.#reason = reason;
    // As node: a request that is cut is an error of its socket, a client that leaves after one is none.
    this.#socket.destroy(this.req.complete ? undefined : abortedError(reason));
  }

  get uncorking(): boolean {
    return this.#writer.uncorking;
  }

  uncorked(): void {
    this.#writer.uncorked();
  }

  /** The socket is destroyed, by an abort or by the application (socket, req and res all end here). */
  destroyed(): void {
    if (this.#finished) return;
    this.#writer.die();
    if (this.#reason === undefined && !this.#writer.ended) this.#carrier.giveUp();
  }

  /** As node's abortIncoming: req 'aborted', res 'close', then req 'error' and 'close' a tick later. */
  #socketClosed(): void {
    if (this.#finished) return;
    const complete = this.req.complete && this.#writer.ended;
    // Applications have been seen to call the listeners of "close" themselves.
    const isClosed = this.#socket.destroyed;
    if (!complete) this.#gateway.abort(this.#reason ?? abortedError(undefined));
    if (!this.req.destroyed) this.req.destroy(abortedError(this.#reason));
    if (isClosed) this.#writer.close();
  }

  /** As node's resOnFinish. */
  finished(): void {
    if (this.#finished) return;
    this.#finished = true;
    const { req } = this;
    const socket = this.#socket;
    socket.rest();
    if (kDetachAbortSignal !== undefined) {
      (req as unknown as Record<symbol, () => void>)[kDetachAbortSignal]?.();
    }
    // A body that nobody reads is dropped, so that a stream in the middle of it does not wait for ever.
    const mayWait = !socket.awake && mayEndUnheard(req);
    if (!mayWait) dump(req);
    this.#writer.detach();
    process.nextTick(mayWait ? endUnheardAndClose : close, this);
  }

  /** The tick after: the response is closed. */
  close(): void {
    this.#writer.close();
  }

  /** As node's socketOnTimeout: who listens on req, res or server decides; otherwise the request is destroyed. */
  #timedOut(server: Server): void {
    const onReq = !this.req.complete && this.req.emit("timeout", this.#socket);
    const onRes = this.res.emit("timeout", this.#socket);
    const onServer = server.emit("timeout", this.#socket);
    if (!onReq && !onRes && !onServer) this.#socket.destroy();
  }
}

/**
 * Answers for a handler that threw or rejected, as node's captureRejections does: a full 500 where no head was
 * made yet, a broken end otherwise. The error's text stays here.
 */
export function failResponse(res: ServerResponse): void {
  if (res.headersSent || res.writableEnded) {
    res.destroy();
    return;
  }
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  res.statusCode = 500;
  res.statusMessage = "Internal Server Error";
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.end("500 Internal Server Error\n");
}

/** What node shows of a body whose length nobody knows, beside the body. */
export const CHUNKED = ["Transfer-Encoding", "chunked"] as const;
/** Methods whose request has a body only by exception. */
const BODILESS: ReadonlySet<string> = new Set(["OPTIONS", "TRACE", "DELETE"]);

/**
 * Is there a body whose length the front server has not said?
 *
 * Body parsers and proxies take a request with neither length nor coding for one without a body, and would lose it.
 * SCGI always has a length; nginx says by an empty CONTENT_LENGTH that there is none, unless the client's body was chunked.
 */
export function hasUnknownLength(protocol: ProtocolName, head: RequestHead): boolean {
  const { method, rawHeaders } = head;
  if (method === "GET" || method === "HEAD" || protocol === "scgi") return false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 14 && name.toLowerCase() === "content-length") return false;
  }
  if (protocol === "ajp") return !BODILESS.has(method);
  const { params } = head;
  if (params["HTTP_TRANSFER_ENCODING"] !== undefined) return true;
  return params["CONTENT_LENGTH"] === undefined && !BODILESS.has(method);
}

/** Gives a new request its head and the gateway's facts; its body is pushed by whoever made it. */
export function fillRequest(
  req: IncomingMessage,
  head: RequestHead,
  gateway: Gateway,
): GatewayRequest {
  const { httpVersion } = head;
  req.httpVersion = httpVersion;
  req.httpVersionMajor = httpVersion.charCodeAt(0) - 48;
  req.httpVersionMinor = httpVersion.charCodeAt(2) - 48;
  req.method = head.method;
  req.url = head.url;
  (req as unknown as PrivateRequest).upgrade = false;
  const { rawHeaders } = head;
  const lines = hasUnknownLength(gateway.protocol, head) ? [...rawHeaders, ...CHUNKED] : rawHeaders;
  (req as unknown as PrivateRequest)._addHeaderLines(lines, lines.length);
  const filled = req as IncomingMessage & { gateway: GatewayFacts };
  filled.gateway = gateway;
  return filled;
}

const close = (side: NodeRequest): void => side.close();

function endUnheardAndClose(side: NodeRequest): void {
  dumpUnheard(side.req);
  side.close();
}
