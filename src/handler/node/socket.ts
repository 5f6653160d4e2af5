/**
 * The stand-in for `req.socket`: it stands for the client, not for the front server's connection.
 * It answers what frameworks ask a socket; no byte of a response ever passes through it, and what is written
 * to it directly is swallowed. Behaviour as node's own http server expects of a socket.
 */
import type { Server } from "node:http";
import { isIPv6 } from "node:net";
import { Duplex } from "node:stream";
import type { Carrier } from "../carrier.ts";

/** What the stand-in tells its request. */
export interface SocketOwner {
  /** Bytes of the response that the kernel has not taken yet. */
  readonly queuedBytes: number;
  /** Corked writes may leave. */
  uncorked(): void;
  /** The application, or an abort, destroyed the socket. */
  destroyed(error: Error | null): void;
}

const swallowError = (): void => {};
const emitClose = (socket: ClientSocket, failed: boolean): boolean => socket.emit("close", failed);

/** One request's socket. */
export class ClientSocket extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly localFamily: string | undefined;
  readonly connecting = false;
  readonly pending = false;
  bytesRead = 0;
  bytesWritten = 0;
  readonly server: Server;
  /** As a net.Socket's: undefined until it is set. */
  timeout: number | undefined = undefined;
  /** Node's http code looks for these. */
  parser: null = null;
  _httpMessage: unknown = null;
  _paused = false;
  readonly #carrier: Carrier;
  readonly #owner: SocketOwner;
  #timer: NodeJS.Timeout | undefined;

  /** @param autoDestroy only where bytes really pass through it: is it over once both sides have ended? (upgrade.ts) */
  constructor(carrier: Carrier, owner: SocketOwner, server: Server, autoDestroy = false) {
    super({ allowHalfOpen: true, autoDestroy, emitClose: false });
    const { head } = carrier;
    this.#carrier = carrier;
    this.#owner = owner;
    this.server = server;
    this.remoteAddress = head.remoteAddress || undefined;
    this.remotePort = head.remotePort || undefined;
    this.remoteFamily = this.remoteAddress && (isIPv6(this.remoteAddress) ? "IPv6" : "IPv4");
    this.localAddress = head.localAddress || undefined;
    this.localPort = head.localPort || undefined;
    this.localFamily = this.localAddress && (isIPv6(this.localAddress) ? "IPv6" : "IPv4");
    // Node's http sockets always have one: without it `res.destroy(error)` would end the process.
    this.on("error", swallowError);
  }

  /** Bytes on their way: what ServerResponse adds up in its own `writableLength`. */
  get #queuedBytes(): number {
    return this.#owner.queuedBytes;
  }

  static {
    // An accessor, where the type of Duplex has a property: only so does it take the place of Duplex's own.
    Object.defineProperty(ClientSocket.prototype, "writableLength", {
      configurable: true,
      get(this: ClientSocket): number {
        return this.#queuedBytes;
      },
    });
  }

  /** Did the client come by TLS? tls-socket.ts has the socket of one that did. */
  get encrypted(): boolean {
    return false;
  }

  /** Has it shown a certificate that the front server verified? */
  get authorized(): boolean {
    return false;
  }

  get readyState(): "open" | "closed" {
    return this.destroyed ? "closed" : "open";
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#owner.destroyed(error);
    done(error);
    // As the handle of a net.Socket, which is closed only when the event loop comes round to it.
    setImmediate(emitClose, this, error !== null);
  }

  /** IncomingMessage asks for more of the body by this. */
  override resume(): this {
    this.#carrier.want();
    return this;
  }

  /** Flow is the exchange's business: it stops reading when the body is not consumed. */
  override pause(): this {
    return this;
  }

  override uncork(): void {
    super.uncork();
    if (this.writableCorked === 0) this.#owner.uncorked();
  }

  /** Idle time after which 'timeout' is emitted, in milliseconds; 0 switches it off. */
  setTimeout(timeoutMs: number, callback?: () => void): this {
    this.timeout = timeoutMs;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (callback !== undefined) {
      if (timeoutMs === 0) this.removeListener("timeout", callback);
      else this.once("timeout", callback);
    }
    if (timeoutMs > 0 && !this.destroyed) {
      this.#timer = setTimeout(() => this.emit("timeout"), timeoutMs).unref();
    }
    return this;
  }

  /** Something happened: the idle time starts again. */
  active(): void {
    this.#timer?.refresh();
  }

  /** The request is over: no timeout any more. */
  rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Called by code that closes a connection once everything is written. */
  destroySoon(): void {
    this.destroy();
  }

  address(): { address?: string; port?: number; family?: string } {
    if (this.localAddress === undefined) return {};
    return {
      address: this.localAddress,
      port: this.localPort ?? 0,
      family: this.localFamily ?? "IPv4",
    };
  }

  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
