/**
 * The front door: an application and options → a server that listens.
 * It reads options, selects the engine and mounts the application; everything else is done behind it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { selectEngine } from "../engine/select.ts";
import { allowHandOver } from "../handler/files/hand-over.ts";
import { environment } from "../server/listen.ts";
import { Server } from "../server/server.ts";
import {
  type Application,
  type FetchApplication,
  mountApplication,
  type NodeHandler,
} from "./application.ts";
import { normalizeOptions, type ServeOptions } from "./options.ts";
import { mountStatic } from "./static-files.ts";

function makeServer(options: ServeOptions): Server {
  const resolved = normalizeOptions(options, environment());
  const server = new Server(resolved, selectEngine(resolved.engine));
  mountStatic(server, resolved.static);
  if (resolved.sendfile.length > 0) allowHandOver(server, resolved.sendfile);
  return server;
}

/**
 * Serves an application behind a web server.
 *
 * Listens at once: on `options.socket`, on `host` and `port`, on `fd`, or without an address on an inherited socket.
 * The returned server is an `http.Server`: "listening" and "error" tell how it went, `ready()` the same as a promise.
 *
 * @param application a function `(req, res)`, an object with `fetch(request, info)`, or an `http.Server`
 * @param options     see {@link ServeOptions}; POSTERN_* variables stand in for what is not given
 * @throws UsageError for a bad option; "error" tells of a bad address
 */
export function serve(application: NodeHandler, options?: ServeOptions): Server;
export function serve(application: FetchApplication, options?: ServeOptions): Server;
export function serve(application: Application, options?: ServeOptions): Server;
export function serve(application: Application, options: ServeOptions = {}): Server {
  const server = makeServer(options);
  mountApplication(server, application);
  return server.listen();
}

/** A listener as `http.createServer` takes it. */
export type RequestListener = (req: IncomingMessage, res: ServerResponse) => unknown;

/**
 * Makes a server that does not listen yet: a drop-in for `http.createServer`.
 *
 * @param options  as for {@link serve}; may be left out
 * @param listener the application, or nothing: "request" listeners may follow
 * @throws UsageError for a bad option
 */
export function createServer(listener?: RequestListener): Server;
export function createServer(
  options: ServeOptions,
  listener?: RequestListener | FetchApplication,
): Server;
export function createServer(
  first?: ServeOptions | RequestListener,
  second?: RequestListener | FetchApplication,
): Server {
  const options = typeof first === "function" ? {} : (first ?? {});
  const application = typeof first === "function" ? first : second;
  const server = makeServer(options);
  if (application !== undefined) mountApplication(server, application as Application);
  return server;
}
