/**
 * What a web server has to know to pass requests on: where the application listens, and how it is to be reached from outside.
 *
 * The one input of every file in this folder, which turn it into text. Decides nothing itself, and knows no option of
 * postern by name: cli/config-site.ts does.
 */
import { UsageError } from "../errors.ts";

/** A protocol that a web server can speak to the application; `auto` is FastCGI to it, and HTTP for upgrades. */
export type SiteProtocol = "fastcgi" | "scgi" | "ajp" | "http" | "auto";

/** One instance of the application. */
export type Backend =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** A folder whose files the web server sends itself. */
export interface SiteFolder {
  /** With a slash at both ends, below {@link Site.prefix} or not. */
  readonly prefix: string;
  /** Absolute. */
  readonly folder: string;
}

/** Files of the TLS side. */
export interface SiteTls {
  readonly certificate: string;
  readonly key: string;
  /** What the clients' certificates are signed by; undefined: clients need none. */
  readonly authority: string | undefined;
}

/** Everything that a configuration is made of. */
export interface Site {
  readonly protocol: SiteProtocol;
  /** At least one. */
  readonly backends: readonly [Backend, ...Backend[]];
  /** The address to listen on; undefined: every address. */
  readonly host: string | undefined;
  readonly port: number;
  /** Names of the site; none: it answers every name. */
  readonly names: readonly string[];
  /** Without the slash at its end; "" is the root. */
  readonly prefix: string;
  readonly folders: readonly SiteFolder[];
  /** Folders that the web server sends files of when the application says so; `prefix` is nginx's internal location. */
  readonly sendfile: readonly SiteFolder[];
  /** Largest request body in bytes; Infinity: any. */
  readonly bodyBytes: number;
  /** Pass bodies on as they come, both ways. */
  readonly isStreaming: boolean;
  /** Connections that are kept open to each instance; 0: a new one for each request. */
  readonly keep: number;
  /** The same client comes to the same instance. */
  readonly isSticky: boolean;
  /** Several requests at once on one connection (FastCGI, HAProxy). */
  readonly isMultiplexed: boolean;
  /** Longest silence of the application, in seconds. */
  readonly readSeconds: number;
  /** Paths of WebSockets, each with all that is below it. */
  readonly sockets: readonly string[];
  readonly tls: SiteTls | undefined;
  /** The shared word of AJP; undefined: none, as on a unix socket. */
  readonly secret: string | undefined;
  /** Largest AJP packet, in bytes. */
  readonly packetBytes: number;
  /** Version of the web server, its numbers; undefined: unknown, and nothing is used that an old one lacks. */
  readonly version: readonly number[] | undefined;
  readonly start: StartWords;
}

/** How the application is started. */
export interface StartWords {
  /** Path of node, or a name that the shell finds. */
  readonly node: string;
  /** Path of postern's program. */
  readonly postern: string;
  /** The application's module, absolute; undefined: it was not named. */
  readonly app: string | undefined;
  /** Where relative paths of the options count from. */
  readonly folder: string;
  /** Options of postern, each a word, address included. */
  readonly options: readonly string[];
  /** Options that say where to listen, and no others. */
  readonly address: readonly string[];
}

/** What one file of this folder gives back: some files, the first of them the one that was asked for. */
export interface Rendered {
  readonly files: readonly RenderedFile[];
}

/** A file as it is to be written. */
export interface RenderedFile {
  /** Where it usually belongs. */
  readonly path: string;
  readonly text: string;
  /** It is a program. */
  readonly isExecutable?: boolean;
}

/** Is a version at least this one? An unknown one is not. */
export function isAtLeast(version: readonly number[] | undefined, ...wanted: number[]): boolean {
  if (version === undefined) return false;
  for (const [i, number] of wanted.entries()) {
    const own = version[i] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}

/** `host:port` of an instance, an IPv6 address in brackets; the path of a unix socket. */
export function placeOf(backend: Backend): string {
  if (backend.kind === "unix") return backend.path;
  const host = backend.host.includes(":") ? `[${backend.host}]` : backend.host;
  return `${host}:${backend.port}`;
}

/** Fails where a web server does not speak a protocol. */
export function refuseProtocol(
  server: string,
  { protocol }: Site,
  spoken: readonly SiteProtocol[],
  remedy: string,
): void {
  if (spoken.includes(protocol)) return;
  throw new UsageError(`${server} does not speak ${nameOf(protocol)}; ${remedy}`);
}

/** Fails where a web server cannot pass upgrades on. */
export function refuseUpgrades(server: string, { sockets }: Site): void {
  if (sockets.length === 0) return;
  throw new UsageError(
    `${server} passes no WebSocket on in this set-up; leave out websocket, or take nginx with protocol auto or scgi.`,
  );
}

/** How people write a protocol. */
export function nameOf(protocol: SiteProtocol): string {
  const names = { fastcgi: "FastCGI", scgi: "SCGI", ajp: "AJP", http: "HTTP", auto: "auto" };
  return names[protocol];
}

/** A word as a POSIX shell reads it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A path as a regular expression that is nothing but it, for PCRE. */
export function pattern(path: string): string {
  return path.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** MiB, rounded up, of a limit in bytes. */
export function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 1_048_576);
}

/** Lines, each moved in by so many blanks; empty ones stay empty. */
export function indent(lines: readonly string[], blanks: number): string[] {
  return lines.map((line) => (line === "" ? "" : `${" ".repeat(blanks)}${line}`));
}

/** A name for the application in a configuration: letters, digits and dashes of its socket or port. */
export function wordOf(site: Site): string {
  const first = site.backends[0];
  if (first.kind === "tcp") return `app-${first.port}`;
  const name = /([^/]+?)(?:\.\w+)?$/.exec(first.path)?.[1] ?? "app";
  return name.replaceAll(/[^A-Za-z0-9]+/g, "-");
}
