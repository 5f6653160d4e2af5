/**
 * Settings → a server that listens: on TCP, on a unix socket file, on descriptor 0 or another one, or on systemd's.
 *
 * Accepts nothing and decides nothing about peers; it does decide, by reach.ts, whether the address may be opened at
 * all. Never touches `process.stdin`. Descriptor 0: FastCGI specification §2.2 (FCGI_LISTENSOCK_FILENO).
 */
import { lookup } from "node:dns/promises";
import { type AddressInfo, isIP, type Server } from "node:net";
import type { Writable } from "node:stream";
import { isMainThread } from "node:worker_threads";
import { UsageError } from "../errors.ts";
import { bind, pathBinder } from "./binding.ts";
import { descriptorWarning, readDescriptorLimit } from "./descriptor-limit.ts";
import { descriptorFailure, hostAndPort, systemCode, tcpFailure } from "./listen-failure.ts";
import { type ReachOptions, reachOf } from "./reach.ts";
import type { BoundAddress, ListenSettings, TcpSettings, UnixSettings } from "./settings.ts";
import { openSocketFile, type ProcessFacts } from "./socket-file.ts";
import {
  choosePassedSocket,
  type Environment,
  type PassedSocket,
  readPassedSockets,
} from "./systemd.ts";

/** The options that listening needs. */
export interface ListenOptions extends ReachOptions {
  readonly listen: ListenSettings;
  readonly backlog: number;
  /** The operator hears of it where the process may open fewer files than that; undefined: nobody asks. */
  readonly limits?: { readonly connections: number };
}

/** The environment of this process; other files of this layer do not read it themselves. */
export function environment(): Environment {
  return process.env;
}

/** This process. */
export const processFacts: ProcessFacts = {
  uid: process.geteuid?.() ?? 0,
  setUmask: isMainThread ? (mask) => process.umask(mask) : undefined,
  umask: () => process.umask(),
  warn: (sentence) => process.emitWarning(sentence, { type: "PosternWarning" }),
};

let saysDescriptors = true;

/** Says at the start, once a process and in the first worker alone, that it may open too few files. */
function checkDescriptors(connections: number): void {
  if (!saysDescriptors) return;
  saysDescriptors = false;
  if (Number(process.env["POSTERN_WORKER"] ?? 0) > 1) return;
  const sentence = descriptorWarning(connections, readDescriptorLimit());
  if (sentence !== undefined) processFacts.warn(sentence);
}

/** First part of Node's version. */
export const nodeMajor: number = Number.parseInt(process.versions.node, 10);

/** Which process this is, and what memory it has. */
export function vitals(): { pid: number; node: string; rssBytes: number; heapBytes: number } {
  const { rss, heapUsed } = process.memoryUsage();
  return { pid: process.pid, node: process.version, rssBytes: rss, heapBytes: heapUsed };
}

/** What systemd passed to this process. */
export function passedSockets(env: Environment): readonly PassedSocket[] {
  return readPassedSockets(env, process.pid);
}

/** What is still to be done when the process ends without closing its servers. */
const leftovers = new Set<() => void>();

function clearLeftovers(): void {
  for (const clear of leftovers) clear();
}

/** Has something done when the process ends, without waiting for it; returns what takes that back. */
export function doAtExit(clear: () => void): () => void {
  if (leftovers.size === 0) process.on("exit", clearLeftovers);
  leftovers.add(clear);
  return () => {
    leftovers.delete(clear);
    if (leftovers.size === 0) process.removeListener("exit", clearLeftovers);
  };
}

/** Standard error of this process, and the process as logs name it. */
export function logFacts(): { stderr: Writable; pid: number; worker: number } {
  const { stderr, pid, env } = process;
  return { stderr, pid, worker: Number(env["POSTERN_WORKER"] ?? 0) || 0 };
}

const nothing = (): void => undefined;

/** Told where a server listens, before its "listening" is. */
type Opened = (bound: BoundAddress) => void;

async function listenTcp(
  server: Server,
  { host, port }: TcpSettings,
  options: ListenOptions,
  opened: Opened,
): Promise<void> {
  try {
    // A name is resolved first, so that what is judged is what is opened.
    const address = isIP(host) === 0 ? (await lookup(host)).address : host;
    const reach = reachOf(options, address);
    await bind(server, { host: address, port, backlog: options.backlog }, () => {
      const bound = server.address() as AddressInfo;
      const text = hostAndPort(bound.address, bound.port);
      opened({
        kind: "tcp",
        transport: "tcp",
        text,
        address: bound,
        fd: undefined,
        ...reach,
        release: nothing,
      });
    });
  } catch (error) {
    throw error instanceof UsageError ? error : tcpFailure(host, port, error);
  }
}

async function listenUnix(
  server: Server,
  settings: UnixSettings,
  options: ListenOptions,
  opened: Opened,
): Promise<void> {
  const { path } = settings;
  const reach = reachOf(options, undefined);
  await openSocketFile(pathBinder(server, options.backlog), settings, processFacts, (file) => {
    const release = (): void => {
      if (!leftovers.has(release)) return;
      file.remove();
      forget();
    };
    const forget = doAtExit(release);
    const text = `unix:${path}`;
    opened({
      kind: "unix",
      transport: "unix",
      text,
      address: path,
      fd: undefined,
      ...reach,
      release,
    });
  });
}

/** Listens on a descriptor that is there already; `label` is the start line's name of it. */
async function listenDescriptor(
  server: Server,
  fd: number,
  label: string,
  options: ListenOptions,
  opened: Opened,
): Promise<void> {
  try {
    await bind(server, { fd, backlog: options.backlog }, () => {
      // Only now it shows whether it is TCP; a unix socket's address is null here.
      const bound = server.address() as AddressInfo | null;
      opened({
        kind: "fd",
        transport: bound === null ? "unix" : "tcp",
        text: bound === null ? label : `${label} (${hostAndPort(bound.address, bound.port)})`,
        address: bound,
        fd,
        ...reachOf(options, bound?.address),
        release: nothing,
      });
    });
  } catch (error) {
    throw error instanceof UsageError ? error : descriptorFailure(fd, error);
  }
}

function listenSystemd(
  server: Server,
  name: string | undefined,
  options: ListenOptions,
  env: Environment,
  opened: Opened,
): Promise<void> {
  const chosen = choosePassedSocket(passedSockets(env), name);
  const label = `fd ${chosen.fd} (systemd${chosen.name === "" ? "" : ` ${chosen.name}`})`;
  return listenDescriptor(server, chosen.fd, label, options, opened);
}

/** Nobody said where: descriptor 0 if it is a listening socket, else systemd's socket. */
async function listenInherited(
  server: Server,
  options: ListenOptions,
  env: Environment,
  opened: Opened,
): Promise<void> {
  try {
    return await listenDescriptor(server, 0, "fd 0", options, opened);
  } catch (error) {
    const code = systemCode((error as Error).cause);
    if (code !== "ENOTSOCK" && code !== "EINVAL" && code !== "EBADF") throw error;
  }
  if (passedSockets(env).length > 0) {
    return listenSystemd(server, undefined, options, env, opened);
  }
  throw noAddress();
}

/** Nobody said where, and nobody passed a socket. */
export function noAddress(): UsageError {
  return new UsageError(
    "No address: descriptor 0 is not a listening socket and systemd passed none; " +
      "give a socket path, or a port (and host).",
    "ERR_NO_ADDRESS",
  );
}

function listenWhere(
  server: Server,
  options: ListenOptions,
  env: Environment,
  opened: Opened,
): Promise<void> {
  const where = options.listen;
  switch (where.kind) {
    case "tcp":
      return listenTcp(server, where, options, opened);
    case "unix":
      return listenUnix(server, where, options, opened);
    case "fd":
      return listenDescriptor(server, where.fd, `fd ${where.fd}`, options, opened);
    case "systemd":
      return listenSystemd(server, where.name, options, env, opened);
    default:
      return listenInherited(server, options, env, opened);
  }
}

/**
 * Makes a server listen.
 *
 * @param server  a server that listens nowhere yet; its "listening" is told as usual, its "error" is not: failures
 *   are thrown here
 * @param options where, and what may be answered there
 * @param env     LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES are read; defaults to this process's environment
 * @param opened  told what is returned, before "listening" is told; must not throw
 * @throws UsageError in every case: one sentence with the address and the remedy. Codes worth telling apart:
 *   ERR_SOCKET_LIVE and ERR_PORT_IN_USE (trying again may help), ERR_NOT_LISTENING, ERR_NO_ADDRESS
 */
export async function listen(
  server: Server,
  options: ListenOptions,
  env: Environment = environment(),
  opened: Opened = nothing,
): Promise<BoundAddress> {
  // A turn later, so that whoever calls this has hung up its own "error" listener before bind() sets them aside.
  await Promise.resolve();
  if (options.limits !== undefined) checkDescriptors(options.limits.connections);
  let found: BoundAddress | undefined;
  await listenWhere(server, options, env, (bound) => {
    found = bound;
    opened(bound);
  });
  return found!;
}
