/**
 * The front door: an application and options → a server that listens.
 * It reads options, selects the engine and mounts the application; everything else is done behind it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { selectEngine } from "../engine/select.ts";
import type { FetchHandler } from "../handler/fetch/info.ts";
import { environment } from "../server/listen.ts";
import { Server } from "../server/server.ts";
import {
  type Application,
  type FetchApplication,
  mountApplication,
  type NodeHandler,
} from "./application.ts";
import type { FastifyApplication, KoaApplication, NestApplication } from "./application-shapes.ts";
import { equip } from "./equipment.ts";
import { type AnyOptions, type AppOptions, readFront, readOptions } from "./front.ts";
import { normalizeOptions, type ServeOptions } from "./options.ts";

function makeServer(options: ServeOptions): Server {
  const resolved = normalizeOptions(options, environment());
  const server = new Server(resolved, selectEngine(resolved.engine));
  equip(server, resolved);
  return server;
}

/**
 * Serves an application behind a web server.
 *
 * Listens at once: on `options.socket`, on `host` and `port`, on `fd`, or without an address on an inherited socket.
 * The returned server is an `http.Server`: "listening" and "error" tell how it went, `ready()` the same as a promise.
 * A Fastify or NestJS application is made ready first, and closed when the server has closed.
 *
 * @param application a function `(req, res)` (Express, Connect), an object with `fetch(request, info)` (Hono, h3), a
 *                    Koa, Fastify or NestJS application, an `http.Server`, or all in one plain object:
 *                    `{ fetch, port }`, with `handler` or `app` in place of `fetch`
 * @param options     see {@link ServeOptions}; POSTERN_* variables stand in for what is not given.
 *                    `kind: "fetch"` says that the function is a Web-style one
 * @throws UsageError for a bad option; "error" tells of a bad address, and of an application that cannot be made ready
 */
export function serve(handler: FetchHandler, options: AnyOptions & { kind: "fetch" }): Server;
export function serve(application: NodeHandler, options?: AnyOptions & { kind?: "node" }): Server;
export function serve(options: AppOptions): Server;
export function serve(application: FetchApplication, options?: AnyOptions): Server;
export function serve(
  application: KoaApplication | FastifyApplication | NestApplication,
  options?: AnyOptions,
): Server;
export function serve(application: Application, options?: AnyOptions): Server;
export function serve(first: Application | FetchHandler | AppOptions, second?: AnyOptions): Server {
  const { application, options } = readFront(first, second);
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
export function createServer(options: AnyOptions, listener?: RequestListener): Server;
export function createServer(
  options: AnyOptions,
  application: Exclude<Application, NodeHandler>,
): Server;
export function createServer(options: AnyOptions, application: Application): Server;
export function createServer(
  first?: AnyOptions | RequestListener,
  second?: RequestListener | Application,
): Server {
  const options = typeof first === "function" ? {} : readOptions(first ?? {});
  const application = typeof first === "function" ? first : second;
  const server = makeServer(options);
  if (application !== undefined) mountApplication(server, application as Application);
  return server;
}
