/**
 * A server and its options `status` and `statusPath` → counted times, and answers at the one and the other.
 *
 * Without both it does nothing, and nothing costs. The server emits "status" with where that is, once it is there. How a status looks is observe/'s.
 */
import { countRequests, serveStatusPath } from "../observe/status-path.ts";
import { ServerStatus } from "../observe/server-status.ts";
import type { Server } from "../server/server.ts";
import type { ResolvedOptions } from "../server/settings.ts";
import { openStatus } from "./status-endpoint.ts";
import { readVersion } from "./version.ts";

/** Opens the endpoint with the server, and closes it after it. */
function follow(server: Server, text: string, status: ServerStatus): void {
  server.on("listening", () => {
    openStatus(text, () => status.read()).then(
      (endpoint) => {
        server.emit("status", endpoint.where);
        // It alone is no reason for the process to live.
        endpoint.unref();
        const close = (): void => {
          endpoint.close();
          endpoint.closeAllConnections();
        };
        if (server.listening) server.once("close", close);
        else close();
      },
      (error: unknown) => server.emit("error", error),
    );
  });
}

/** Shows the status of a server where its options say. */
export function mountStatus(
  server: Server,
  { status, statusPath, statusPeers }: ResolvedOptions,
): void {
  if (status === undefined && statusPath === undefined) return;
  const source = new ServerStatus(server, { version: readVersion(), id: 1, generation: 1 });
  if (statusPath === undefined) countRequests(server);
  else serveStatusPath(server, { path: statusPath, peers: statusPeers }, () => source.read());
  if (status !== undefined) follow(server, status, source);
}
