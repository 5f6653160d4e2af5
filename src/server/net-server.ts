/**
 * What net.Server keeps to itself, as far as somebody else who accepts in its place has to know it.
 * Only this file and native-listener.ts touch these members; both are bound to what Node 20 to 26 have in common.
 */
import type { Server as NetServer, Socket } from "node:net";
import { nodeMajor } from "./listen.ts";

/** What a server has of its handle, and of its connections, under names of its own. */
export interface PrivateServer extends NetServer {
  _handle: ListeningHandle | null;
  _connections: number;
  _emitCloseIfDrained(): void;
}

/** A handle of libuv's, as net.Server uses it. */
export interface ListeningHandle {
  readonly fd?: number;
  /** Of the socket, which goes on when the descriptor is closed. */
  readonly inode?: string;
  close(callback?: () => void): void;
  ref(): void;
  unref(): void;
  getsockname?(out: object): number;
}

/** Why a listening server cannot be taken over, as one clause; undefined where it can. */
export function takeoverObstacle(server: NetServer): string | undefined {
  const handle = (server as PrivateServer)._handle;
  if (handle === null || handle.fd === undefined || handle.fd < 0) {
    return "the listening socket belongs to another process";
  }
  return server.listenerCount("connection") > 1
    ? 'somebody listens for "connection", which needs sockets of node:net'
    : undefined;
}

/** Up to Node 20 a `maxConnections` of 0 is no limit; later ones take it by its word. */
const IS_ZERO_NO_LIMIT = nodeMajor < 21;

/** Is a connection that is counted already one too many? NaN and null are no limit. */
export function isFull({ maxConnections, _connections }: PrivateServer): boolean {
  if (maxConnections === undefined || maxConnections === null) return false;
  if (maxConnections === 0 && IS_ZERO_NO_LIMIT) return false;
  return _connections > maxConnections;
}

/** A server goes on with a socket of node:net as if it had accepted it. */
export function acceptInstead(server: NetServer, socket: Socket): void {
  (server as PrivateServer)._connections++;
  Object.assign(socket, { server, _server: server });
  server.emit("connection", socket);
}
