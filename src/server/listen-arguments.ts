/**
 * The arguments of `server.listen(…)` in all the forms that net.Server takes → where to listen.
 * It opens nothing; what is not given is as the server's options say.
 */
import type { Server } from "node:net";
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import type { ListenSettings, ResolvedOptions } from "./settings.ts";

/** What the arguments say, to be laid over the options. */
export interface ListenArguments {
  readonly where: { readonly listen: ListenSettings; readonly backlog: number };
  readonly callback: (() => void) | undefined;
  /** Closes the server when it aborts. */
  readonly signal: AbortSignal | undefined;
}

interface Given {
  port?: unknown;
  host?: unknown;
  path?: unknown;
  fd?: unknown;
  backlog?: unknown;
  signal?: unknown;
}

/** (port, host, backlog), (path, backlog) or an object → an object. */
function readGiven(args: readonly unknown[]): Given {
  const [first, second, third] = args;
  if (typeof first === "object" && first !== null) return first as Given;
  if (typeof first === "string" && Number.isNaN(Number(first)))
    return { path: first, backlog: second };
  if (first === undefined || first === null) return {};
  if (typeof second === "number") return { port: first, backlog: second };
  return { port: first, host: second, backlog: third };
}

function readWhere(given: Given, options: ResolvedOptions): ListenSettings {
  if (given.path !== undefined) {
    const usual = { mode: 0o660, owner: undefined, group: undefined };
    const base = options.listen.kind === "unix" ? options.listen : usual;
    const { mode, owner, group } = base;
    return { kind: "unix", path: resolve(String(given.path)), mode, owner, group };
  }
  if (given.fd !== undefined) return { kind: "fd", fd: Number(given.fd) };
  if (given.port === undefined) return options.listen;
  const port = Number(given.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`listen() was given the port ${String(given.port)}; expected 0 to 65535.`);
  }
  // Loopback where nothing is said: an open gateway port is the front server's trust for anyone (docs/security.md).
  const host = typeof given.host === "string" && given.host !== "" ? given.host : "127.0.0.1";
  return { kind: "tcp", host, port };
}

/** Reads the arguments of `listen`. */
export function listenArguments(
  args: readonly unknown[],
  options: ResolvedOptions,
): ListenArguments {
  const last = args[args.length - 1];
  const callback = typeof last === "function" ? (last as () => void) : undefined;
  const given = readGiven(callback === undefined ? args : args.slice(0, -1));
  const backlog = typeof given.backlog === "number" ? given.backlog : options.backlog;
  const signal = given.signal instanceof AbortSignal ? given.signal : undefined;
  return { where: { listen: readWhere(given, options), backlog }, callback, signal };
}

/** Closes a server when a signal aborts, as `listen({ signal })` of node has it. */
export function closeOn(server: Server, signal: AbortSignal): void {
  const close = (): void => void server.close();
  if (signal.aborted) queueMicrotask(close);
  signal.addEventListener("abort", close, { once: true });
  server.once("close", () => signal.removeEventListener("abort", close));
}
