/**
 * Sockets of node:net whose first byte decides what they speak → the protocol, and the chunk that told it.
 * It holds them until then, and ends those that stay silent; what becomes of the others is the acceptor's.
 */
import type { Socket } from "node:net";
import type { Counters } from "../connection/counters.ts";
import { holdsHandle, type PassedSocket, takeHandle } from "../connection/passed-socket.ts";
import type { ProtocolName } from "../http/head.ts";
import { sniffProtocol } from "../protocols/sniff.ts";
import type { Leaver } from "./departures.ts";

/** Takes a socket that has spoken. */
export type Spoken = (socket: Socket, name: ProtocolName, chunk: Buffer) => void;

/** Those of one server. */
export class SilentSockets {
  readonly #idleMs: number;
  readonly #spoken: Spoken;
  readonly #counters: Counters;
  readonly #sockets = new Set<Socket>();

  /** @param idleMs how long one may stay silent, in milliseconds; 0: as long as it likes */
  constructor(idleMs: number, counters: Counters, spoken: Spoken) {
    this.#counters = counters;
    this.#idleMs = idleMs;
    this.#spoken = spoken;
  }

  /** Waits for the first byte of a socket. */
  add(socket: Socket, protocols: readonly ProtocolName[]): void {
    const close = (): void => {
      this.#sockets.delete(socket);
      socket.destroy();
    };
    const first = (chunk: Buffer): void => {
      this.#sockets.delete(socket);
      socket.removeListener("data", first);
      for (const name of ["error", "end", "timeout"]) socket.removeListener(name, close);
      socket.setTimeout(0);
      const name = sniffProtocol(chunk[0]!, protocols);
      if (name === undefined) {
        this.#counters.refusedProtocols++;
        socket.destroy();
      } else this.#spoken(socket, name, chunk);
    };
    this.#sockets.add(socket);
    socket.on("data", first);
    for (const name of ["error", "end", "timeout"]) socket.on(name, close);
    socket.setTimeout(this.#idleMs);
  }

  /** Closes all of them. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  /** As those that can leave for another worker. */
  *leavers(): Generator<Leaver> {
    for (const socket of this.#sockets) {
      const handOver = (): PassedSocket => {
        this.#sockets.delete(socket);
        return { handle: takeHandle(socket) };
      };
      const movable = holdsHandle(socket) && !socket.destroyed && socket.readableLength === 0;
      yield { movable, transport: { handOver } };
    }
  }
}
