/**
 * A Web-style handler → a Node-style one.
 * It catches nothing: a rejection goes to the server, which answers 500 as for any handler.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { GatewayRequest } from "../node/request.ts";
import type { FetchHandler, FetchInfo } from "./info.ts";
import { createFetchRequest } from "./request.ts";
import { sendFetchResponse } from "./response.ts";

const FORBIDDEN = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Is this what the handler promised? Instances of other realms and light look-alikes count. */
function isResponse(value: unknown): value is Response {
  return typeof value === "object" && value !== null && "status" in value && "headers" in value;
}

function createInfo(
  req: GatewayRequest,
  res: ServerResponse,
  report: (error: unknown) => void,
): FetchInfo {
  return {
    gateway: req.gateway,
    remoteAddr: {
      transport: "tcp",
      hostname: req.socket.remoteAddress ?? "",
      port: req.socket.remotePort ?? 0,
    },
    get completed(): Promise<void> {
      return new Promise((resolve, reject) => {
        if (res.writableFinished) resolve();
        res.once("finish", resolve);
        res.once("close", () => reject(new Error("The response was not sent whole.")));
      });
    },
    node: { req, res },
    waitUntil(work) {
      work.catch(report);
    },
  };
}

/**
 * Makes a Node-style handler of a fetch handler.
 *
 * @param fetch  the handler
 * @param report told of rejections of `waitUntil`
 */
export function nodeHandlerOf(
  fetch: FetchHandler,
  report: (error: unknown) => void,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  return async (incoming, res) => {
    const req = incoming as GatewayRequest;
    if (FORBIDDEN.has(req.method ?? "")) {
      res.statusCode = 501;
      res.end();
      return;
    }
    const response: unknown = await fetch(createFetchRequest(req), createInfo(req, res, report));
    if (!isResponse(response)) throw new TypeError("The fetch handler returned no Response");
    await sendFetchResponse(res, response);
  };
}
