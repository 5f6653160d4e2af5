/**
 * An http.Server that somebody else made → the object that a subclass of ours is constructed on.
 *
 * `postern/register` needs that very object: the program holds it, has listeners on it and asks it for its address, and
 * frameworks reach it by `req.socket.server`. It says nothing about what a gateway is; server.ts does.
 */
import { Server as HttpServer } from "node:http";

function Base(this: unknown, adopted?: HttpServer): HttpServer {
  // What a base constructor returns is `this` of its subclass: private fields and all are made on it.
  return adopted ?? (Reflect.construct(HttpServer, [], new.target as () => void) as HttpServer);
}
Base.prototype = HttpServer.prototype;
Object.setPrototypeOf(Base, HttpServer);

/** http.Server as a base class of which the constructor takes over a server that is there already. */
export const AdoptableServer: new (adopted?: HttpServer) => HttpServer = Base as unknown as new (
  adopted?: HttpServer,
) => HttpServer;

/**
 * Gives an object the methods and accessors of a class that was constructed on it.
 *
 * They become its own: its prototype stays, which may be a subclass of http.Server, or watched by tracing.
 *
 * @param prototype of the class
 */
export function giveMethods(adopted: HttpServer, prototype: object): void {
  const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(prototype);
  Object.defineProperties(adopted, methods);
}
