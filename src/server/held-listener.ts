/**
 * Settings → a listening address that this process holds and never accepts from: its workers inherit the descriptor.
 *
 * `net.Server` cannot do that, since its listen() accepts; the handle is made by net's own `_createServerHandle`, on which
 * node:cluster rests. A path gets its socket file only when the first worker listens, so that nobody is ever refused there.
 */
import { lookup } from "node:dns/promises";
import { closeSync } from "node:fs";
import * as net from "node:net";
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import { UsageError } from "../errors.ts";
import { type ListenOptions, noAddress, passedSockets, processFacts } from "./listen.ts";
import { descriptorFailure, hostAndPort, tcpFailure, unixFailure } from "./listen-failure.ts";
import { reachOf } from "./reach.ts";
import type { TcpSettings, UnixSettings } from "./settings.ts";
import {
  type FileIdentity,
  openSocketFile,
  type SocketFile,
  takeSocketFile,
} from "./socket-file.ts";
import { choosePassedSocket, type Environment } from "./systemd.ts";

/** An address that is bound. */
export interface HeldListener {
  /** To be inherited; stays ours until {@link close}. */
  readonly fd: number;
  /** For people: `unix:/run/x.sock`, `127.0.0.1:9000`, `fd 0`. */
  readonly text: string;
  /** A worker listens: puts the socket file in place. Does nothing elsewhere, and the second time. */
  place(): void;
  /** What to say when it turned out in a worker that the descriptor is no listening socket. */
  refused(): UsageError;
  /** For a process that inherits the descriptor and takes the place of this one. */
  readonly legacy: ListenerLegacy;
  /** Removes the socket file while it is still ours, and closes the descriptor. */
  close(): void;
  /** Closes the descriptor, and leaves the socket file to the process that goes on with it. */
  abandon(): void;
}

/** What is to be known of a listener beside its descriptor. Plain values. */
export interface ListenerLegacy {
  readonly text: string;
  /** Of the socket file; "" for none. */
  readonly path: string;
  /** Of the socket file, where it is ours to remove. */
  readonly identity: FileIdentity | undefined;
}

/** libuv's handle, as far as it matters here. */
interface Handle {
  readonly fd: number;
  close(): void;
  getsockname(out: { address?: string; port?: number }): number;
}

const { _createServerHandle: createServerHandle } = net as unknown as {
  _createServerHandle(
    address: string,
    port: number,
    addressType: number,
    fd?: number,
  ): Handle | number;
};

/** A system's error as node words it. */
function systemError(errno: number): NodeJS.ErrnoException {
  const [code = String(errno), message = ""] = getSystemErrorMap().get(errno) ?? [];
  return Object.assign(new Error(`${code}: ${message}`), { code, errno });
}

/** @throws Error with the system's code */
function created(address: string, port: number, addressType: number): Handle {
  const handle = createServerHandle(address, port, addressType, -1);
  if (typeof handle === "number") throw systemError(handle);
  return handle;
}

const nothing = (): void => undefined;

/** Of one that we bound, that cannot be. */
const bound = (fd: number) => (): UsageError =>
  descriptorFailure(fd, systemError(-constants.errno.ENOTSOCK));

async function holdTcp({ host, port }: TcpSettings, options: ListenOptions): Promise<HeldListener> {
  try {
    const address = net.isIP(host) === 0 ? (await lookup(host)).address : host;
    reachOf(options, address);
    const handle = created(address, port, net.isIP(address));
    const name: { address?: string; port?: number } = {};
    handle.getsockname(name);
    if (name.port === undefined || name.port === 0 || (port !== 0 && name.port !== port)) {
      // libuv keeps "in use" to itself until listen(), and leaves the socket without a name.
      handle.close();
      throw Object.assign(new Error("bind EADDRINUSE"), { code: "EADDRINUSE" });
    }
    const text = hostAndPort(name.address ?? address, name.port);
    return {
      fd: handle.fd,
      text,
      legacy: { text, path: "", identity: undefined },
      place: nothing,
      refused: bound(handle.fd),
      close: () => handle.close(),
      abandon: () => handle.close(),
    };
  } catch (error) {
    throw error instanceof UsageError ? error : tcpFailure(host, port, error);
  }
}

async function holdUnix(settings: UnixSettings, options: ListenOptions): Promise<HeldListener> {
  reachOf(options, undefined);
  const { path } = settings;
  let handle: Handle | undefined;
  let settle = nothing;
  let file: SocketFile | undefined;
  const placed = (made: SocketFile): void => {
    file = made;
  };
  const binder = async (temporary: string, put: () => void): Promise<void> => {
    handle = created(temporary, -1, -1);
    settle = put;
  };
  await openSocketFile(binder, settings, processFacts, placed);
  const { fd } = handle!;
  const text = `unix:${path}`;
  return {
    fd,
    text,
    get legacy(): ListenerLegacy {
      return { text, path, identity: file?.identity };
    },
    place(): void {
      const put = settle;
      settle = nothing;
      try {
        put();
      } catch (error) {
        throw error instanceof UsageError ? error : unixFailure(path, error);
      }
    },
    refused: bound(fd),
    close(): void {
      // While the descriptor is open no other file can have our socket's inode number.
      file?.remove();
      handle!.close();
    },
    abandon: () => handle!.close(),
  };
}

function held(fd: number, text: string, refused = bound(fd)): HeldListener {
  const legacy = { text, path: "", identity: undefined };
  // Somebody else's: it is theirs to close.
  return { fd, text, legacy, place: nothing, refused, close: nothing, abandon: nothing };
}

/**
 * Goes on with a listener of another process that has left it to this one.
 *
 * @param fd the inherited descriptor
 */
export function inheritListener(fd: number, legacy: ListenerLegacy): HeldListener {
  const { text, path, identity } = legacy;
  const file = takeSocketFile(path, identity);
  let isOpen = true;
  const abandon = (): void => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  const close = (): void => {
    file.remove();
    abandon();
  };
  return { ...held(fd, text), legacy, close, abandon };
}

function holdInherited(env: Environment): HeldListener {
  return passedSockets(env).length === 0 ? held(0, "fd 0", noAddress) : holdSystemd(undefined, env);
}

function holdSystemd(wanted: string | undefined, env: Environment): HeldListener {
  const { fd, name } = choosePassedSocket(passedSockets(env), wanted);
  return held(fd, `fd ${fd} (systemd${name === "" ? "" : ` ${name}`})`);
}

/**
 * Binds an address for workers.
 *
 * @param options where, and what may be answered there
 * @param env     as for `listen`
 * @throws UsageError as `listen` does. Whether a descriptor that somebody passed is a listening socket, the first worker
 *   finds out
 */
export async function holdListener(
  options: ListenOptions,
  env: Environment,
): Promise<HeldListener> {
  const where = options.listen;
  switch (where.kind) {
    case "tcp":
      return holdTcp(where, options);
    case "unix":
      return holdUnix(where, options);
    case "fd":
      return held(where.fd, `fd ${where.fd}`);
    case "systemd":
      return holdSystemd(where.name, env);
    default:
      return holdInherited(env);
  }
}
