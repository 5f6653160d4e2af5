/**
 * What a server runs by, once every option is read, checked and filled in.
 *
 * Only shapes, and no defaults: serve/options.ts makes these out of a caller's options and the environment.
 * Frozen and plain, so that it can be shown, compared and handed to another thread, functions aside.
 */
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { ProtocolName } from "../http/head.ts";
import type { IdentityPolicy } from "../http/identity.ts";
import type { Limits } from "../wire/limits.ts";

/** Where to listen. */
export type ListenSettings =
  | TcpSettings
  | UnixSettings
  | DescriptorSettings
  | SystemdSettings
  | InheritedSettings;

/** A TCP port of one host. */
export interface TcpSettings {
  readonly kind: "tcp";
  /** Address or name, without brackets. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

/** A unix socket file, made by us. */
export interface UnixSettings {
  readonly kind: "unix";
  /** Absolute path. */
  readonly path: string;
  /** Permission bits of the socket file, 0 to 0o777. */
  readonly mode: number;
  /** User id or name that shall own the file; undefined: who runs us. */
  readonly owner: number | string | undefined;
  /** Group id or name of the file; undefined: as the system gives it. */
  readonly group: number | string | undefined;
}

/** A descriptor that somebody else bound; it must be a socket. */
export interface DescriptorSettings {
  readonly kind: "fd";
  readonly fd: number;
}

/** A socket that systemd passed on (LISTEN_FDS). */
export interface SystemdSettings {
  readonly kind: "systemd";
  /** Its name in LISTEN_FDNAMES; undefined: the only one there is. */
  readonly name: string | undefined;
}

/** No address was given: a listening socket on descriptor 0, or else the one of systemd, or else an error. */
export interface InheritedSettings {
  readonly kind: "inherited";
}

/** Which logs are written. */
export interface LogSettings {
  /** `path`: absolute, or `-` for standard error. */
  readonly access: { readonly path: string; readonly format: string } | undefined;
  /** `afterMs`: how long a request may take before it is slow. */
  readonly slow: { readonly path: string; readonly afterMs: number } | undefined;
}

/** Deadlines in milliseconds; 0 switches one off. */
export interface Timeouts {
  readonly head: number;
  readonly body: number;
  readonly write: number;
  readonly idle: number;
  readonly request: number;
  readonly queue: number;
  /** When the slow log has it; no deadline. */
  readonly slow: number;
  readonly drain: number;
  readonly kill: number;
}

/** Who may connect, and what of their word is believed. */
export interface TrustSettings extends IdentityPolicy {
  /** Addresses and subnets, as written; undefined: everybody who reaches the address. */
  readonly peers: readonly string[] | undefined;
  /** A TCP address beyond this machine is meant. */
  readonly allowRemote: boolean;
  /** What FCGI_WEB_SERVER_ADDRS lists, readable addresses only; undefined: it is not set; empty: nobody. */
  readonly webServerAddresses: readonly string[] | undefined;
}

/** A folder whose files belong to a prefix of paths. */
export interface FolderSettings {
  /** With a slash at both ends, decoded. */
  readonly prefix: string;
  /** Absolute path. */
  readonly folder: string;
}

/** AJP's own settings. */
export interface AjpSettings {
  /** SHA-256 of the secret; the secret itself is forgotten. Undefined: none is asked for. */
  readonly secretHash: Buffer | undefined;
  /** Largest packet in bytes, its four header bytes included, 8192 to 65536. */
  readonly packetSize: number;
  /** Names of request attributes that may pass beside the known ones; matched over the whole name. */
  readonly attributes: RegExp | undefined;
  /** Body packets carry no inner length (lighttpd). */
  readonly rawBody: boolean;
}

/** Called once the server listens. */
export type ListenCallback = (address: ListenAddress) => void;
/**
 * Called with an error that a handler threw, or that has no other way out. A Response that it returns, or promises,
 * is the answer where a fetch handler failed and nothing was sent yet; anything else means nothing.
 */
export type ErrorCallback = (error: unknown, request?: IncomingMessage | Request) => unknown;

/** Every option, filled in. */
export interface ResolvedOptions {
  readonly listen: ListenSettings;
  /** Length of the kernel's queue of connections not yet accepted. */
  readonly backlog: number;
  /** Protocols to answer, at least one; more than one: the first bytes of a connection decide. */
  readonly protocols: readonly ProtocolName[];
  /** `protocol` was "auto": AJP may be left out where it would be unsafe, instead of failing. */
  readonly auto: boolean;
  /** As given; undefined leaves the choice to POSTERN_ENGINE. */
  readonly engine: "native" | "typescript" | "auto" | undefined;
  readonly transport: "native" | "node" | "auto";
  readonly multiplex: boolean;
  readonly halfOpen: boolean;
  /** Forces the mount prefix, "" included; undefined: found per request. */
  readonly scriptName: string | undefined;
  readonly stripScriptName: boolean;
  /** Files that are served before any application. */
  readonly static: readonly FolderSettings[];
  /** Files that the web server sends where `sendFile` is called. */
  readonly sendfile: readonly FolderSettings[];
  readonly limits: Readonly<Limits>;
  readonly timeouts: Timeouts;
  readonly trust: TrustSettings;
  readonly ajp: AjpSettings;
  readonly scgi: { readonly strict: boolean };
  /** Where the status is served by itself: a path, or host and port of this machine. */
  readonly status: string | undefined;
  /** A path at which it is answered before the application. */
  readonly statusPath: string | undefined;
  /** Clients that are answered there. */
  readonly statusPeers: readonly string[];
  readonly logs: LogSettings;
  /** Closes the server when it aborts. */
  readonly signal: AbortSignal | undefined;
  readonly onListen: ListenCallback | undefined;
  readonly onError: ErrorCallback | undefined;
  /** What the start line has to add, in whole sentences; undefined: nothing. */
  readonly note: string | undefined;
}

/** Where a server listens, as `onListen` is told: with Deno's names beside ours. */
export interface ListenAddress extends BoundAddress {
  /** TCP; undefined elsewhere. */
  readonly hostname: string | undefined;
  readonly port: number | undefined;
  /** Of the unix socket; undefined elsewhere. */
  readonly path: string | undefined;
}

/** Where a server listens, after it does. */
export interface BoundAddress {
  readonly kind: "tcp" | "unix" | "fd";
  /** For people: `unix:/run/x.sock`, `127.0.0.1:9000`, `[::1]:9000`, `fd 0`. */
  readonly text: string;
  /** What peers come by; a descriptor may be either. */
  readonly transport: "tcp" | "unix";
  /** For `server.address()`: host and port, the final path of a socket file, or null where nobody knows. */
  readonly address: AddressInfo | string | null;
  /** The descriptor that was passed to us, undefined where we opened our own. */
  readonly fd: number | undefined;
  /** Protocols to answer here: those of the options, without AJP where `auto` had to leave it out. */
  readonly protocols: readonly ProtocolName[];
  /** What the start line has to add, in whole sentences; undefined: nothing. */
  readonly note: string | undefined;
  /**
   * Removes the socket file if it is still ours; does nothing elsewhere and the second time.
   * To be called when the server stops listening, before its handle is closed: until then no other file can have
   * the same inode number. At the end of the process it happens by itself.
   */
  release(): void;
}
