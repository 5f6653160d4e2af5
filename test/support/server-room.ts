/**
 * Servers of one test in one configuration, their clients and plain sockets, and the end of all of them.
 * It judges nothing; what bytes say is transcript.ts's.
 */
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { get, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { ClientConnection } from "../../src/client/client.ts";
import type { NodeHandler } from "../../src/serve/application.ts";
import type { ServeOptions } from "../../src/serve/options.ts";
import { serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { type Configuration, wayOf } from "./engines.ts";
import { Room } from "./front/ports.ts";

/** Kinds of addresses. */
export const PLACES = ["unix", "tcp"] as const;
export type Place = (typeof PLACES)[number];

/** Where clients of a server connect to. */
export type Reach = { readonly path: string } | { readonly port: number; readonly host: string };

/** See above. */
export class ServerRoom {
  readonly room: Room = new Room("servers");
  readonly #servers: HttpServer[] = [];
  readonly #sockets: Socket[] = [];
  readonly #clients: ClientConnection[] = [];

  /** Where a server listens. */
  addressOf(place: Place, name = "s"): { socket: string } | { port: number; host: string } {
    return place === "unix" ? { socket: this.room.file(name) } : { port: 0, host: "127.0.0.1" };
  }

  /** Opens a server of ours. */
  open(
    configuration: Configuration,
    place: Place,
    handler: NodeHandler,
    options: ServeOptions = {},
  ): Promise<Server> {
    const address = this.addressOf(place);
    return this.add(serve(handler, { ...address, ...wayOf(configuration), ...options })).ready();
  }

  /** Closes a server with the rest. */
  add<T extends HttpServer>(server: T): T {
    this.#servers.push(server);
    return server;
  }

  /** A plain socket; its errors are nobody's, and what comes is counted and thrown away. */
  async dial(server: HttpServer): Promise<Socket> {
    const socket = connect(reachOf(server)).on("error", () => undefined);
    this.#sockets.push(socket);
    await once(socket, "connect");
    return socket.resume();
  }

  /** A client of FastCGI, or of another protocol. */
  client(server: HttpServer, protocol: "fastcgi" | "scgi" | "ajp" = "fastcgi"): ClientConnection {
    const to = reachOf(server);
    const address = "path" in to ? { socket: to.path } : to;
    const client = new ClientConnection({ protocol, address });
    this.#clients.push(client);
    return client;
  }

  /** The clients' ends go away. */
  hangUp(): void {
    for (const client of this.#clients.splice(0)) client.destroy();
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }

  /** Ends everything. */
  async clear(): Promise<void> {
    this.hangUp();
    for (const server of this.#servers.splice(0)) {
      server.closeAllConnections();
      if (server.listening) await new Promise((done) => server.close(done));
    }
    this.room.remove();
  }
}

/** Where clients of a listening server connect to. */
export function reachOf(server: HttpServer): Reach {
  const address = server.address();
  if (typeof address === "string") return { path: address };
  return { host: "127.0.0.1", port: (address as AddressInfo).port };
}

/** The text of a client's answer to a GET of `/`. */
export async function textOf(client: ClientConnection): Promise<string> {
  return (await client.request()).text();
}

/** The same over HTTP, on a connection of its own. */
export function textByHttp(server: HttpServer): Promise<string> {
  const { path: socketPath, ...tcp } = reachOf(server) as { path?: string };
  return new Promise((done, fail) => {
    const where = socketPath === undefined ? tcp : { socketPath };
    get({ agent: false, ...where }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => done(text)).on("error", fail);
    }).on("error", fail);
  });
}

/** Descriptors that this process has open. */
export function descriptorCount(): number {
  return readdirSync("/proc/self/fd").length;
}
