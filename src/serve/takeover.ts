/**
 * A program that knows nothing of postern → its first `http.Server` that listens is a gateway, at the address that the
 * environment names.
 *
 * `listen` of http.Server's prototype is replaced, so it does not matter how the program came by its server. The server
 * stays the object that it is (server/adoption.ts). HTTPS and HTTP/2 servers are left alone. Loaded by register.ts.
 */
import { Server as HttpServer } from "node:http";
import { selectEngine } from "../engine/select.ts";
import { UsageError } from "../errors.ts";
import { Server } from "../server/server.ts";
import type { ResolvedOptions } from "../server/settings.ts";
import { whileInUse } from "./address-retry.ts";
import { equip } from "./equipment.ts";
import { normalizeOptions } from "./options.ts";
import { startLine } from "./start-line.ts";

/** Set to its process's id where a gateway is: programs that it starts are no second one at the same address. */
const MARK = "POSTERN_GATEWAY_PID";
const STATUS_USAGE = 2;

/** What of the process this needs. */
export interface ProcessAround {
  readonly env: Record<string, string | undefined>;
  readonly pid: number;
  /** Runs as a worker of node:cluster. */
  readonly isClusterWorker: boolean;
  /** Prints one line. */
  say(line: string): void;
  /** Ends the process. */
  exit(status: number): void;
}

type Callback = () => void;

/** `listen`'s callback, which is last where there is one. */
function callbackOf(given: readonly unknown[]): Callback | undefined {
  const last = given[given.length - 1];
  return typeof last === "function" ? (last as Callback) : undefined;
}

/** As node says it. */
function listensAlready(): Error {
  const error = new Error("Listen method has been called more than once without closing.");
  return Object.assign(error, { code: "ERR_SERVER_ALREADY_LISTEN" });
}

/** The sentence for a failure, with the variables that mend it. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof UsageError)) return String(error);
  return error.code === "ERR_NO_ADDRESS"
    ? "postern/register has no address: set POSTERN_SOCKET to a path, or POSTERN_PORT (and POSTERN_HOST); " +
        "descriptor 0 is not a listening socket, and systemd passed none."
    : error.message;
}

/** The servers of one program. */
class Takeover {
  readonly #around: ProcessAround;
  readonly #listen: HttpServer["listen"];
  /** Programs that were started by a gateway have no gateway. */
  readonly #isChild: boolean;
  readonly #adopted = new WeakMap<HttpServer, Server>();
  #gateway: HttpServer | undefined;
  #handlers: ReadonlySet<unknown> = new Set();

  constructor(around: ProcessAround, listen: HttpServer["listen"]) {
    this.#around = around;
    this.#listen = listen;
    this.#isChild = (around.env[MARK] ?? "") !== "";
  }

  /** What `listen` does now. */
  listen(server: HttpServer, given: readonly unknown[]): HttpServer {
    if (server === this.#gateway) throw listensAlready();
    if (this.#gateway === undefined && !this.#isChild) this.#begin(server, callbackOf(given));
    else if (this.#isSameApplication(server)) this.#pretend(server, callbackOf(given));
    else this.#listen.apply(server, given as Parameters<HttpServer["listen"]>);
    return server;
  }

  #begin(server: HttpServer, callback: Callback | undefined): void {
    const { env, pid } = this.#around;
    const handlers = server.listeners("request");
    try {
      const gateway = this.#adopted.get(server) ?? this.#adopt(server);
      this.#gateway = server;
      this.#handlers = new Set(handlers);
      env[MARK] = String(pid);
      if (callback !== undefined) server.once("listening", callback);
      // Programs that try ports with one server and use another, or start anew, go on being served.
      server.once("close", () => {
        if (this.#gateway !== server) return;
        this.#gateway = undefined;
        delete env[MARK];
      });
      void this.#open(server, gateway);
    } catch (error) {
      this.#fail(error);
    }
  }

  #adopt(server: HttpServer): Server {
    const options = normalizeOptions({}, this.#around.env);
    this.#checkWorker(options);
    const gateway = Server.adopt(server, options, selectEngine(options.engine));
    equip(gateway, options);
    this.#adopted.set(server, gateway);
    // Back to the prototype's, which is ours: where to listen is not the program's to say.
    delete (server as { listen?: unknown }).listen;
    const address = server.address.bind(server);
    Object.defineProperty(server, "address", {
      configurable: true,
      writable: true,
      // Of a unix socket on a descriptor nobody knows the path; frameworks take null for "not listening".
      value: () => address() ?? gateway.where ?? null,
    });
    return gateway;
  }

  #checkWorker({ listen }: ResolvedOptions): void {
    if (!this.#around.isClusterWorker || listen.kind !== "unix") return;
    throw new UsageError(
      "Workers of node:cluster cannot share the socket file of POSTERN_SOCKET; " +
        "set POSTERN_PORT in its place, or start the program without workers.",
    );
  }

  async #open(server: HttpServer, gateway: Server): Promise<void> {
    try {
      await whileInUse(async () => {
        // The program may have closed it between two attempts.
        if (this.#gateway === server) await Server.prototype.listen.call(gateway).ready();
      });
      if (server.listening) this.#around.say(startLine(gateway, this.#around.pid));
    } catch (error) {
      // The same, in the middle of one.
      if ((error as { code?: unknown }).code !== "ERR_CLOSED_EARLY") this.#fail(error);
    }
  }

  /** The program cannot mend it and might go on with no server, or try address after address. */
  #fail(error: unknown): void {
    this.#around.say(`postern: ${sentenceOf(error)}`);
    this.#around.exit(STATUS_USAGE);
  }

  /** Has it a handler of the gateway's? Fastify, asked for `localhost`, makes one such server for each address. */
  #isSameApplication(server: HttpServer): boolean {
    return server.listeners("request").some((handler) => this.#handlers.has(handler));
  }

  /** By plain HTTP the same application would be open to whoever passes the web server by. */
  #pretend(server: HttpServer, callback: Callback | undefined): void {
    const { say } = this.#around;
    if (callback !== undefined) server.once("listening", callback);
    Object.defineProperty(server, "address", {
      configurable: true,
      writable: true,
      value: () => this.#gateway?.address() ?? null,
    });
    say(
      "postern: the program listens with the same application again; that address is not opened.",
    );
    setImmediate(() => server.emit("listening"));
  }
}

/**
 * Takes over from now on.
 *
 * @returns undoes it; servers that are gateways stay what they are
 */
export function takeOver(around: ProcessAround): () => void {
  const { prototype } = HttpServer;
  const own = Object.getOwnPropertyDescriptor(prototype, "listen");
  const takeover = new Takeover(around, prototype.listen);
  Object.defineProperty(prototype, "listen", {
    configurable: true,
    enumerable: true,
    writable: true,
    value: function listen(this: HttpServer, ...given: unknown[]): HttpServer {
      return takeover.listen(this, given);
    },
  });
  return () => {
    if (own === undefined) delete (prototype as { listen?: unknown }).listen;
    else Object.defineProperty(prototype, "listen", own);
  };
}
