/**
 * A connected socket on its way from one worker to another: a bare descriptor, or libuv's handle of one.
 * It turns each into the other without a byte being read: what the peer sends meanwhile waits with the kernel. The only
 * file that knows how net.Socket holds its handle.
 */
import { Socket } from "node:net";

/** libuv's handle of a socket, as far as it is used. */
export interface SocketHandle {
  readonly fd: number;
  onread: unknown;
  readStop(): number;
  close(closed?: () => void): void;
}

/** Exactly one of the two; whoever has it has to close it. */
export type PassedSocket =
  | { readonly fd: number; readonly handle?: never }
  | { readonly handle: SocketHandle; readonly fd?: never };

interface OpenSocket extends Socket {
  _handle: SocketHandle | null;
}

const unread = (): void => undefined;

/** Has node:net hold a socket by a handle of its own? TLS has not. */
export function holdsHandle(socket: Socket): boolean {
  return (socket as OpenSocket)._handle != null && !("encrypted" in socket);
}

/** Takes a socket's handle away; the socket is destroyed, and the peer sees nothing of it. Precondition: {@link holdsHandle}. */
export function takeHandle(socket: Socket): SocketHandle {
  const open = socket as OpenSocket;
  const handle = open._handle!;
  handle.readStop();
  handle.onread = unread;
  open._handle = null;
  open.setTimeout(0);
  open.destroy();
  return handle;
}

/**
 * The same socket as a handle; a descriptor is the handle's from now on.
 *
 * @throws Error for a descriptor that is no socket
 */
export function asHandle(passed: PassedSocket): SocketHandle {
  if (passed.handle !== undefined) return passed.handle;
  // One that starts to read would swallow what the next worker has to see.
  const options = { fd: passed.fd, manualStart: true };
  return takeHandle(new Socket(options));
}

/** Closes our part of it: the socket lives on where somebody else has one. */
export function closePassed(passed: PassedSocket): void {
  // By node:fs a thread would be warned of a descriptor that it did not open.
  asHandle(passed).close();
}

/** The same socket as node:net has it, reading from now on. */
export function asSocket(passed: PassedSocket): Socket {
  return new Socket({ ...passed, allowHalfOpen: true } as object);
}
