/**
 * The option `statusPath` → requests of one path that are answered with the status before the application, for allowed
 * clients, and whatever the load.
 *
 * For others the path is the application's. The client's address is the front server's word; one that stands behind a
 * further proxy without its say is not believed (docs/metrics.md).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pathOf } from "../http/target.ts";
import { createPeerCheck } from "../server/peers.ts";
import type { Server } from "../server/server.ts";
import type { Counters } from "../connection/counters.ts";
import { answerStatus } from "./status-answer.ts";
import type { Status } from "./status.ts";

/** Fields that say that the peer of the front server is not the client. */
const FORWARDED = /^(?:forwarded|x-forwarded-for|x-real-ip)$/i;

/** Who may see the status at which path. */
export interface StatusPathSettings {
  readonly path: string;
  /** Addresses and subnets of clients. */
  readonly peers: readonly string[];
}

/** HTTP is served by node itself; its requests are counted where they come by. */
function countHttp(req: IncomingMessage, res: ServerResponse, counters: Counters): void {
  if ("gateway" in req) return;
  const counts = counters.protocols.http;
  const startedMs = performance.now();
  counts.requests++;
  res.once("close", () => {
    if (!res.writableFinished) counters.aborts++;
    if (res.headersSent) counts.respond(res.statusCode);
    counters.time(performance.now() - startedMs);
  });
}

/** Has a server take the time of its requests, and count those of HTTP as well. */
export function countRequests(server: Server): void {
  const { counters } = server.figures;
  counters.timed = true;
  server.enter((req, res) => {
    countHttp(req, res, counters);
    return false;
  }, undefined);
}

/**
 * Has a server answer a path with its status; its requests are counted as by {@link countRequests}.
 *
 * @param read makes the status
 */
export function serveStatusPath(
  server: Server,
  { path, peers }: StatusPathSettings,
  read: () => Status,
): void {
  const { counters } = server.figures;
  counters.timed = true;
  const check = createPeerCheck(
    { peers, webServerAddresses: undefined, allowRemote: true, user: true, tls: true },
    "tcp",
  );
  const mayAsk = (address: string | undefined, rawHeaders: readonly string[]): boolean => {
    if (!check.allows(address || undefined)) return false;
    return !rawHeaders.some((name, index) => index % 2 === 0 && FORWARDED.test(name));
  };
  const takes = (url: string, address: string | undefined, fields: readonly string[]): boolean =>
    url.startsWith(path) && pathOf(url) === path && mayAsk(address, fields);
  const entry = (req: IncomingMessage, res: ServerResponse): boolean => {
    countHttp(req, res, counters);
    const { url = "" } = req;
    if (!url.startsWith(path)) return false;
    if (!takes(url, req.socket.remoteAddress, req.rawHeaders)) return false;
    answerStatus(req, res, read);
    return true;
  };
  server.enter(entry, {
    takes: (head) =>
      head.url.startsWith(path) && takes(head.url, head.remoteAddress, head.rawHeaders),
  });
}
