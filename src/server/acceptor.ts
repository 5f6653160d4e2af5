/**
 * Accepts the connections of one server: peer check, limit, protocol by first byte, then one Connection each.
 * It also holds what they share — memory, clock, count of requests — and stops them together. Where to listen is
 * listen.ts; connections of the protocol "http" are node's.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Connection } from "../connection/connection.ts";
import type {
  ConnectionContext,
  ConnectionTimeouts,
  ProtocolSetup,
} from "../connection/context.ts";
import { concernsOperator } from "../connection/refusal.ts";
import { Transport } from "../connection/transport.ts";
import type { Engine } from "../engine/engine.ts";
import { type ErrorRow, ProtocolError } from "../errors.ts";
import { type Prototypes, prototypesOf } from "../handler/node/prototypes.ts";
import type { UpgradeSocket } from "../handler/node/upgrade.ts";
import type { ProtocolName } from "../http/head.ts";
import { sniffProtocol } from "../protocols/sniff.ts";
import type { Limits } from "../wire/limits.ts";
import { createPeerCheck, type PeerCheck } from "./peers.ts";
import type { Server } from "./server.ts";
import type { BoundAddress, ResolvedOptions } from "./settings.ts";
import { createSetups } from "./setups.ts";

/** The one timer's period: deadlines are checked this often. */
const CLOCK_MS = 500;

/** Monotonic milliseconds, never 0, which means "not running" to deadlines. */
function now(): number {
  return Math.floor(performance.now()) + 1;
}

/** The connections of one server. */
export class Acceptor implements ConnectionContext {
  readonly server: Server;
  readonly engine: Engine;
  readonly limits: Readonly<Limits>;
  readonly timeouts: ConnectionTimeouts;
  readonly halfOpen: boolean;
  readonly prototypes: Prototypes;
  activeRequests = 0;
  nowMs: number = now();
  draining = false;
  readonly #options: ResolvedOptions;
  readonly #serveNode: (socket: Socket) => void;
  /** Sockets that speak HTTP: node forgets those that it hands to "upgrade" listeners. */
  readonly #httpSockets = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  readonly #remarked = new Set<ErrorRow>();
  readonly #setups: ReadonlyMap<ProtocolName, ProtocolSetup>;
  #protocols: readonly ProtocolName[];
  #peers: PeerCheck = { allows: () => true };
  #clock: NodeJS.Timeout | undefined;

  /**
   * @param server    receives "request" and "drop"
   * @param options   every option filled in
   * @param engine    the decoders' memory
   * @param serveHttp takes a socket that speaks HTTP
   */
  constructor(
    server: Server,
    options: ResolvedOptions,
    engine: Engine,
    serveHttp: (socket: Socket) => void,
  ) {
    this.server = server;
    this.engine = engine;
    this.prototypes = prototypesOf(server);
    this.limits = options.limits;
    this.timeouts = options.timeouts;
    this.halfOpen = options.halfOpen;
    this.#options = options;
    this.#serveNode = serveHttp;
    this.#setups = createSetups(options);
    this.#protocols = options.protocols;
  }

  dispatch(req: IncomingMessage, res: ServerResponse): void {
    this.server.dispatch(req, res);
    this.prototypes.observe(req, res, this.server);
  }

  tellUpgrade(req: IncomingMessage, socket: UpgradeSocket): void {
    this.server.tellUpgrade(req, socket);
  }

  report(error: unknown, req: IncomingMessage | undefined): void {
    this.server.report(error, req);
  }

  remark(row: ErrorRow): void {
    if (!concernsOperator(row) || this.#remarked.has(row)) return;
    this.#remarked.add(row);
    this.server.report(new ProtocolError(row), undefined);
  }

  /** The server listens: who may connect, and by which protocols, is settled now. */
  open(bound: BoundAddress): void {
    this.draining = false;
    this.#protocols = bound.protocols;
    this.#peers = createPeerCheck(this.#options.trust, bound.transport);
    this.#clock = setInterval(() => this.#tick(), CLOCK_MS).unref();
  }

  #tick(): void {
    this.nowMs = now();
    for (const connection of this.#connections) connection.check();
  }

  /** Takes one accepted socket. */
  accept(socket: Socket): void {
    if (!this.#peers.allows(socket.remoteAddress)) {
      socket.destroy();
      return;
    }
    if (this.#connections.size >= this.limits.connections) {
      socket.destroy();
      this.server.emit("drop", {
        localAddress: socket.localAddress,
        remoteAddress: socket.remoteAddress,
      });
      return;
    }
    const protocols = this.#protocols;
    const only = protocols.length === 1 ? protocols[0] : undefined;
    if (only === "http") this.#serveHttp(socket);
    else if (only !== undefined) this.#begin(socket, only);
    else this.#sniff(socket, protocols);
  }

  #serveHttp(socket: Socket): void {
    this.#httpSockets.add(socket);
    socket.once("close", () => this.#httpSockets.delete(socket));
    this.#serveNode(socket);
  }

  #sniff(socket: Socket, protocols: readonly ProtocolName[]): void {
    const forget = (): void => {
      socket.removeListener("data", first);
      socket.removeListener("error", close);
      socket.removeListener("end", close);
      socket.removeListener("timeout", close);
      socket.setTimeout(0);
    };
    const close = (): void => {
      socket.destroy();
    };
    const first = (chunk: Buffer): void => {
      forget();
      const name = sniffProtocol(chunk[0]!, protocols);
      if (name === undefined) close();
      else if (name === "http") {
        this.#serveHttp(socket);
        socket.unshift(chunk);
      } else this.#begin(socket, name).received(chunk);
    };
    socket.on("data", first);
    socket.on("error", close);
    socket.on("end", close);
    socket.on("timeout", close);
    socket.setTimeout(this.timeouts.idle);
  }

  #begin(socket: Socket, name: ProtocolName): Connection {
    const setup = this.#setups.get(name)!;
    const connection = new Connection(this, setup, () => this.#connections.delete(connection));
    connection.transport = new Transport(socket, connection);
    this.#connections.add(connection);
    return connection;
  }

  /** Soft stop: what runs is finished. */
  drain(): void {
    this.draining = true;
    for (const connection of this.#connections) connection.drain();
  }

  /** Closes connections without a request. */
  drainIdle(): void {
    for (const connection of this.#connections) {
      if (connection.idle) connection.drain();
    }
  }

  /** Hard stop. */
  destroyAll(): void {
    for (const connection of this.#connections) connection.destroy();
    for (const socket of this.#httpSockets) socket.destroy();
  }

  /** The server is closed: the clock stops. */
  rest(): void {
    clearInterval(this.#clock);
  }
}
