/**
 * Options as srvx, Deno, Bun and Hono's Node server name them → options by our names.
 *
 * A name that means nothing here and changes nothing is left out; one that would mean something else is refused with
 * what to write instead. Values are checked later, with all others (option-values.ts).
 */
import { UsageError } from "../errors.ts";
import type { ErrorCallback } from "../server/settings.ts";
import type { ServeOptions } from "./options.ts";

/** Other servers' names, taken wherever options are. */
export interface ForeignOptions {
  /** The same as `host` (srvx, Deno, Bun, Hono). */
  hostname?: string | undefined;
  /** The same as `socket` (Bun). */
  unix?: string | undefined;
  /** The same as `onError` (srvx, Bun). */
  error?: ErrorCallback | undefined;
  /** The same as `backlog` (Deno). */
  tcpBacklog?: number | undefined;
  /** The same as `limits.bodyBytes` (srvx, Bun). */
  maxRequestBodySize?: number | undefined;
  /** Nothing is printed anyway (srvx). */
  silent?: boolean | undefined;
  /** Error pages are the application's (Bun). */
  development?: unknown;
  /** Names a server for hot reloading (Bun). */
  id?: unknown;
  /** Options of other runtimes (srvx). */
  bun?: unknown;
  /** As `bun`. */
  deno?: unknown;
  /** As `bun`. */
  serviceWorker?: unknown;
  /** As {@link ServeOptions}; "tcp" and "unix" say which kind of address follows (Deno), and mean nothing here. */
  transport?: ServeOptions["transport"] | "tcp" | "unix";
  /** Only `false`: postern takes no signal and shares no port by itself. */
  gracefulShutdown?: false | undefined;
  /** As `gracefulShutdown`. */
  manual?: false | undefined;
  /** As `gracefulShutdown`. */
  reusePort?: false | undefined;
  /** As `gracefulShutdown`. */
  trustProxy?: false | undefined;
}

/** Theirs and ours. */
const SAME: ReadonlyMap<string, string> = new Map([
  ["hostname", "host"],
  ["unix", "socket"],
  ["error", "onError"],
  ["tcpBacklog", "backlog"],
]);

const NOTHING: ReadonlySet<string> = new Set([
  "silent",
  "development",
  "id",
  "bun",
  "deno",
  "serviceWorker",
]);

/** Left out when false; otherwise refused, as the end of "… is taken as false only: …". */
const OFF: ReadonlyMap<string, string> = new Map([
  ["gracefulShutdown", "stop by `signal`, or call shutdown() in a signal handler"],
  ["manual", "createServer() makes a server that does not listen yet"],
  ["reusePort", "processes share a listening socket that they inherit, by `fd`"],
  ["trustProxy", "the client's address comes from the web server"],
]);

/** Refused whatever they are, as the end of "… is not taken: …". */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["tls", "the web server ends TLS"],
  ["idleTimeout", "write timeouts.idle, in milliseconds"],
  ["middleware", "wrap fetch, or use a framework"],
  ["plugins", "wrap fetch, or use a framework"],
  ["routes", "use a framework's router in fetch"],
  ["websocket", "a Request cannot become a WebSocket here"],
  ["createServer", "pass postern's createServer to the other server instead"],
  ["overrideGlobalObjects", "it belongs to Hono's own server"],
]);

function refuse(name: string, why: string): never {
  throw new UsageError(`Option "${name}" is not taken: ${why}; leave it out.`);
}

/**
 * Brings options to our names.
 *
 * @param options what the caller gave; inherited properties count
 * @param skipped names that are no options: `fetch`, `kind`
 * @returns a new object; unknown names are in it as they were
 * @throws UsageError for a foreign name that would mean something else, and for one thing said by two names
 */
export function readForeign(options: object, skipped: ReadonlySet<string>): ServeOptions {
  const read: Record<string, unknown> = {};
  const put = (name: string, value: unknown, written: string): void => {
    if (read[name] !== undefined) {
      throw new UsageError(`Options "${name}" and "${written}" are the same; give one of them.`);
    }
    read[name] = value;
  };
  const source = options as Readonly<Record<string, unknown>>;
  const foreign = new Map<string, unknown>();
  for (const name in source) {
    const value = source[name];
    if (value === undefined || skipped.has(name) || NOTHING.has(name)) continue;
    const off = OFF.get(name);
    if (REFUSED.has(name)) refuse(name, REFUSED.get(name)!);
    if (off !== undefined && value !== false) refuse(name, off);
    if (off !== undefined || (name === "transport" && (value === "tcp" || value === "unix")))
      continue;
    if (SAME.has(name) || name === "maxRequestBodySize") foreign.set(name, value);
    else read[name] = value;
  }
  for (const [name, value] of foreign) {
    const own = SAME.get(name);
    if (own !== undefined) put(own, value, name);
    else read["limits"] = withBodyBytes(read["limits"], value);
  }
  return read as ServeOptions;
}

function withBodyBytes(limits: unknown, value: unknown): object {
  if (limits === undefined) return { bodyBytes: value };
  if ((limits as { bodyBytes?: unknown } | null)?.bodyBytes !== undefined) {
    throw new UsageError(
      'Options "limits.bodyBytes" and "maxRequestBodySize" are the same; give one of them.',
    );
  }
  return { ...(limits as object), bodyBytes: value };
}
