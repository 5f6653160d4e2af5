/**
 * One attempt of a `net.Server` to listen → a promise that holds when it does.
 *
 * While it lasts, the server's own "error" listeners do not hear of a failed attempt: the caller has a better
 * sentence for them. Chooses no address and explains no failure: listen.ts and listen-failure.ts do.
 */
import { type ListenOptions, Server } from "node:net";

/**
 * Listens.
 *
 * @param server  not listening yet; a subclass's own `listen` is passed by
 * @param options as for `net.Server.listen`
 * @param bound   called in the same turn in which a path or descriptor is listening, before "listening" is told;
 *   when it throws, the server is closed again
 * @throws what `net.Server` reports, or what `bound` throws
 */
export async function bind(
  server: Server,
  options: ListenOptions & { readonly fd?: number },
  bound: () => void = () => undefined,
): Promise<void> {
  const listeners = server.rawListeners("error") as ((error: Error) => void)[];
  server.removeAllListeners("error");
  try {
    await new Promise<void>((resolve, reject) => {
      server.prependOnceListener("error", reject);
      server.prependOnceListener("listening", () => {
        server.removeListener("error", reject);
        resolve();
      });
      Server.prototype.listen.call(server, options);
      if (server.listening) bound();
    });
  } catch (error) {
    if (server.listening) Server.prototype.close.call(server);
    throw error;
  } finally {
    for (const listener of listeners) server.on("error", listener);
  }
}
