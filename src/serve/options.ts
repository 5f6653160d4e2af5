/**
 * A caller's options and the environment → one frozen object with every default filled in, or one clear sentence.
 *
 * Opens, reads from and listens to nothing, the file of the AJP secret excepted. The environment spells the same
 * names: POSTERN_PORT, POSTERN_LIMITS_BODY_BYTES; POSTERN_ENGINE is engine/select.ts's to read.
 */
import type { ErrorCallback, ListenCallback, ResolvedOptions } from "../server/settings.ts";
import type { Limits } from "../wire/limits.ts";
import type { AjpOptions, ScgiOptions, TimeoutOptions, TrustOptions } from "./option-groups.ts";
import { collectValues } from "./option-values.ts";
import { resolveOptions } from "./resolve.ts";

/** A protocol as the `protocol` option takes it; `fcgi` and `ajp13` are other spellings of `fastcgi` and `ajp`. */
export type ProtocolSpelling = "fastcgi" | "fcgi" | "scgi" | "ajp" | "ajp13" | "http";

/** Folders by prefix, or a list of `"PREFIX=DIR"`. */
export type FoldersOption = Readonly<Record<string, string>> | readonly string[];

/** Options of `serve` and `createServer`. Everything may be left out. */
export interface ServeOptions {
  /**
   * What the peers speak. A list, or "auto" for all four: the first bytes of each connection decide.
   * "auto" leaves AJP out on TCP when there is no secret, and the start line says so.
   *
   * @default "fastcgi" — what most web servers speak best
   */
  protocol?: ProtocolSpelling | "auto" | readonly ProtocolSpelling[] | undefined;
  /**
   * Path of the unix socket to listen on, at most 107 bytes with the temporary name beside it. A dead socket of ours
   * is replaced; a file, folder, symlink or living instance at the path is an error.
   *
   * @default undefined — without `socket`, `port` and `fd`: a listening socket on descriptor 0, else systemd's
   */
  socket?: string | undefined;
  /** The same as `socket`, as `net.Server.listen` calls it. */
  path?: string | undefined;
  /** TCP port, 0 to 65_535; 0 lets the system choose. Digits in a string count as a number. */
  port?: number | string | undefined;
  /**
   * Address or name of the interface for `port`. One that other machines reach needs `trust.allowRemote`.
   *
   * @default "127.0.0.1" — this machine only
   */
  host?: string | undefined;
  /**
   * A listening socket that somebody else opened: its number, "stdin" for 0 (how web servers pass it), "systemd"
   * or, where it passes several, "systemd:NAME".
   */
  fd?: number | "stdin" | "systemd" | `systemd:${string}` | undefined;
  /**
   * Connections that the kernel keeps until they are accepted, 1 to 65_535; it may keep fewer (net.core.somaxconn).
   *
   * @default 4_096 — a busy moment of two seconds is survived without refusing anybody
   */
  backlog?: number | undefined;
  /**
   * Permissions of the socket file, 0 to 0o777; in text as octal digits. Wins over `umask`.
   *
   * @default 0o660 — the owner and the group, in which the web server should be
   */
  mode?: number | string | undefined;
  /**
   * Permissions of the socket file as 0o777 without these bits: 0o002 gives 0o775. On the command line it becomes
   * the umask of the whole process as well, as in runfcgi.
   */
  umask?: number | string | undefined;
  /** User, by name or number, to own the socket file; takes root. */
  owner?: string | number | undefined;
  /** Group, by name or number, of the socket file; the user has to be in it. */
  group?: string | number | undefined;
  /**
   * Who decodes: "native" (the addon; an error where it cannot run), "typescript", or "auto" for the best that runs.
   *
   * @default "auto", or what POSTERN_ENGINE says
   */
  engine?: "native" | "typescript" | "auto" | undefined;
  /**
   * What moves the bytes of connections: "native" (the addon, on Linux; an error where it cannot run), "node" (sockets of
   * node:net), or "auto" for the best that runs.
   *
   * @default "auto" — native where the engine is, on Linux, unless somebody listens for "connection"
   */
  transport?: "native" | "node" | "auto" | undefined;
  /**
   * Takes several FastCGI requests at a time on one connection.
   *
   * @default false — the protocol has no flow control, so one slow request can hold up the others
   */
  multiplex?: boolean | undefined;
  /**
   * Takes the end of a TCP peer's side as the end of its input and not as its going away. Unix sockets can tell.
   *
   * @default false — web servers go away that way
   */
  halfOpen?: boolean | undefined;
  /**
   * The path at which the application is mounted ("" for the root), instead of finding it in each request.
   *
   * @default undefined — SCRIPT_NAME, repaired for each web server
   */
  scriptName?: string | undefined;
  /**
   * Takes the mount prefix off `req.url`.
   *
   * @default false — `req.url` is what the client asked for
   */
  stripScriptName?: boolean | undefined;
  /**
   * Serves files below a prefix, before the application: an object of prefixes and folders, `{ "/media/": "/srv/media" }`,
   * or a list of `"PREFIX=DIR"`. A prefix counts from the root of the site or from the mount prefix. What is missing
   * there is 404, and nothing outside the folder is served. See docs/files.md.
   *
   * @default undefined — none
   */
  static?: FoldersOption | undefined;
  /**
   * Folders whose files the web server sends itself where a handler calls `sendFile`, with the prefix of nginx's
   * internal location for each: `{ "/internal/": "/srv/files" }`. Only for web servers that are set up for it, as
   * docs/files.md says: others would show the path to the client.
   *
   * @default undefined — none, and `sendFile` sends every file through the gateway
   */
  sendfile?: FoldersOption | undefined;
  /** Largest sizes and counts; each whole number from 1, or Infinity for none. Defaults are with each. */
  limits?: { [Name in keyof Limits]?: number | undefined } | undefined;
  /** Deadlines. */
  timeouts?: TimeoutOptions | undefined;
  /** Who may connect, and what of their word is believed. */
  trust?: TrustOptions | undefined;
  /** AJP's own options. */
  ajp?: AjpOptions | undefined;
  /** SCGI's own options. */
  scgi?: ScgiOptions | undefined;
  /**
   * Where status and metrics are served, beside the server and untouched by its limits: the path of a unix socket (mode 0600),
   * or `PORT` or `HOST:PORT` of this machine. See docs/metrics.md.
   *
   * @default undefined — nowhere
   */
  status?: string | undefined;
  /**
   * A path at which this server itself answers with status and metrics, before the application and whatever the load; for
   * `statusPeers` only, for others it is the application's. As the client asks for it: `/postern-status`.
   *
   * @default undefined — none
   */
  statusPath?: string | undefined;
  /**
   * Addresses and subnets of clients that are answered at `statusPath`. A client that came by a further proxy (Forwarded,
   * X-Forwarded-For, X-Real-IP) is not.
   *
   * @default undefined — 127.0.0.0/8 and ::1
   */
  statusPeers?: readonly string[] | undefined;
  /**
   * File that gets a line for each request that is over, refused and aborted ones among them; `-` is standard error.
   * Several processes may share one. See docs/logging.md.
   *
   * @default undefined — none
   */
  accessLog?: string | undefined;
  /**
   * What a line of `accessLog` says: `combined`, `json`, or a format with tokens such as `%(status)`; one that begins with
   * `{` is JSON.
   *
   * @default "combined" — what Apache and nginx write, and log readers read
   */
  accessFormat?: string | undefined;
  /**
   * File that gets requests which take longer than `timeouts.slow`, with the JavaScript stack where the event loop is
   * blocked; `-` is standard error.
   *
   * @default undefined — none
   */
  slowLog?: string | undefined;
  /** Closes the server, as `close()` does, when it aborts. */
  signal?: AbortSignal | undefined;
  /** Called once, when the server listens, with where it does. */
  onListen?: ListenCallback | undefined;
  /**
   * Called with each error that a handler threw, and the request. The client gets a 500, or of a fetch handler the
   * Response that this returns or promises.
   */
  onError?: ErrorCallback | undefined;
}

/**
 * Reads options.
 *
 * @param options what the caller gave; null prototypes and inherited properties are fine
 * @param env     the environment: POSTERN_* where the caller said nothing, and FCGI_WEB_SERVER_ADDRS
 * @returns every option, frozen. `protocols` is what may be answered at the address, where that is known by now
 * @throws UsageError for an unknown name, a wrong type or range, or options that do not go together
 */
export function normalizeOptions(
  options: ServeOptions = {},
  env: Readonly<Record<string, string | undefined>> = {},
): ResolvedOptions {
  return resolveOptions(collectValues(options, env), env);
}
