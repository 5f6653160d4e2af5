/**
 * The stand-in for `req.socket`: it stands for the client, not for the front server's connection.
 * It answers what frameworks ask a socket; no byte of a response ever passes through it, and what is written
 * to it directly is swallowed. Behaviour as node's own http server expects of a socket, which asks most of it in every
 * request: that is answered without a stream's state, which lazy-duplex.ts makes for whoever really uses it.
 */
import type { Server } from "node:http";
import { isIPv6 } from "node:net";
import { Duplex } from "node:stream";
import type { Carrier } from "../carrier.ts";
import { LazyDuplex } from "./lazy-duplex.ts";

/** What the stand-in tells its request. */
export interface SocketOwner {
  /** Bytes of the response that the kernel has not taken yet. */
  readonly queuedBytes: number;
  /** Is node's end() past the last code of others, and on its way to uncork() what it corked? */
  readonly uncorking: boolean;
  /** Corked writes may leave. */
  uncorked(): void;
  /** The socket is used as a stream from now on: who wants to hear of it puts listeners on it. */
  woken(socket: ClientSocket): void;
  /** The application, or an abort, destroyed the socket. */
  destroyed(error: Error | null): void;
}

const swallowError = (): void => {};
const emitClose = (socket: ClientSocket, failed: boolean): boolean => socket.emit("close", failed);
const emitTimeout = (socket: ClientSocket): boolean => socket.emit("timeout");
const familyOf = (address: string): string | undefined =>
  address === "" ? undefined : isIPv6(address) ? "IPv6" : "IPv4";

type Accessor<T> = PropertyDescriptor & { get(this: Duplex): T };

/** The accessor of Duplex, or of what it inherits from. */
function accessorOf<T>(name: string): Accessor<T> {
  let at: object = Duplex.prototype;
  while (!Object.hasOwn(at, name)) at = Object.getPrototypeOf(at) as object;
  return Object.getOwnPropertyDescriptor(at, name) as Accessor<T>;
}

const readable = accessorOf<boolean>("readable");
const writable = accessorOf<boolean>("writable");
const destroyed = accessorOf<boolean>("destroyed");
const errored = accessorOf<Error | null>("errored");
const writableCorked = accessorOf<number>("writableCorked");
const readableHighWaterMark = accessorOf<number>("readableHighWaterMark");
const writableHighWaterMark = accessorOf<number>("writableHighWaterMark");
/** Both directions have node's default, whatever that is set to; looked up once, as a new stream would. */
let defaultHighWaterMark = 0;
function highWaterMark(): number {
  if (defaultHighWaterMark === 0) defaultHighWaterMark = new Duplex().readableHighWaterMark;
  return defaultHighWaterMark;
}

/** What a net.Socket shows as enumerable, too. */
const FACTS = "remoteAddress remotePort remoteFamily localAddress localPort localFamily".split(" ");

/** Where node's end() says that everything is to be uncorked, of a socket that has no state. */
const CORKED = { corked: 0 };

/** One request's socket. */
export class ClientSocket extends LazyDuplex {
  /** @internal Duplex' own, of which one member matters here. */
  declare readonly _writableState: { corked: number };
  declare readonly connecting: boolean;
  declare readonly pending: boolean;
  declare bytesRead: number;
  declare bytesWritten: number;
  /** As a net.Socket's: undefined until it is set. */
  declare timeout: number | undefined;
  /** Node's http code looks for these. */
  declare parser: null;
  declare _paused: boolean;
  _httpMessage: unknown = null;
  readonly server: Server;
  readonly #carrier: Carrier;
  readonly #owner: SocketOwner;
  /** Counts only while there is no state that does. */
  #corked = 0;
  #timer: NodeJS.Timeout | undefined = undefined;

  /** Node's own constructor of a Duplex does not run here; see lazy-duplex.ts. */
  constructor(carrier: Carrier, owner: SocketOwner, server: Server) {
    super();
    this.server = server;
    this.#carrier = carrier;
    this.#owner = owner;
  }

  static {
    const { prototype } = ClientSocket;
    // Assigning to one of these gives a socket its own.
    Object.assign(prototype, { connecting: false, pending: false, bytesRead: 0, bytesWritten: 0 });
    Object.assign(prototype, { timeout: undefined, parser: null, _paused: false });
    // Accessors, where the type of Duplex has properties: only so do they take the place of Duplex's own. Each is
    // written out, because functions of one place in the source share what V8 has learned about them.
    Object.defineProperties(prototype, {
      _writableState: {
        ...Object.getOwnPropertyDescriptor(LazyDuplex.prototype, "_writableState"),
        get(this: ClientSocket): unknown {
          // Node's constructor looks at the prototypes, too.
          if (!(#owner in this) || this.awake) return undefined;
          if (this.#owner.uncorking) return CORKED;
          this.wake();
          return this._writableState;
        },
      },
      writableLength: {
        configurable: true,
        get(this: ClientSocket): number {
          return this.#owner.queuedBytes;
        },
      },
      writableCorked: {
        ...writableCorked,
        get(this: ClientSocket): number {
          return this.awake ? writableCorked.get.call(this) : this.#corked;
        },
      },
      destroyed: {
        ...destroyed,
        get(this: ClientSocket): boolean {
          return this.awake && destroyed.get.call(this);
        },
      },
      readable: {
        ...readable,
        get(this: ClientSocket): boolean {
          return !this.awake || readable.get.call(this);
        },
      },
      writable: {
        ...writable,
        get(this: ClientSocket): boolean {
          return !this.awake || writable.get.call(this);
        },
      },
      errored: {
        ...errored,
        get(this: ClientSocket): Error | null {
          return this.awake ? errored.get.call(this) : null;
        },
      },
      readableHighWaterMark: {
        ...readableHighWaterMark,
        get(this: ClientSocket): number {
          return this.awake ? readableHighWaterMark.get.call(this) : highWaterMark();
        },
      },
      writableHighWaterMark: {
        ...writableHighWaterMark,
        get(this: ClientSocket): number {
          return this.awake ? writableHighWaterMark.get.call(this) : highWaterMark();
        },
      },
    });
    for (const name of FACTS) {
      const fact = Object.getOwnPropertyDescriptor(prototype, name);
      Object.defineProperty(prototype, name, { ...fact, enumerable: true });
    }
  }

  protected override woken(): void {
    this._writableState.corked = this.#corked;
    // Node's http sockets always have one: without it `res.destroy(error)` would end the process.
    this.on("error", swallowError);
    this.#owner.woken(this);
  }

  get remoteAddress(): string | undefined {
    return this.#carrier.head.remoteAddress || undefined;
  }
  get remotePort(): number | undefined {
    return this.#carrier.head.remotePort || undefined;
  }
  get remoteFamily(): string | undefined {
    return familyOf(this.#carrier.head.remoteAddress);
  }
  get localAddress(): string | undefined {
    return this.#carrier.head.localAddress || undefined;
  }
  get localPort(): number | undefined {
    return this.#carrier.head.localPort || undefined;
  }
  get localFamily(): string | undefined {
    return familyOf(this.#carrier.head.localAddress);
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

  override cork(): void {
    if (this.awake) super.cork();
    else this.#corked++;
  }

  override uncork(): void {
    if (this.awake) super.uncork();
    else if (this.#owner.uncorking) this.#corked = 0;
    else if (this.#corked > 0) this.#corked--;
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
      this.#timer = setTimeout(emitTimeout, timeoutMs, this).unref();
    }
    return this;
  }

  /** Something happened: the idle time starts again. */
  active(): void {
    this.#timer?.refresh();
  }

  /** The request is over: no timeout any more. */
  rest(): void {
    if (this.#timer === undefined) return;
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
