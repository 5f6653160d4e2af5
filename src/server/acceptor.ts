/**
 * Accepts the connections of one server: peer check, limit, protocol by first byte, then one Connection each.
 * It also holds what they share — memory, clock, count of requests — and stops them together. Where to listen is
 * listen.ts; connections of the protocol "http" are node's.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Connection } from "../connection/connection.ts";
import { ConnectionSocket } from "../connection/connection-socket.ts";
import type {
  ConnectionContext,
  ConnectionTimeouts,
  ProtocolSetup,
} from "../connection/context.ts";
import { concernsOperator } from "../connection/refusal.ts";
import { NodeTransport } from "../connection/node-transport.ts";
import { asSocket, type PassedSocket } from "../connection/passed-socket.ts";
import type { Transport } from "../connection/transport.ts";
import { Writer } from "../connection/writer.ts";
import type { Engine } from "../engine/engine.ts";
import type { SelectedEngine } from "../engine/select.ts";
import { type ErrorRow, ProtocolError } from "../errors.ts";
import type { DirectHandler } from "../handler/fetch/direct.ts";
import { type Prototypes, prototypesOf } from "../handler/node/prototypes.ts";
import type { UpgradeSocket } from "../handler/node/upgrade.ts";
import type { ProtocolName } from "../http/head.ts";
import type { DecoderOptions, Limits } from "../wire/limits.ts";
import { type ConnectionKeeper, NativeListener } from "./native-listener.ts";
import { acceptInstead } from "./net-server.ts";
import { createPeerCheck, EVERYBODY, type PeerCheck } from "./peers.ts";
import { Departures, type Leaver } from "./departures.ts";
import { directWayOf, type DirectWay } from "./direct-way.ts";
import { STARVED_MS, starvation } from "./starvation.ts";
import { SilentSockets } from "./silent-sockets.ts";
import type { Server } from "./server.ts";
import type { BoundAddress, ResolvedOptions } from "./settings.ts";
import { createSetups } from "./setups.ts";
import { chooseTransport, type TransportChoice } from "./transport-choice.ts";

/** The one timer's period: deadlines are checked this often. */
const CLOCK_MS = 500;

/** Monotonic milliseconds, never 0, which means "not running" to deadlines. */
function now(): number {
  return Math.floor(performance.now()) + 1;
}

/** The connections of one server. */
export class Acceptor implements ConnectionContext, ConnectionKeeper {
  readonly server: Server;
  readonly engine: Engine;
  readonly limits: Readonly<Limits>;
  readonly timeouts: ConnectionTimeouts;
  readonly halfOpen: boolean;
  readonly prototypes: Prototypes;
  activeRequests = 0;
  begunRequests = 0;
  nowMs: number = now();
  draining = false;
  /** How often the system had no descriptor for a connection. */
  acceptFailures = 0;
  #toldMs = 0;
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
  readonly #remarked = new Set<ErrorRow>();
  readonly #setups: ReadonlyMap<ProtocolName, ProtocolSetup>;
  #protocols: readonly ProtocolName[];
  #peers: PeerCheck = EVERYBODY;
  #native: NativeListener | undefined;
  /** The one that comes from another worker just now. */
  #adopted: Socket | undefined;
  #clock: NodeJS.Timeout | undefined;

  /**
   * @param server    receives "request" and "drop"
   * @param options   every option filled in
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
    this.#directWay = directWayOf(server);
    this.limits = options.limits;
    this.timeouts = options.timeouts;
    this.halfOpen = options.halfOpen;
    this.#options = options;
    this.#serveNode = serveHttp;
    this.#silent = new SilentSockets(this.timeouts.idle, (socket, name, chunk) => {
      if (name !== "http") return this.#beginNode(socket, name).received(chunk);
      this.#serveHttp(socket);
      socket.unshift(chunk);
    });
    this.#setups = createSetups(options);
    this.#protocols = options.protocols;
  }

  get connections(): number {
    return this.#connections.size + this.#httpSockets.size;
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

  remark(row: ErrorRow): void {
    if (!concernsOperator(row) || this.#remarked.has(row)) return;
    this.#remarked.add(row);
    this.server.report(new ProtocolError(row), undefined);
  }

  /**
   * The server listens: who may connect, by which protocols and over what, is settled now.
   *
   * @throws UsageError when the native transport is asked for and cannot run
   */
  open(bound: BoundAddress): void {
    this.draining = false;
    this.#protocols = bound.protocols;
    this.#peers = createPeerCheck(this.#options.trust, bound.transport);
    this.#openTransport(bound);
    this.#clock = setInterval(() => this.#tick(), CLOCK_MS).unref();
  }

  /** Lets the addon accept from the listening socket, where that is wished and possible. */
  #openTransport(bound: BoundAddress): void {
    const { protocols } = bound;
    const { openTransport } = this.#selected;
    this.transport = chooseTransport(
      this.#options.transport,
      this.server,
      this.#selected,
      protocols,
    );
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
    if (socket !== this.#adopted && !this.admits(socket)) {
      socket.destroy();
      return;
    }
    const protocols = this.#protocols;
    const only = protocols.length === 1 ? protocols[0] : undefined;
    if (only === "http") this.#serveHttp(socket);
    else if (only !== undefined) this.#beginNode(socket, only);
    else this.#silent.add(socket, protocols);
  }

  admits(peer: Transport | Socket): boolean {
    if (this.#peers !== EVERYBODY && !this.#peers.allows(peer.remoteAddress || undefined))
      return false;
    if (this.#connections.size < this.limits.connections) return true;
    const { localAddress } = peer as Socket;
    this.server.emit("drop", { localAddress, remoteAddress: peer.remoteAddress || undefined });
    return false;
  }

  #serveHttp(socket: Socket): void {
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
    connection.transport = transport;
    this.#connections.add(connection);
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
    connection.transport = transport;
    this.#connections.add(connection);
    return connection;
  }

  starved(errno: number): void {
    this.acceptFailures++;
    if (this.#toldMs !== 0 && this.nowMs - this.#toldMs < STARVED_MS) return;
    this.#toldMs = this.nowMs;
    this.server.report(starvation(errno), undefined);
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
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
    clearInterval(this.#clock);
  }
}
