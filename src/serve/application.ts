/**
 * An application in any of the shapes postern takes → the "request" listener of a server.
 * A function is always a Node-style handler; Web style is an object with `fetch`. It loads no module. Applications that
 * have to be made ready (Fastify, NestJS) get their listener then, before the server binds anything.
 */
import { Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { UsageError } from "../errors.ts";
import { type FetchMount, nodeHandlerOf } from "../handler/fetch/adapter.ts";
import { DirectFetch } from "../handler/fetch/direct.ts";
import type { FetchHandler } from "../handler/fetch/info.ts";
import { prototypesOf } from "../handler/node/prototypes.ts";
import type { GatewayRequest } from "../handler/node/request.ts";
import { directWayOf } from "../server/direct-way.ts";
import { Server } from "../server/server.ts";
import {
  type FastifyApplication,
  hasMethods,
  type HttpHandler,
  isFastify,
  isKoa,
  isNest,
  type KoaApplication,
  type NestApplication,
} from "./application-shapes.ts";
import { forwardUpgrades } from "./upgrade-forwarding.ts";

/** A Node-style handler, as `http.createServer` takes it; a promise it returns is watched for rejection. */
export type NodeHandler = (req: GatewayRequest, res: ServerResponse) => unknown;

/** An application with a Web-style handler, `{ fetch }`: Hono, h3, Elysia, srvx. */
export interface FetchApplication {
  fetch: FetchHandler;
}

/** What `serve` takes. Express and Connect applications are Node-style handlers. */
export type Application =
  | NodeHandler
  | FetchApplication
  | KoaApplication
  | FastifyApplication
  | NestApplication
  | HttpServer;

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

function isFetchApplication(application: unknown): application is FetchApplication {
  return hasMethods(application, "fetch");
}

/** Errors of a handler, thrown or rejected, end in the server's `fail`. */
function watched(server: Server, handler: HttpHandler): Listener {
  return (req, res) => {
    try {
      const result = handler(req, res);
      // Promises of other realms and libraries count as well.
      if (typeof (result as Partial<PromiseLike<unknown>> | undefined)?.then === "function") {
        Promise.resolve(result).catch((error: unknown) => server.fail(error, req, res));
      }
    } catch (error) {
      server.fail(error, req, res);
    }
  };
}

/** Is this something `serve` can serve? */
export function isApplication(value: unknown): value is Application {
  return (
    typeof value === "function" ||
    value instanceof HttpServer ||
    isNest(value) ||
    isFastify(value) ||
    isKoa(value) ||
    isFetchApplication(value)
  );
}

/** The Web-style handler of an application that is nothing else. */
function fetchMountOf(server: Server, application: unknown): FetchMount | undefined {
  if (typeof application === "function" || isKoa(application)) return undefined;
  if (!isFetchApplication(application)) return undefined;
  return {
    fetch: (request, info) => application.fetch(request, info),
    errors: {
      report: (error) => server.report(error, undefined),
      answer: (error, info, request) => server.consult(error, info, request),
    },
  };
}

/** The handler of an application that needs no waiting; undefined for anything else. */
function handlerOf(server: Server, application: unknown): HttpHandler | undefined {
  if (typeof application === "function") {
    prototypesOf(server).declare(application);
    return application as HttpHandler;
  }
  if (isKoa(application)) return application.callback();
  const mount = fetchMountOf(server, application);
  return mount === undefined ? undefined : nodeHandlerOf(mount.fetch, mount.errors);
}

/** Waits for one of the application's own methods; when it fails, nothing is listened on. */
async function made(method: string, work: PromiseLike<unknown>): Promise<void> {
  try {
    await work;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(
      `The application's ${method}() failed, so nothing listens; mend it first: ${reason}`,
      "ERR_APP_START",
      { cause },
    );
  }
}

/** Makes an application ready; the handler that it has then. */
async function readyHandler(
  server: Server,
  application: FastifyApplication | NestApplication,
): Promise<HttpHandler> {
  if (isNest(application)) {
    await made("init", application.init());
    const instance = application.getHttpAdapter().getInstance();
    if (isFastify(instance)) return readyHandler(server, instance);
    return handlerOf(server, instance) ?? unknownApplication(instance);
  }
  await made("ready", application.ready());
  return (req, res) => application.routing(req, res);
}

function unknownApplication(value: unknown): never {
  throw new UsageError(
    `serve() was given ${value === null ? "null" : typeof value}; ` +
      "expected a function (req, res), an object with fetch(request), a Koa, Fastify or NestJS application, " +
      "or an http.Server.",
  );
}

/**
 * Makes an application the server's "request" listener.
 *
 * @throws UsageError for anything else than the shapes of {@link Application}
 */
export function mountApplication(server: Server, application: Application): void {
  if (application instanceof HttpServer) {
    for (const one of application.listeners("request")) prototypesOf(server).declare(one);
    server.on("request", (req, res) => application.emit("request", req, res));
    forwardUpgrades(server, application);
  } else if (isNest(application) || isFastify(application)) {
    server.attend({
      async prepare(): Promise<void> {
        server.on("request", watched(server, await readyHandler(server, application)));
      },
      async release(): Promise<void> {
        await application.close();
      },
    });
  } else {
    const handler = handlerOf(server, application) ?? unknownApplication(application);
    const listener = watched(server, handler);
    server.on("request", listener);
    const mount = fetchMountOf(server, application);
    if (mount === undefined) return;
    const direct = new DirectFetch(mount, server);
    directWayOf(server).offer(listener, direct, Server.prototype.emit);
  }
}
