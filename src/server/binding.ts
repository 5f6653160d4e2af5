/**
 * One attempt of a `net.Server` to listen → a promise that holds when it does.
 *
 * While it lasts, the server's own "error" listeners do not hear of a failed attempt: the caller has a better
 * sentence for them. Chooses no address and explains no failure: listen.ts and listen-failure.ts do.
 */
import { type ListenOptions, Server } from "node:net";
import type { Binder } from "./socket-file.ts";

/**
 * Listens.
 *
 * @param server  not listening yet; a subclass's own `listen` is passed by
 * @param options as for `net.Server.listen`
 * @param bound   called once, in the same turn in which a path or descriptor is listening, and always before
 *   "listening" is told; when it throws, the server is closed again
 * @throws what `net.Server` reports, or what `bound` throws
 */
export async function bind(
  server: Server,
  options: ListenOptions & { readonly fd?: number },
  bound: () => void = () => undefined,
): Promise<void> {
  const listeners = server.rawListeners("error") as ((error: Error) => void)[];
  server.removeAllListeners("error");
  let isBound = false;
  const tell = (): void => {
    if (isBound) return;
    isBound = true;
    bound();
  };
  let fail: (error: unknown) => void = () => undefined;
  let succeed = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      fail = reject;
      succeed = (): void => {
        server.removeListener("error", fail);
        try {
          // In a cluster worker this is the first moment: its listen() asks the primary.
          tell();
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      server.prependOnceListener("error", fail);
      server.prependOnceListener("listening", succeed);
      Server.prototype.listen.call(server, options);
      if (server.listening) tell();
    });
  } catch (error) {
    if (server.listening) Server.prototype.close.call(server);
    throw error;
  } finally {
    // After a failure they are still there, and the next attempt would call them.
    server.removeListener("error", fail);
    server.removeListener("listening", succeed);
    for (const listener of listeners) server.on("error", listener);
  }
}

/**
 * Binds a server that listens nowhere yet to a path, and listens there at once.
 *
 * @param backlog length of the kernel's queue
 */
export function pathBinder(server: Server, backlog: number): Binder {
  // With `exclusive` a worker of node:cluster binds by itself.
  return (path, settle) => bind(server, { path, backlog, exclusive: true }, settle);
}
