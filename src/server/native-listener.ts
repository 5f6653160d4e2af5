/**
 * A net.Server that listens → a native transport that accepts in its place; the server goes on as if it did itself.
 * It takes the listening descriptor over and counts connections where net.Server does; who may connect and what a
 * connection carries is the acceptor's.
 */
import type { Server as NetServer, Socket } from "node:net";
import { ConnectionSocket } from "../connection/connection-socket.ts";
import { type HubOwner, NativeHub } from "../connection/native-hub.ts";
import type { NativeTransport } from "../connection/native-transport.ts";
import { asSocket, type PassedSocket } from "../connection/passed-socket.ts";
import type { Transport, TransportListener } from "../connection/transport.ts";
import type { Writer } from "../connection/writer.ts";
import type { TransportFactory } from "../engine/transport.ts";
import type { ProtocolName } from "../http/head.ts";
import { sniffProtocol } from "../protocols/sniff.ts";
import { ProtocolNumber } from "../wire/abi.ts";
import type { Counters } from "../connection/counters.ts";
import type { DecoderOptions, Limits } from "../wire/limits.ts";
import type { Leaver } from "./departures.ts";
import { tellDrop } from "./doorkeeper.ts";
import { socketInode } from "./listen-queue.ts";
import { acceptInstead, isFull, type PrivateServer } from "./net-server.ts";
import type { BoundAddress } from "./settings.ts";
import { letGoOf } from "./standard-descriptor.ts";

/** In the table of first bytes: bytes of HTTP, which node's own code serves. */
const HTTP = 4;
const NUMBERS = {
  fastcgi: ProtocolNumber.FASTCGI,
  scgi: ProtocolNumber.SCGI,
  ajp: ProtocolNumber.AJP,
  http: HTTP,
} as const;
const NAMES: readonly (ProtocolName | undefined)[] = [undefined, "fastcgi", "scgi", "ajp", "http"];

/** Whoever decides about connections. */
export interface ConnectionKeeper {
  readonly nowMs: number;
  readonly writer: Writer;
  readonly counters: Counters;
  readonly limits: Readonly<Limits>;
  readonly decoderOptions: DecoderOptions;
  /** May this peer connect, and is there room for it? */
  admits(transport: Transport): boolean;
  /** Makes a connection of a transport. */
  begin(name: ProtocolName, transport: Transport): TransportListener;
  /** The system has no descriptor for a connection. */
  starved(errno: number): void;
}

/** The first bytes of all protocols that are answered; with one of them nothing is guessed. */
function firstBytes(protocols: readonly ProtocolName[]): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    const name = sniffProtocol(byte, protocols);
    return name === undefined ? 0 : NUMBERS[name];
  });
}

/** One listening descriptor, accepted from by the addon. */
export class NativeListener implements HubOwner {
  readonly isUnix: boolean;
  readonly #server: PrivateServer;
  readonly #keeper: ConnectionKeeper;
  readonly #only: ProtocolName | undefined;
  readonly #hub: NativeHub;
  /** Connections that have sent nothing yet, where the first byte decides. */
  readonly #silent = new Set<NativeTransport>();
  /** What listeners of "connection" were shown. */
  readonly #shown = new Map<NativeTransport, ConnectionSocket>();
  #listening = true;
  #wanted = true;
  #open = 0;
  /** Had the system no descriptor for a connection, since accepting was tried last? */
  #isStarved = false;
  #isReferenced = false;
  #isAdopting = false;

  /**
   * Precondition: {@link takeoverObstacle} found none.
   *
   * @throws Error when the system gives no epoll set
   */
  constructor(
    server: NetServer,
    keeper: ConnectionKeeper,
    bound: BoundAddress,
    openTransport: TransportFactory,
  ) {
    const { protocols } = bound;
    this.isUnix = bound.transport === "unix";
    this.#server = server as PrivateServer;
    this.#keeper = keeper;
    this.#only = protocols.length === 1 ? protocols[0] : undefined;
    const { limits, decoderOptions } = keeper;
    const table = firstBytes(protocols);
    keeper.counters.sharesTurns = true;
    const turn = (): void => this.#turn();
    const memory = openTransport({ limits, decoderOptions, protocols: table, turn });
    this.#hub = new NativeHub(memory, this, keeper.writer);
    this.#takeOver(bound.fd !== undefined);
  }

  get nowMs(): number {
    return this.#keeper.nowMs;
  }

  #turn(): void {
    this.#keeper.counters.turn();
    this.#hub.turn();
  }

  /**
   * The descriptor is duplicated, libuv's handle closed, and ours put in its place.
   *
   * @param isShared may other processes have the socket as well?
   */
  #takeOver(isShared: boolean): void {
    const handle = this.#server._handle!;
    const fd = handle.fd!;
    const errno = this.#hub.functions.listen(fd, isShared);
    if (errno !== 0) {
      this.#hub.functions.close();
      throw new Error(`The listening descriptor cannot be duplicated (errno ${errno}).`);
    }
    const name = {};
    const inode = socketInode(fd);
    handle.getsockname?.(name);
    handle.close();
    letGoOf(fd);
    this.#server._handle = {
      fd,
      inode,
      close: (callback?: () => void) => this.#close(callback),
      ref: () => this.#want(true),
      unref: () => this.#want(false),
      getsockname: (out: object) => {
        Object.assign(out, name);
        return 0;
      },
    };
    this.#refer();
  }

  #want(wanted: boolean): void {
    this.#wanted = wanted;
    this.#refer();
  }

  /** As sockets of node:net: a listening server and each open connection keep the process. */
  #refer(): void {
    const referenced = (this.#listening && this.#wanted) || this.#open > 0;
    if (referenced === this.#isReferenced) return;
    this.#isReferenced = referenced;
    this.#hub.functions.setReferenced(referenced);
  }

  #close(callback: (() => void) | undefined): void {
    this.#listening = false;
    this.#hub.functions.unlisten();
    this.#refer();
    this.#closeIfDrained();
    if (callback !== undefined) setImmediate(callback);
  }

  #closeIfDrained(): void {
    if (!this.#listening && this.#open === 0) this.#hub.functions.close();
  }

  // --- HubOwner -----------------------------------------------------------------------------------

  opened(transport: NativeTransport): void {
    this.#open++;
    this.#server._connections++;
    if (this.#open === 1) this.#refer();
    const isWelcome = this.#isAdopting || this.#keeper.admits(transport);
    if (!this.#isAdopting && isFull(this.#server)) this.#refuse(transport);
    else if (!isWelcome) transport.destroy();
    else if (this.#only === undefined) this.#silent.add(transport);
    else this.#begin(this.#only, transport);
  }

  /** One above `maxConnections`: net.Server tells of it with two addresses, or with none. */
  #refuse(transport: NativeTransport): void {
    this.#keeper.counters.refusedConnections++;
    const local = this.#server.address();
    if (local === null || typeof local === "string") tellDrop(this.#server);
    else {
      tellDrop(this.#server, {
        localAddress: local.address,
        localPort: local.port,
        localFamily: local.family,
        remoteAddress: transport.remoteAddress,
        remotePort: transport.remotePort,
        remoteFamily: local.family,
      });
    }
    transport.destroy();
  }

  #begin(name: ProtocolName, transport: NativeTransport): void {
    transport.listener = this.#keeper.begin(name, transport);
    // One listener is the acceptor's own.
    if (this.#server.listenerCount("connection") < 2) return;
    const socket = new ConnectionSocket(transport);
    this.#shown.set(transport, socket);
    this.#server.emit("connection", socket as unknown as Socket);
  }

  speaks(transport: NativeTransport, protocol: number, bytesView: Uint8Array): void {
    if (this.#only !== undefined) return;
    this.#silent.delete(transport);
    const name = NAMES[protocol];
    if (name === undefined) this.#keeper.counters.refusedProtocols++;
    if (name === undefined) transport.destroy();
    else if (name === "http") this.#handOver(transport, bytesView);
    else this.#begin(name, transport);
  }

  /** Node's own server takes the descriptor, and what was read of it. */
  #handOver(transport: NativeTransport, bytesView: Uint8Array): void {
    const fd = transport.release();
    if (fd < 0) return;
    this.#open--;
    const socket = asSocket({ fd });
    const first = Buffer.from(bytesView);
    // It is counted already.
    this.#server._connections--;
    acceptInstead(this.#server, socket);
    socket.unshift(first);
    this.#refer();
  }

  left(transport: NativeTransport): void {
    this.#open--;
    this.#silent.delete(transport);
    this.#shown.get(transport)?.destroy();
    this.#shown.delete(transport);
    this.#server._connections--;
    this.#acceptAgain();
    if (this.#open === 0) this.#refer();
    this.#server._emitCloseIfDrained();
    this.#closeIfDrained();
  }

  starved(errno: number): void {
    this.#isStarved = true;
    this.#keeper.starved(errno);
  }

  #acceptAgain(): void {
    if (!this.#isStarved) return;
    this.#isStarved = false;
    this.#hub.functions.acceptAgain();
  }

  // --- the acceptor's words -----------------------------------------------------------------------

  /** Called by the coarse timer: silent connections have `timeouts.idle`, and accepting is tried again. */
  check(nowMs: number, idleMs: number): void {
    if (idleMs > 0) {
      for (const transport of this.#silent) {
        if (nowMs - transport.openedMs >= idleMs) transport.destroy();
      }
    }
    this.#acceptAgain();
    if (this.#open > 0) this.#turn();
  }

  /** Takes a connection over that was accepted elsewhere, where it was asked for room and leave. Throws an Error. */
  adopt(passed: PassedSocket): void {
    this.#isAdopting = true;
    try {
      this.#hub.adopt(passed);
    } finally {
      this.#isAdopting = false;
    }
  }

  /** Silent connections, as those that can leave for another worker. */
  *leavers(): Generator<Leaver> {
    for (const transport of this.#silent) yield { movable: transport.movable, transport };
  }

  /** Closes connections that have sent nothing. */
  destroySilent(): void {
    for (const transport of this.#silent) transport.destroy();
  }
}
