/**
 * A web server's end of an upgrade, byte by byte: asks, reads the answer's head, then sends and reads what is behind it.
 * The same script runs over FastCGI, SCGI, our own HTTP (`protocol: "auto"`) and node's own server, to compare with.
 * It judges nothing.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServeOptions } from "../../src/serve/options.ts";
import { type Configuration, wayOf } from "./engines.ts";
import { createServer as createGateway } from "../../src/serve/serve.ts";
import { Server } from "../../src/server/server.ts";
import { Wire } from "./scripted-peer.ts";
import { begin, netstring, params, record, Type, USUAL } from "./transcript-frames.ts";

/** How the request comes; "node" is node's own server. */
export type UpgradeWay = "fastcgi" | "scgi" | "http" | "node";

/** The ways of postern. */
export const OUR_WAYS: readonly Exclude<UpgradeWay, "node">[] = ["fastcgi", "scgi", "http"];

/** A listener of "upgrade". */
export type UpgradeListener = (req: UpgradeRequest, socket: Duplex, head: Buffer) => void;

/** A request with the field that node's types leave out. */
export interface UpgradeRequest extends IncomingMessage {
  upgrade?: boolean;
}

/** What is served. */
export interface UpgradeScene extends Omit<ServeOptions, "protocol" | "transport"> {
  /** Undefined: nobody listens. */
  readonly upgrade?: UpgradeListener | undefined;
  readonly request?: (req: UpgradeRequest, res: ServerResponse) => void;
  /** @default "unix" */
  readonly transport?: "unix" | "tcp";
}

/** An answer's head. */
export interface UpgradeHead {
  readonly status: number;
  readonly reason: string;
  /** By name in lower case. */
  readonly fields: Readonly<Record<string, string>>;
}

/** The CGI variables of the request that every script sends. */
export const ASKS: Readonly<Record<string, string>> = {
  ...USUAL,
  CONTENT_LENGTH: "0",
  REQUEST_URI: "/up?q=1",
  HTTP_UPGRADE: "echo",
  HTTP_CONNECTION: "Upgrade",
};

/** One end. */
export class UpgradePeer {
  readonly wire: Wire;
  readonly #way: UpgradeWay;
  #held = Buffer.alloc(0);
  #ended = false;

  constructor(socket: Socket, way: UpgradeWay) {
    this.wire = new Wire(socket);
    this.#way = way;
  }

  /** Asks for an upgrade; `behind` leaves in the same write. An empty variable is left out. */
  asks(changed: Readonly<Record<string, string>> = {}, behind = ""): void {
    const all = Object.entries({ ...ASKS, ...changed }).filter(([, value]) => value !== "");
    const variables = Object.fromEntries(all);
    const head = {
      fastcgi: () => Buffer.concat([begin(), params(1, variables)]),
      scgi: () => {
        const { CONTENT_LENGTH = "0", ...rest } = variables;
        return netstring({ CONTENT_LENGTH, SCGI: "1", ...rest });
      },
      http: () => Buffer.from(httpHead(variables), "latin1"),
      node: () => Buffer.from(httpHead(variables), "latin1"),
    }[this.#way]();
    this.wire.write(behind === "" ? head : Buffer.concat([head, this.#framed(behind)]));
  }

  #framed(text: string | Buffer): Buffer {
    const content = typeof text === "string" ? Buffer.from(text, "latin1") : text;
    return this.#way === "fastcgi" ? record({ type: Type.STDIN, content }) : content;
  }

  /** Sends bytes of the client. */
  sends(text: string | Buffer): void {
    this.wire.write(this.#framed(text));
  }

  /** The client ends its side. */
  ends(): void {
    if (this.#way === "fastcgi") this.wire.write(record({ type: Type.STDIN }));
    else this.wire.end();
  }

  /** The web server closes its connection. */
  leaves(): void {
    this.wire.socket.destroy();
  }

  /** More bytes of the answer; false at its end. */
  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    let piece: Buffer;
    if (this.#way === "fastcgi") {
      const { type, content } = await this.wire.readRecord().catch(() => {
        return { type: Type.END, content: Buffer.alloc(0) };
      });
      this.#ended = type === Type.END;
      piece = type === Type.STDOUT ? content : Buffer.alloc(0);
    } else {
      piece = await this.wire.readSome();
      this.#ended = piece.length === 0;
    }
    this.#held = Buffer.concat([this.#held, piece]);
    return !this.#ended;
  }

  /** The answer's head. */
  async head(): Promise<UpgradeHead> {
    while (this.#held.indexOf("\r\n\r\n") < 0) {
      if (!(await this.#more())) throw new Error(`no head: ${this.#held.toString("latin1")}`);
    }
    const end = this.#held.indexOf("\r\n\r\n");
    const lines = this.#held.toString("latin1", 0, end).split("\r\n");
    this.#held = this.#held.subarray(end + 4);
    const first = lines[0]!.replace(/^(HTTP\/1\.1|Status:) /, "").split(" ");
    const fields = lines.slice(1).map((line): [string, string] => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
    });
    return {
      status: Number(first[0]),
      reason: first.slice(1).join(" "),
      fields: Object.fromEntries(fields),
    };
  }

  /** The next `count` bytes behind the head. */
  async reads(count: number): Promise<string> {
    while (this.#held.length < count) {
      if (!(await this.#more())) throw new Error(`ended after ${this.#held.toString("latin1")}`);
    }
    const bytes = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return bytes.toString("latin1");
  }

  /** Everything up to the end. */
  async readsToEnd(): Promise<string> {
    while (await this.#more());
    return this.reads(this.#held.length);
  }
}

function httpHead(variables: Readonly<Record<string, string>>): string {
  const lines = Object.entries(variables)
    .filter(([name]) => name.startsWith("HTTP_"))
    .map(([name, value]) => `${name.slice(5).replaceAll("_", "-")}: ${value}\r\n`);
  return `${variables["REQUEST_METHOD"]} ${variables["REQUEST_URI"]} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** What a script has. */
export interface UpgradeStage {
  readonly peer: UpgradePeer;
  readonly server: HttpServer;
  /** What `onError` was given; of node's own server nothing. */
  readonly errors: unknown[];
  connect(): Promise<UpgradePeer>;
}

/** Serves, plays and closes everything; resolves to what the script returns. */
export async function playUpgrade<T>(
  way: UpgradeWay,
  configuration: Configuration,
  scene: UpgradeScene,
  script: (stage: UpgradeStage) => Promise<T>,
): Promise<T> {
  const { upgrade, request, transport = "unix", ...options } = scene;
  const directory = mkdtempSync(join(tmpdir(), "postern-upgrade-"));
  const address =
    transport === "unix" ? { path: join(directory, "s") } : { host: "127.0.0.1", port: 0 };
  const errors: unknown[] = [];
  const server =
    way === "node"
      ? createServer()
      : createGateway({
          protocol: way === "http" ? "auto" : way,
          ...wayOf(configuration),
          ajp: { secret: "sixteen bytes and more" },
          onError: (error) => void errors.push(error),
          ...options,
        });
  if (upgrade !== undefined) server.on("upgrade", upgrade);
  if (request !== undefined) server.on("request", request);
  server.listen(address);
  if (server instanceof Server) await server.ready();
  else await once(server, "listening");
  const bound = server.address();
  const to = typeof bound === "string" ? { path: bound } : { port: bound!.port, host: "127.0.0.1" };
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => sockets.push(socket));
  const connectPeer = async (): Promise<UpgradePeer> => {
    const socket = connect({ ...to, allowHalfOpen: true });
    sockets.push(socket);
    await once(socket, "connect");
    return new UpgradePeer(socket, way);
  };
  try {
    return await script({ peer: await connectPeer(), server, errors, connect: connectPeer });
  } finally {
    for (const socket of sockets) socket.destroy();
    const closed = server.listening ? once(server, "close") : undefined;
    server.close();
    await closed;
    rmSync(directory, { recursive: true, force: true });
  }
}
