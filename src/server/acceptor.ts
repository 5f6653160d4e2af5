/**
 * Accepts the connections of one server: peer check, limit, protocol by first byte, then one Connection each.
 * It also holds what they share — memory, clock, count of requests — and stops them together. Where to listen is
 * listen.ts; connections of the protocol "http" are node's.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Books, booksOf } from "../connection/books.ts";
import { noteClose, noteOpen } from "../connection/chronicle.ts";
import { Connection } from "../connection/connection.ts";
import { ConnectionSocket } from "../connection/connection-socket.ts";
import type { ConnectionContext, ProtocolSetup, Reserve } from "../connection/context.ts";
import { Counters } from "../connection/counters.ts";
import type { Exchange } from "../connection/exchange.ts";
import { NodeTransport } from "../connection/node-transport.ts";
import { asSocket, type PassedSocket } from "../connection/passed-socket.ts";
import type { Transport } from "../connection/transport.ts";
import { Writer } from "../connection/writer.ts";
import type { Engine } from "../engine/engine.ts";
import type { SelectedEngine } from "../engine/select.ts";
import type { ErrorRow } from "../errors.ts";
import type { DirectHandler } from "../handler/fetch/direct.ts";
import { type Prototypes, prototypesOf } from "../handler/node/prototypes.ts";
import type { UpgradeSocket } from "../handler/node/upgrade.ts";
import type { ProtocolName } from "../http/head.ts";
import type { DecoderOptions, Limits } from "../wire/limits.ts";
import { type ConnectionKeeper, NativeListener } from "./native-listener.ts";
import { acceptInstead } from "./net-server.ts";
import { Doorkeeper } from "./doorkeeper.ts";
import { createPeerCheck } from "./peers.ts";
import { Departures, type Leaver } from "./departures.ts";
import { directWayOf, type DirectWay } from "./direct-way.ts";
import { SilentSockets } from "./silent-sockets.ts";
import type { Figures } from "./figures.ts";
import { Remarks } from "./remarks.ts";
import type { Server } from "./server.ts";
import type { BoundAddress, ResolvedOptions } from "./settings.ts";
import { createSetups } from "./setups.ts";
import { LoopLateness } from "./lateness.ts";
import { Starvation } from "./starvation.ts";
import { chooseTransport, type TransportChoice } from "./transport-choice.ts";

/** Monotonic milliseconds, never 0, which means "not running" to deadlines. */
function now(): number {
  return Math.floor(performance.now()) + 1;
}

/** The connections of one server. */
export class Acceptor implements ConnectionContext, ConnectionKeeper, Figures {
  readonly server: Server;
  readonly engine: Engine;
  readonly limits: Readonly<Limits>;
  readonly timeouts: ResolvedOptions["timeouts"];
  readonly halfOpen: boolean;
  readonly prototypes: Prototypes;
  readonly counters: Counters = new Counters();
  readonly books: Books;
  activeRequests = 0;
  begunRequests = 0;
  nowMs: number = now();
  draining = false;
  readonly starvation: Starvation = new Starvation();
  readonly lateness: LoopLateness;
  reserve: Reserve | undefined;
  /** What moves the bytes, and why; undefined before the server listens. */
  transport: TransportChoice | undefined;
  readonly #directWay: DirectWay;
  readonly #options: ResolvedOptions;
  readonly #selected: SelectedEngine;
  readonly #serveNode: (socket: Socket) => void;
  /** Sockets that speak HTTP: node forgets those that it hands to "upgrade" listeners. */
  readonly #httpSockets = new Set<Socket>();
  readonly #silent: SilentSockets;
  readonly #connections = new Set<Connection>();
  /** Connections that leave for another worker. */
  readonly departures: Departures = new Departures(() => this.#leavers());
  readonly writer: Writer = new Writer();
  readonly #remarks = new Remarks((error) => void this.server.report(error, undefined));
  readonly #setups: ReadonlyMap<ProtocolName, ProtocolSetup>;
  #protocols: readonly ProtocolName[];
  readonly #doorkeeper: Doorkeeper;
  #native: NativeListener | undefined;
  /** The one that comes from another worker just now. */
  #adopted: Socket | undefined;

  /**
   * @param server    receives "request" and "drop"
   * @param selected  who decodes, and whose transport there is
   * @param serveHttp takes a socket that speaks HTTP
   */
  constructor(
    server: Server,
    options: ResolvedOptions,
    selected: SelectedEngine,
    serveHttp: (socket: Socket) => void,
  ) {
    this.server = server;
    this.engine = selected.create(options.limits);
    this.#selected = selected;
    this.prototypes = prototypesOf(server);
    this.books = booksOf(server);
    this.#directWay = directWayOf(server);
    this.limits = options.limits;
    this.timeouts = options.timeouts;
    this.halfOpen = options.halfOpen;
    this.#doorkeeper = new Doorkeeper(server, this.counters, options.limits.connections);
    this.lateness = new LoopLateness(options.limits.delay);
    this.#options = options;
    this.#serveNode = serveHttp;
    this.#silent = new SilentSockets(this.timeouts.idle, this.counters, (socket, name, chunk) => {
      if (name !== "http") return this.#beginNode(socket, name).received(chunk);
      this.#serveHttp(socket);
      socket.unshift(chunk);
    });
    this.#setups = createSetups(options, this.counters);
    this.#protocols = options.protocols;
  }

  get direct(): DirectHandler | undefined {
    return this.#directWay.handler;
  }

  dispatch(req: IncomingMessage, res: ServerResponse): void {
    this.server.dispatch(req, res);
    this.prototypes.observe(req, res, this.server);
  }

  tellUpgrade(req: IncomingMessage, socket: UpgradeSocket): void {
    this.server.tellUpgrade(req, socket);
  }

  report(error: unknown, shown: IncomingMessage | Request | undefined): void {
    this.server.report(error, shown);
  }

  remark(row: ErrorRow, exchange: Exchange | undefined): void {
    this.counters.err(row);
    this.#remarks.make(row, exchange, this.nowMs);
  }

  /**
   * The server listens: who may connect, by which protocols and over what, is settled now.
   *
   * @throws UsageError when the native transport is asked for and cannot run
   */
  open(bound: BoundAddress): void {
    this.draining = false;
    this.#protocols = bound.protocols;
    this.#doorkeeper.peers = createPeerCheck(this.#options.trust, bound.transport);
    this.#openTransport(bound);
    this.lateness.open(() => this.#tick());
  }

  /** Lets the addon accept from the listening socket, where that is wished and possible. */
  #openTransport(bound: BoundAddress): void {
    const { transport: wanted } = this.#options;
    const { openTransport } = this.#selected;
    this.transport = chooseTransport(wanted, this.server, this.#selected, bound.protocols);
    if (this.transport.name !== "native" || openTransport === undefined) return;
    this.#native = new NativeListener(this.server, this, bound, openTransport);
  }

  #tick(): void {
    this.nowMs = now();
    this.#native?.check(this.nowMs, this.timeouts.idle);
    for (const connection of this.#connections) connection.check();
    this.departures.offerAll();
  }

  /** Takes one accepted socket. */
  accept(socket: Socket): void {
    if (socket instanceof ConnectionSocket) return;
    if (socket !== this.#adopted && !this.admits(socket)) return void socket.destroy();
    const protocols = this.#protocols;
    const only = protocols.length === 1 ? protocols[0] : undefined;
    if (only === "http") this.#serveHttp(socket);
    else if (only !== undefined) this.#beginNode(socket, only);
    else this.#silent.add(socket, protocols);
  }

  admits(peer: Transport | Socket): boolean {
    return this.#doorkeeper.admits(peer, this.#connections.size);
  }

  get connections(): number {
    return this.#connections.size + this.#httpSockets.size;
  }

  get crowded(): boolean {
    return this.#connections.size >= this.limits.connections;
  }

  #serveHttp(socket: Socket): void {
    this.counters.accepted++;
    this.#httpSockets.add(socket);
    socket.once("close", () => this.#httpSockets.delete(socket));
    this.#serveNode(socket);
  }

  #beginNode(socket: Socket, name: ProtocolName): NodeTransport {
    const { engine } = this;
    const { protocol, decoderOptions } = this.#setups.get(name)!;
    const connection = new Connection(this, this.#setups.get(name)!);
    const decoder = engine.createDecoder(protocol, decoderOptions);
    // Other listeners of "connection" than the acceptor's own may want to hear what comes.
    const inPlace = this.server.listenerCount("connection") < 2;
    const transport = new NodeTransport(socket, engine, decoder, this.writer, connection, inPlace);
    this.#keep(connection, transport);
    return transport;
  }

  get retiring(): boolean {
    return this.departures.isAwaiting;
  }

  offer(connection: Connection): void {
    this.departures.offer(connection);
  }

  *#leavers(): Generator<Leaver> {
    yield* this.#connections;
    yield* this.#silent.leavers();
    if (this.#native !== undefined) yield* this.#native.leavers();
  }

  /** Takes a connection over that another worker gave away, in whose place it is; that one asked who may connect. */
  adopt(passed: PassedSocket): void {
    if (this.#native !== undefined) this.#native.adopt(passed);
    else {
      this.#adopted = asSocket(passed);
      acceptInstead(this.server, this.#adopted);
    }
    this.departures.offerAll();
  }

  get decoderOptions(): DecoderOptions {
    return this.#setups.get("fastcgi")!.decoderOptions;
  }

  begin(name: ProtocolName, transport: Transport): Connection {
    const connection = new Connection(this, this.#setups.get(name)!);
    this.#keep(connection, transport);
    return connection;
  }

  #keep(connection: Connection, transport: Transport): void {
    connection.transport = transport;
    this.counters.accepted++;
    this.#connections.add(connection);
    noteOpen(connection);
  }

  starved(errno: number): void {
    const error = this.starvation.happened(errno, this.nowMs);
    if (error !== undefined) this.server.report(error, undefined);
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
    noteClose(connection);
  }

  eachConnection(call: (connection: Connection) => void): void {
    for (const connection of this.#connections) call(connection);
  }

  /** Soft stop: what runs is finished. */
  drain(): void {
    if (this.departures.retiring) return;
    this.draining = true;
    this.#destroySilent();
    for (const connection of this.#connections) connection.drain();
  }

  /** Closes connections without a request. Node's close() asks for it, too. */
  drainIdle(): void {
    if (this.departures.retiring) return;
    this.#destroySilent();
    for (const connection of this.#connections) {
      if (connection.idle) connection.drain();
    }
  }

  /** Hard stop. */
  destroyAll(): void {
    this.#destroySilent();
    for (const connection of this.#connections) connection.destroy();
    for (const socket of this.#httpSockets) socket.destroy();
  }

  #destroySilent(): void {
    this.#native?.destroySilent();
    this.#silent.destroyAll();
  }

  /** The server is closed: the clock stops. */
  rest(): void {
    this.lateness.rest();
  }
}
