/**
 * "upgrade" listeners of an application that is an http.Server → one at the server that serves it, as long as it has any.
 * Whether somebody listens decides whether a request is an upgrade at all, so the count has to be right at every moment.
 */
import type { Server as HttpServer } from "node:http";
import type { Server } from "../server/server.ts";

/** Hands upgrades of `server` to `application`, while that listens for them. */
export function forwardUpgrades(server: Server, application: HttpServer): void {
  const forward = (...told: unknown[]): void => {
    application.emit("upgrade", ...told);
  };
  let listens = application.listenerCount("upgrade") > 0;
  if (listens) server.on("upgrade", forward);
  // Emitted before the listener is there.
  application.on("newListener", (name) => {
    if (name !== "upgrade" || listens) return;
    listens = true;
    server.on("upgrade", forward);
  });
  application.on("removeListener", (name) => {
    if (name !== "upgrade" || application.listenerCount("upgrade") > 0) return;
    listens = false;
    server.removeListener("upgrade", forward);
  });
}
