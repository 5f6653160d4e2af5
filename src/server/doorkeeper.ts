/**
 * A connection that was accepted → may it stay? By its peer's address, and by how many there are already.
 *
 * Counts those that it refuses, and tells of them by "drop" where there are too many, as net.Server does.
 */
import type { Server, Socket } from "node:net";
import type { Counters } from "../connection/counters.ts";
import type { Transport } from "../connection/transport.ts";
import { EVERYBODY, type PeerCheck } from "./peers.ts";

/** Connections above `limits.connections` that are taken, to be told so, and for the status of an overloaded server. */
const RESERVE = 8;

function rethrow(error: unknown): never {
  throw error;
}

/** Tells of a connection that is refused. What a listener throws comes a tick later: the connection is closed all the same. */
export function tellDrop(server: Server, ...facts: readonly object[]): void {
  try {
    server.emit("drop", ...facts);
  } catch (error) {
    process.nextTick(rethrow, error);
  }
}

/** The doorkeeper of one server. */
export class Doorkeeper {
  peers: PeerCheck = EVERYBODY;
  readonly #server: Server;
  readonly #counters: Counters;
  readonly #most: number;

  /** @param connections `limits.connections` */
  constructor(server: Server, counters: Counters, connections: number) {
    this.#server = server;
    this.#counters = counters;
    this.#most = connections + RESERVE;
  }

  /** @param open connections that there are */
  admits(peer: Transport | Socket, open: number): boolean {
    if (this.peers !== EVERYBODY && !this.peers.allows(peer.remoteAddress || undefined)) {
      this.#counters.refusedPeers++;
      return false;
    }
    if (open < this.#most) return true;
    this.#counters.refusedConnections++;
    const { localAddress } = peer as Socket;
    tellDrop(this.#server, { localAddress, remoteAddress: peer.remoteAddress || undefined });
    return false;
  }
}
