/**
 * Requests to an application behind FastCGI, SCGI or AJP: one at a time, or over a kept connection.
 * It chooses, opens and reuses sessions; what goes over the wire is theirs. Made for tests, probes and the
 * demonstration: it speaks as web servers do, and says when an answer does not.
 */
import { ClientError, UsageError } from "../errors.ts";
import { PACKET_BYTES_DEFAULT, PACKET_BYTES_MAX } from "../protocols/ajp/constants.ts";
import { ManagementName } from "../protocols/fastcgi/constants.ts";
import { AjpSession } from "./ajp.ts";
import { FastCgiSession } from "./fastcgi.ts";
import { PeerSocket } from "./peer-socket.ts";
import { prepareRequest } from "./request-head.ts";
import type { ClientResponse } from "./response.ts";
import { ScgiSession } from "./scgi.ts";
import type { ConnectionOptions, RequestOptions, Session } from "./session.ts";

export { ClientError } from "../errors.ts";
export type { ClientResponse } from "./response.ts";
export type {
  ClientAddress,
  ClientBody,
  ClientHeaders,
  ClientProtocol,
  ConnectionOptions,
  RequestOptions,
} from "./session.ts";

/** How long GET_VALUES and CPING wait for their answer unless told otherwise. */
const PROBE_MS = 1_000;
/** Most requests at once on one FastCGI connection when nobody names a limit. */
const MULTIPLEX_MAX = 100;
/** Requests that may be sent twice without harm (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
]);

/**
 * Sends one request over a connection of its own, or over one that closes after it.
 *
 * @throws UsageError for an option that is wrong; ClientError for what fails on the way or over there; the signal's
 *   reason. Failures after the head come out of the response's body
 */
export async function request(
  options: ConnectionOptions & RequestOptions,
): Promise<ClientResponse> {
  const connection = new ClientConnection({ ...options, keepAlive: options.keepAlive ?? false });
  try {
    return await connection.request(options);
  } finally {
    connection.close();
  }
}

/**
 * A way to one application that keeps its connection from request to request where the protocol can.
 *
 * Opens at the first request, and again when the connection is gone or may not be used again. SCGI opens one a
 * request. A request that finds a kept connection broken before any byte of the answer is sent once more, on a new
 * connection, if it is idempotent and has no body.
 */
export class ClientConnection {
  readonly #options: ConnectionOptions;
  #waiting: (() => void)[] = [];
  /** SCGI sessions, which nobody else may use. */
  readonly #single = new Set<Session>();
  #session: Session | undefined;
  #opening: Promise<void> | undefined;
  #closed = false;

  /** @throws UsageError for a protocol or a packet size that does not exist */
  constructor(options: ConnectionOptions) {
    if (!["fastcgi", "scgi", "ajp"].includes(options.protocol)) {
      throw new UsageError(`protocol must be fastcgi, scgi or ajp, and is ${options.protocol}.`);
    }
    const size = options.packetSize ?? PACKET_BYTES_DEFAULT;
    if (!(size >= PACKET_BYTES_DEFAULT && size <= PACKET_BYTES_MAX)) {
      throw new UsageError(`packetSize must be from 8192 to 65536, and is ${size}.`);
    }
    this.#options = options;
  }

  /** Is a connection open that another request may use? */
  get open(): boolean {
    return this.#session?.reusable ?? false;
  }

  /** Requests under way on the open connection. */
  get active(): number {
    return this.#session?.active ?? 0;
  }

  /** Sends a request, as soon as the connection has room for it. Throws as {@link request}. */
  async request(options: RequestOptions = {}): Promise<ClientResponse> {
    const prepared = prepareRequest(options, this.#options.protocol);
    let reused = false;
    const start = (session: Session): Promise<ClientResponse> => {
      reused = session.served > 0;
      return session.request(prepared);
    };
    try {
      return await this.#use(prepared.signal, true, start);
    } catch (error) {
      const again =
        reused &&
        error instanceof ClientError &&
        error.code === "ERR_CLIENT_CLOSED" &&
        !error.answered &&
        !this.#closed &&
        prepared.body === undefined &&
        IDEMPOTENT.has(prepared.method);
      if (!again) throw error;
      return this.#use(prepared.signal, true, start);
    }
  }

  /**
   * Asks a FastCGI application for management variables.
   *
   * @param names @default FCGI_MAX_CONNS, FCGI_MAX_REQS and FCGI_MPXS_CONNS
   * @param timeoutMs @default 1000
   * @returns those that it knows; null prototype
   * @throws ClientError ERR_CLIENT_TIMEOUT and others as {@link request}
   */
  async getValues(
    names: readonly string[] = Object.values(ManagementName),
    timeoutMs: number = PROBE_MS,
  ): Promise<Record<string, string>> {
    this.#requireProtocol("fastcgi", "GET_VALUES");
    return this.#use(undefined, false, (session) =>
      (session as FastCgiSession).getValues(names, timeoutMs),
    );
  }

  /**
   * Probes an AJP application with CPING, between two requests.
   *
   * @param timeoutMs @default 1000
   * @throws ClientError ERR_CLIENT_TIMEOUT and others as {@link request}
   */
  async ping(timeoutMs: number = PROBE_MS): Promise<void> {
    this.#requireProtocol("ajp", "CPING");
    return this.#use(undefined, true, (session) => (session as AjpSession).ping(timeoutMs));
  }

  /** Takes no more requests; the connection closes when those under way have ended. */
  close(): void {
    this.#closed = true;
    this.#session?.close();
    this.#wake();
  }

  /** Closes at once; requests under way fail. */
  destroy(error: Error = closedByCaller()): void {
    this.#closed = true;
    this.#session?.destroy(error);
    for (const session of this.#single) session.destroy(error);
    this.#wake();
  }

  #requireProtocol(protocol: string, what: string): void {
    if (protocol === this.#options.protocol) return;
    throw new UsageError(
      `${what} exists in ${protocol} only, and the protocol is ${this.#options.protocol}.`,
    );
  }

  /**
   * Calls `start` with a session that can be used, in the same turn in which that was found.
   *
   * @param room must the session have room for one more request?
   */
  async #use<T>(
    signal: AbortSignal | undefined,
    room: boolean,
    start: (session: Session) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closed) throw closedByCaller();
      if (this.#options.protocol === "scgi") return start(await this.#openSingle(signal));
      const session = this.#session;
      if (session?.reusable && (!room || session.active < session.capacity)) return start(session);
      await abortable(session?.reusable ? this.#freed() : this.#open(), signal);
    }
  }

  async #openSingle(signal: AbortSignal | undefined): Promise<Session> {
    const socket = await PeerSocket.open(this.#options.address, signal);
    const session = new ScgiSession(socket, () => this.#single.delete(session));
    this.#single.add(session);
    return session;
  }

  /** Opens a session, once for all who wait for one. */
  #open(): Promise<void> {
    this.#opening ??= this.#openSession().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openSession(): Promise<void> {
    const { protocol, keepAlive = true, packetSize, secret, rawBody = false } = this.#options;
    const socket = await PeerSocket.open(this.#options.address);
    const onFreed = (): void => this.#wake();
    if (protocol === "ajp") {
      const options = {
        packetBytes: packetSize ?? PACKET_BYTES_DEFAULT,
        secret,
        rawBody,
        keepAlive,
      };
      this.#session = new AjpSession(socket, options, onFreed);
    } else {
      const session = new FastCgiSession(socket, keepAlive, onFreed);
      session.capacity = await this.#capacity(session);
      this.#session = session;
    }
    if (this.#closed) this.#session.destroy(closedByCaller());
  }

  /** FastCGI specification §4.1: several requests at once only when the application says that it can. */
  async #capacity(session: FastCgiSession): Promise<number> {
    const { multiplex = false } = this.#options;
    if (multiplex !== true) return multiplex === "force" ? MULTIPLEX_MAX : 1;
    try {
      const { MPXS_CONNS, MAX_REQS } = ManagementName;
      const values = await session.getValues([MPXS_CONNS, MAX_REQS], PROBE_MS);
      if (values[MPXS_CONNS] !== "1") return 1;
      return Math.min(Number(values[MAX_REQS]) || MULTIPLEX_MAX, MULTIPLEX_MAX);
    } catch {
      // Silence or UNKNOWN_TYPE: an application that knows nothing of this takes one at a time.
      return 1;
    }
  }

  /** Settles when a request or the connection has ended. */
  #freed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function closedByCaller(): ClientError {
  return new ClientError("ERR_CLIENT_CLOSED", "(by its caller)");
}

/** Waits for a promise, or for the signal to say stop; what the promise brings afterwards is dropped. */
function abortable(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
