/**
 * A request that goes to "request" listeners → node's own diagnostics channels, as its own server has them.
 *
 * Nothing is made while nobody has subscribed. Those of postern are connection/chronicle.ts.
 */
import { channel } from "node:diagnostics_channel";
import type { IncomingMessage, Server, ServerResponse } from "node:http";

const requestStart = channel("http.server.request.start");
const responseFinish = channel("http.server.response.finish");

/** Tells of a request, and of its end when that comes. */
export function announce(req: IncomingMessage, res: ServerResponse, server: Server): void {
  if (requestStart.hasSubscribers) {
    requestStart.publish({ request: req, response: res, socket: req.socket, server });
  }
  if (responseFinish.hasSubscribers) {
    const facts = { request: req, response: res, socket: req.socket, server };
    res.once("finish", () => responseFinish.publish(facts));
  }
}
