/**
 * An application in any of the shapes postern takes → the "request" listener of a server.
 * A function is always a Node-style handler; Web style is an object with `fetch`. It loads no module.
 */
import { Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { UsageError } from "../errors.ts";
import { nodeHandlerOf } from "../handler/fetch/adapter.ts";
import type { FetchHandler } from "../handler/fetch/info.ts";
import { prototypesOf } from "../handler/node/prototypes.ts";
import type { GatewayRequest } from "../handler/node/request.ts";
import type { Server } from "../server/server.ts";
import { forwardUpgrades } from "./upgrade-forwarding.ts";

/** A Node-style handler, as `http.createServer` takes it; a promise it returns is watched for rejection. */
export type NodeHandler = (req: GatewayRequest, res: ServerResponse) => unknown;

/** An application with a Web-style handler: `{ fetch }`. */
export interface FetchApplication {
  fetch: FetchHandler;
}

/** What `serve` takes. */
export type Application = NodeHandler | FetchApplication | HttpServer;

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

function isFetchApplication(application: unknown): application is FetchApplication {
  return (
    typeof application === "object" &&
    application !== null &&
    typeof (application as { fetch?: unknown }).fetch === "function"
  );
}

/** Errors of a handler, thrown or rejected, end in the server's `fail`. */
function watched(
  server: Server,
  handler: (req: IncomingMessage, res: ServerResponse) => unknown,
): Listener {
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
  return typeof value === "function" || value instanceof HttpServer || isFetchApplication(value);
}

/**
 * Makes an application the server's "request" listener.
 *
 * @throws UsageError for anything else than a function, an object with `fetch`, or an http.Server
 */
export function mountApplication(server: Server, application: Application): void {
  if (typeof application === "function") {
    prototypesOf(server).declare(application);
    server.on("request", watched(server, application as Listener));
  } else if (application instanceof HttpServer) {
    for (const one of application.listeners("request")) prototypesOf(server).declare(one);
    server.on("request", (req, res) => application.emit("request", req, res));
    forwardUpgrades(server, application);
  } else if (isFetchApplication(application)) {
    const fetch: FetchHandler = (request, info) => application.fetch(request, info);
    const handler = nodeHandlerOf(fetch, {
      report: (error) => server.report(error, undefined),
      answer: (error, req, request) => server.consult(error, req, request),
    });
    server.on("request", watched(server, handler));
  } else {
    throw new UsageError(
      `serve() was given ${application === null ? "null" : typeof application}; ` +
        "expected a function (req, res), an object with fetch(request), or an http.Server.",
    );
  }
}
