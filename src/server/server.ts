/**
 * One listening server: accepts connections, finds their protocol, and hands requests to its "request" listeners.
 * It extends http.Server and feels like one, because Fastify, Nest, Next, socket.io and tracing rest on that;
 * connections of the protocol "http" are served by node's own code. Where to listen is listen.ts.
 */
import { AsyncResource } from "node:async_hooks";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { EngineChoice } from "../engine/engine.ts";
import type { CreateLines } from "../engine/lines.ts";
import type { SelectedEngine } from "../engine/select.ts";
import { UsageError } from "../errors.ts";
import { attachHttpGateway } from "../handler/http-gateway.ts";
import { failResponse, type GatewayRequest } from "../handler/node/request.ts";
import type { UpgradeSocket } from "../handler/node/upgrade.ts";
import type { ProtocolName } from "../http/head.ts";
import { noteError } from "../connection/chronicle.ts";
import { shareRequestId } from "../http/request-id.ts";
import { Acceptor } from "./acceptor.ts";
import { announce } from "./announcements.ts";
import { AdoptableServer, giveMethods } from "./adoption.ts";
import type { Attendance } from "./attendance.ts";
import type { Entry, Figures } from "./figures.ts";
import { isConsequence } from "./consequence.ts";
import type { Passage } from "./departures.ts";
import { failUpgrade } from "./failed-upgrade.ts";
import { closeOn, listenArguments } from "./listen-arguments.ts";
import { say } from "./last-resort.ts";
import { environment, listen } from "./listen.ts";
import type { BoundAddress, ResolvedOptions } from "./settings.ts";
import { told } from "./told.ts";
import { Traffic } from "./traffic.ts";
import type { TransportChoice } from "./transport-choice.ts";

/** A server of FastCGI, SCGI, AJP 1.3 and HTTP. Made by `serve` or `createServer`. */
export class Server extends AdoptableServer {
  /** Which engine decodes, and why. */
  readonly engine: EngineChoice;
  /** Makes writers of log lines in the addon; undefined where it is not used. */
  readonly createLines: CreateLines | undefined;
  readonly #options: ResolvedOptions;
  readonly #acceptor: Acceptor;
  /** What it carries, and has carried. */
  readonly traffic: Traffic;
  #bound: BoundAddress | undefined;
  #ready: Promise<this> | undefined;
  #readyWanted = false;
  /** close() was called, and listen() not since. */
  #closed = false;
  #attendance: Attendance | undefined;
  #entry: Entry | undefined;
  #released: Promise<void> | undefined;

  /**
   * @param options  what to listen on and by what rules; every option filled in
   * @param selected the engine that decodes
   * @param adopted  what {@link Server.adopt} was given
   */
  constructor(options: ResolvedOptions, selected: SelectedEngine, adopted?: HttpServer) {
    super(adopted);
    this.#options = options;
    this.engine = selected.choice;
    this.createLines = selected.createLines;
    // http.Server's own listener serves connections that turn out to speak HTTP.
    const httpConnection = this.listeners("connection")[0] as (socket: Socket) => void;
    this.removeListener("connection", httpConnection);
    const serveHttp = (socket: Socket): void => httpConnection.call(this, socket);
    this.#acceptor = new Acceptor(this, options, selected, serveHttp);
    this.traffic = new Traffic(this.#acceptor);
    this.prependListener("connection", (socket: Socket) => this.#acceptor.accept(socket));
    this.prependListener("request", attachHttpGateway);
    options.signal?.addEventListener("abort", () => this.close(), { once: true });
  }

  /**
   * Makes a gateway of an `http.Server` that does not listen yet. It stays the same object, with its listeners.
   *
   * @param server   keeps its prototype; what this class adds becomes its own
   * @param options  as for the constructor
   * @param selected as for the constructor
   */
  static adopt(server: HttpServer, options: ResolvedOptions, selected: SelectedEngine): Server {
    const gateway = new Server(options, selected, server);
    giveMethods(server, Server.prototype);
    return gateway;
  }

  /** Protocols this server answers: those of its options, without AJP where `auto` had to leave it out. */
  get protocols(): readonly ProtocolName[] {
    return this.#bound?.protocols ?? this.#options.protocols;
  }

  /** What moves its bytes, and why; undefined before it listens. */
  get transport(): TransportChoice | undefined {
    return this.#acceptor.transport;
  }

  /** Where it listens, for people: `unix:/run/x.sock`, `127.0.0.1:9000`, `fd 0`; undefined before it does. */
  get where(): string | undefined {
    return this.#bound?.text;
  }

  /** What the start line has to add, in whole sentences; undefined when there is nothing. */
  get note(): string | undefined {
    return this.#bound?.note ?? this.#options.note;
  }

  /** What it has counted, and what it carries. */
  get figures(): Figures {
    return this.#acceptor;
  }

  /** Has requests looked at before their listeners are told; `reserve` says which are answered whatever the load. */
  enter(entry: Entry, reserve: Acceptor["reserve"]): void {
    this.#entry = entry;
    this.#acceptor.reserve = reserve;
  }

  override address(): string | AddressInfo | null {
    return this.#bound === undefined ? super.address() : this.#bound.address;
  }

  /**
   * Listens, as `net.Server.listen` does; without an address on what the options say. A unix socket path is bound beside
   * its place and renamed into it. Failures are told by "error", or by {@link ready} where that was called.
   */
  override listen(...given: unknown[]): this {
    const { where, callback, signal } = listenArguments(given, this.#options);
    this.#closed = false;
    if (!this.listening) this.#bound = undefined;
    if (callback !== undefined) this.once("listening", callback);
    if (signal !== undefined) closeOn(this, signal);
    this.#ready = this.#open({ ...this.#options, ...where });
    this.#ready.catch((error: Error) => {
      if (!this.#readyWanted && !this.#closed) this.emit("error", error);
    });
    return this;
  }

  /** Resolves with this server once it listens; rejects with a UsageError when it cannot. */
  ready(): Promise<this> {
    this.#readyWanted = true;
    return this.#ready ?? Promise.reject(new Error("ready() was called before listen()"));
  }

  async #open(options: ResolvedOptions): Promise<this> {
    await this.#attendance?.prepare();
    if (this.#options.signal?.aborted === true && !this.#closed) this.close();
    if (this.#closed)
      throw new UsageError("close() was called before the server listened.", "ERR_CLOSED_EARLY");
    // Told before "listening" is, so that its listeners find address() and `where` as they will be.
    const bound = await listen(this, options, environment(), (address) => this.#opened(address));
    const { address } = bound;
    const [path, tcp] = typeof address === "string" ? [address] : [undefined, address ?? undefined];
    options.onListen?.({ ...bound, hostname: tcp?.address, port: tcp?.port, path });
    if (this.#closed) this.close();
    return this;
  }

  #opened(bound: BoundAddress): void {
    this.#bound = bound;
    this.#acceptor.open(bound);
  }

  /** Has an application's work done before this server listens and after it has closed. */
  attend(attendance: Attendance): void {
    this.#attendance = attendance;
  }

  // --- requests -----------------------------------------------------------------------------------

  /** Hands a request to the "request" listeners, in an async scope of its own. */
  dispatch(req: IncomingMessage, res: ServerResponse): void {
    announce(req, res, this);
    // Without a scope AsyncLocalStorage.enterWith() of one request would show in the next of the same read.
    new AsyncResource("POSTERN_REQUEST").runInAsyncScope(this.#emitRequest, this, req, res);
  }

  #emitRequest(req: IncomingMessage, res: ServerResponse): void {
    try {
      this.emit("request", req, res);
    } catch (error) {
      this.fail(error, req, res);
    }
  }

  /** Tells the "upgrade" listeners of a request, in an async scope of its own. What came behind the head comes as data. */
  tellUpgrade(req: IncomingMessage, socket: UpgradeSocket): void {
    new AsyncResource("POSTERN_UPGRADE").runInAsyncScope(() => {
      try {
        this.emit("upgrade", req, socket, Buffer.alloc(0));
      } catch (error) {
        this.report(error, req);
        failUpgrade(socket);
      }
    });
  }

  /** As EventEmitter's; a request that asks for an upgrade over plain HTTP gets its facts, as others do in "request". */
  override emit(name: string | symbol, ...given: unknown[]): boolean {
    if (name === "upgrade") attachHttpGateway.call(this, ...(given as [IncomingMessage, Socket]));
    else if (name === "request") {
      this.traffic.begin(given[0] as object, given[1] as ServerResponse);
      if (this.#entry?.(given[0] as never, given[1] as never) === true) return true;
    }
    return super.emit(name as string, ...given);
  }

  /** A handler threw or rejected: the operator hears of it, the client gets a 500 or a broken end. */
  fail(error: unknown, req: IncomingMessage, res: ServerResponse): void {
    this.#acceptor.counters.failures++;
    Promise.resolve(this.consult(error, req, req)).catch(say);
    failResponse(res);
  }

  /**
   * Tells `onError` of a failed request.
   *
   * @param shown what the handler was given, a node request or a Web one; `req` has the gateway's facts
   * @returns what it returned: for a fetch handler, perhaps an answer
   */
  consult(error: unknown, req: object, shown: IncomingMessage | Request): unknown {
    const { gateway } = req as Partial<GatewayRequest>;
    if (gateway?.aborted === true && isConsequence(error)) return undefined;
    if (gateway !== undefined) shareRequestId(shown, gateway.requestId);
    return this.report(error, shown);
  }

  report(error: unknown, shown: IncomingMessage | Request | undefined): unknown {
    const { onError } = this.#options;
    noteError(error, shown);
    if (onError === undefined) return say(error);
    try {
      return onError(error, shown);
    } catch (own) {
      return say(own);
    }
  }

  // --- ends ---------------------------------------------------------------------------------------

  /** Lets the application go that was made ready; what that throws is reported, and the end goes on. */
  #release(): Promise<void> {
    if (this.#ready === undefined) return Promise.resolve();
    this.#released ??= Promise.resolve(this.#attendance?.release()).then(
      () => undefined,
      (error: unknown) => void this.report(error, undefined),
    );
    return this.#released;
  }

  /**
   * Stops accepting, finishes what runs, then closes every connection; by force after `timeouts.drain`.
   *
   * @param callback called after "close", and after the application was closed where serving it includes that
   */
  override close(callback?: (error?: Error) => void): this {
    this.#closed = true;
    // While the handle is open no other file can have our socket's inode number: the check of ownership holds.
    this.#bound?.release();
    const done = (error?: Error): void => void this.#release().then(() => callback?.(error));
    super.close(this.#attendance === undefined ? callback : done);
    if (this.#acceptor.draining) return this;
    this.#acceptor.drain();
    const { drain } = this.#options.timeouts;
    // It keeps the process: a socket of which only our side is open would not.
    const force = drain > 0 ? setTimeout(() => this.closeAllConnections(), drain) : undefined;
    this.once("close", () => {
      this.#acceptor.rest();
      clearTimeout(force);
    });
    return this;
  }

  /** As `close`, for promises; resolves at once where it is closed already. */
  async shutdown(): Promise<void> {
    if (!this.listening && !this.#acceptor.draining) return;
    await new Promise<void>((resolve) => void this.close(() => resolve()));
    await told();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** What passes between workers; where `departures.retire` was called, `close` waits until all have left. */
  get passage(): Passage {
    return this.#acceptor;
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    this.#acceptor.destroyAll();
  }

  override closeIdleConnections(): void {
    super.closeIdleConnections();
    this.#acceptor.drainIdle();
  }
}
