/**
 * An upgrade request as node:http shows it: a real `http.IncomingMessage` and a Duplex in place of the client's socket.
 * The application writes a raw response head on it, 101 or a refusal; the head is taken off and leaves in the protocol's
 * own form, and after a 101 the Duplex carries bytes both ways with the ends and waits of a net.Socket.
 * RFC 9110 §7.8; which front servers can carry one is protocols/cgi/upgrade.ts.
 */
import { IncomingMessage, type Server } from "node:http";
import { Duplex } from "node:stream";
import { AbortError } from "../../errors.ts";
import type { Carrier, HandlerSide } from "../carrier.ts";
import { Gateway } from "../gateway.ts";
import { RawResponse } from "./raw-response.ts";
import { fillRequest, type GatewayRequest } from "./request.ts";
import { ClientSocket, type SocketOwner } from "./socket.ts";
import { TlsClientSocket } from "./tls-socket.ts";

type Done = (error?: Error | null) => void;

/** What the socket of an upgrade tells its request. */
interface UpgradeOwner extends SocketOwner {
  write(chunks: readonly Buffer[], done: Done): void;
  end(done: Done): void;
  wanted(): void;
}

/** Gives a socket what another says of the client's TLS, and nothing of its stream. */
function showTls(socket: UpgradeSocket, facts: TlsClientSocket): void {
  const properties = Object.getOwnPropertyDescriptors(TlsClientSocket.prototype);
  for (const [name, { get, value }] of Object.entries(properties)) {
    if (get !== undefined) Object.defineProperty(socket, name, { get: () => get.call(facts) });
    else if (name !== "constructor")
      Object.defineProperty(socket, name, { value: value.bind(facts) });
  }
}

/** The client's socket, as the application uses it once it is its own. */
export class UpgradeSocket extends ClientSocket {
  readonly #upgrade: UpgradeOwner;

  constructor(carrier: Carrier, owner: UpgradeOwner, server: Server) {
    super(carrier, owner, server);
    // Bytes really pass through it.
    this.wake(true);
    this.#upgrade = owner;
    const { tls } = carrier.head;
    if (tls !== undefined) showTls(this, new TlsClientSocket(carrier, owner, server, tls));
  }

  static {
    // ClientSocket's counts a response's bytes; here they are the stream's own again.
    const own = Object.getOwnPropertyDescriptor(Duplex.prototype, "writableLength");
    if (own !== undefined) Object.defineProperty(UpgradeSocket.prototype, "writableLength", own);
  }

  override _read(): void {
    this.#upgrade.wanted();
  }

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.bytesWritten += chunk.length;
    this.active();
    this.#upgrade.write([chunk], done);
  }

  override _writev(pieces: readonly { readonly chunk: Buffer }[], done: Done): void {
    const chunks = pieces.map(({ chunk }) => chunk);
    for (const chunk of chunks) this.bytesWritten += chunk.length;
    this.active();
    this.#upgrade.write(chunks, done);
  }

  override _final(done: Done): void {
    this.#upgrade.end(done);
  }

  override resume(): this {
    return Duplex.prototype.resume.call(this) as this;
  }

  override pause(): this {
    return Duplex.prototype.pause.call(this) as this;
  }

  override uncork(): void {
    Duplex.prototype.uncork.call(this);
  }

  override destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Bytes of the client. */
  received(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    this.active();
    this.push(chunk);
  }

  /** The client sends nothing more: 'end', also where nobody reads, as at a net.Socket. */
  receivedEnd(): void {
    if (this.destroyed) return;
    this.push(null);
    this.read(0);
  }
}

/** One exchange's handler side that asks for an upgrade. */
export class NodeUpgrade implements HandlerSide, UpgradeOwner {
  readonly req: GatewayRequest;
  readonly #socket: UpgradeSocket;
  readonly #carrier: Carrier;
  readonly #gateway: Gateway;
  readonly #response: RawResponse;
  readonly #hear: (req: GatewayRequest, socket: UpgradeSocket) => void;
  #ended = false;
  #headSent = false;

  /** @param hear tells the listeners of "upgrade", once the request is whole */
  constructor(
    carrier: Carrier,
    server: Server,
    hear: (req: GatewayRequest, socket: UpgradeSocket) => void,
  ) {
    this.#carrier = carrier;
    this.#hear = hear;
    this.#gateway = new Gateway(carrier);
    this.#socket = new UpgradeSocket(carrier, this, server);
    const { rawHeaders, upgradeFields, method } = carrier.head;
    rawHeaders.push(...upgradeFields);
    this.req = fillRequest(new IncomingMessage(this.#socket as never), carrier.head, this.#gateway);
    (this.req as unknown as { upgrade: boolean }).upgrade = true;
    const isBodiless = (status: number): boolean =>
      method === "HEAD" || status === 204 || status === 304;
    this.#response = new RawResponse(isBodiless);
  }

  // --- the exchange's side ------------------------------------------------------------------------

  /** Only upgraded requests hold bytes here. */
  get unreadBytes(): number {
    return this.#socket.readableLength;
  }

  body(chunk: Buffer): number {
    if (this.#socket.destroyed || this.#ended) return 0;
    this.#socket.received(chunk);
    return this.#socket.readableLength;
  }

  /** The first is the request's own end; after a 101 it is the end of the client's bytes. */
  bodyEnd(): void {
    if (this.req.complete) return this.#inputEnded();
    this.req.complete = true;
    this.req.push(null);
    this.#hear(this.req, this.#socket);
  }

  /** Whatever ended the response tells the socket itself, in the order of a net.Socket. */
  inputOver(): void {}

  data(): number {
    return 0;
  }

  dataEnd(): void {}

  drained(): void {}

  aborted(reason: Error): void {
    this.#gateway.abort(reason);
    const socket = this.#socket;
    if (!this.#ended) return void socket.destroy();
    // The client had ended before it went: what it sent is still to be read, and 'end' may be answered.
    const closes = (): void =>
      void (socket.writableEnded ? socket.destroySoon() : socket.destroy());
    if (socket.readableEnded) process.nextTick(closes);
    else socket.once("end", () => process.nextTick(closes));
  }

  #inputEnded(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.receivedEnd();
  }

  // --- the socket's side --------------------------------------------------------------------------

  get queuedBytes(): number {
    return this.#carrier.queuedBytes;
  }

  readonly uncorking = false;

  uncorked(): void {}

  woken(): void {}

  wanted(): void {
    if (this.#response.accepts) this.#carrier.want();
  }

  write(chunks: readonly Buffer[], done: Done): void {
    const response = this.#response;
    if (response.accepts) return void this.#carrier.send(undefined, chunks, false, done);
    // A refusal that is whole has left; more of it would belong to no response.
    if (response.complete) return done();
    let bytes: readonly Buffer[];
    try {
      bytes = response.take(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    } catch (error) {
      this.#carrier.report(error as Error);
      return done(error as Error);
    }
    this.#send(bytes, done);
  }

  end(done: Done): void {
    const response = this.#response;
    if (response.accepts) {
      let isOver = false;
      // A peer that is gone already makes no failure of an end, as at a net.Socket.
      const written = (): void => {
        done();
        if (isOver) process.nextTick(() => this.#inputEnded());
      };
      isOver = !this.#carrier.endUpgraded(written);
      return;
    }
    if (response.complete) return done();
    const last = response.finish();
    if (response.complete) this.#send(last, done);
    else {
      // Nothing, or too little, was said: node would close here, and a front server has to see a failure.
      this.#carrier.giveUp();
      done();
      this.#inputEnded();
    }
  }

  /** The head the first time, and bytes behind it; a refusal that is whole ends the request. */
  #send(bytes: readonly Buffer[], done: Done): void {
    const { head, complete } = this.#response;
    if (head === undefined) return done();
    const pieces = bytes.filter((piece) => piece.length > 0);
    const first = this.#headSent ? undefined : head;
    this.#headSent = true;
    this.#carrier.send(first, pieces, complete, done);
    if (!complete) return;
    // The front server has its response and closes: as the application would see its client go.
    process.nextTick(() => {
      this.#inputEnded();
      if (!this.#socket.writableEnded && !this.#socket.destroyed) this.#socket.end();
    });
  }

  destroyed(error: Error | null): void {
    if (error !== null || !this.req.complete) this.#gateway.abort(error ?? lost());
    const response = this.#response;
    if (response.accepts) return this.#carrier.destroyUpgraded();
    if (response.complete) return;
    // `write("HTTP/1.1 401 …"); destroy()` is how refusals are written: a close ends such a body.
    const last = response.finish();
    if (response.complete) this.#send(last, () => {});
    else this.#carrier.giveUp();
  }
}

function lost(): Error {
  return new AbortError("ERR_CONNECTION_LOST");
}
