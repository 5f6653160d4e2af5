/**
 * A cell of what `postern config` can be asked → what it printed, and the application and the web server that run by it.
 *
 * The application is started by the command in the printed heading. Asks nothing and judges nothing.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../support/documents.ts";
import { Child } from "../support/front/child.ts";
import { type Address, freePorts, Room, whenListening } from "../support/front/ports.ts";
import { surroundingsOf } from "../support/front/surroundings.ts";

/** Says what it was asked, counts bodies, and has one stream that waits for another request. */
export const APP: string = `let release = () => {};
export default async (req, res) => {
  const { pathname } = new URL(req.url, "http://x");
  if (pathname.endsWith("/stream")) {
    res.write("first\\n");
    await new Promise((resolve) => { release = resolve; });
    return void res.end("last\\n");
  }
  if (pathname.endsWith("/go")) release();
  let bytes = 0;
  for await (const chunk of req) bytes += chunk.length;
  const { scriptName, pathInfo, protocol } = req.gateway;
  const { url, method, headers, socket } = req;
  const subject = socket.getPeerCertificate?.().subject;
  const tls = socket.encrypted ? { authorized: socket.authorized, subject } : undefined;
  res.end(JSON.stringify({ url, method, headers, bytes, scriptName, pathInfo, protocol, tls, pid: process.pid }));
};
`;
const PROGRAM = join(projectRoot, "dist/cli.cjs");
const SECRET = "0123456789abcdef0123456789abcdef";
/** The largest body that is allowed. */
export const MIB: number = 1_048_576;
/** One configuration. */
export interface Cell {
  readonly server: "nginx" | "apache" | "lighttpd" | "haproxy" | "caddy";
  readonly protocol: "fastcgi" | "scgi" | "ajp" | "http" | "auto";
  /** What the application hears. */
  readonly heard?: string;
  readonly place: "unix" | "tcp";
  readonly more?: readonly string[];
  readonly prefix?: string;
  /** Instances. */
  readonly count?: number;
}
/** What was printed, and where everything is. */
export interface Scene {
  readonly piece: string;
  readonly front: number;
  readonly addresses: readonly Address[];
}

/** A folder with the application, and what was started in it. */
export class Site {
  readonly room: Room = new Room("config");
  readonly #children: Child[] = [];

  constructor() {
    writeFileSync(this.room.file("app.mjs"), APP);
    writeFileSync(this.room.file("secret"), `${SECRET}\n`);
    mkdirSync(this.room.file("media"));
    writeFileSync(this.room.file("media/style.css"), "p { color: green }\n");
    chmodSync(this.room.file("media"), 0o755);
  }

  /** Prints the configuration of a cell. */
  async print(cell: Cell): Promise<Scene> {
    const { server, protocol, place, prefix, count = 1 } = cell;
    const [front = 0, ...ports] = await freePorts(1 + count);
    const addresses = ports.map(
      (port, i): Address =>
        place === "unix" ? { socket: this.room.file(`s${i}.sock`) } : { host: "127.0.0.1", port },
    );
    const shown = addresses.map((one) =>
      "socket" in one ? one.socket : `${one.host}:${one.port}`,
    );
    const words = [
      "config",
      server,
      this.room.file("app.mjs"),
      `--protocol=${protocol}`,
      ...(place === "unix" ? [`--socket=${shown[0]}`] : [`--port=${ports[0]}`]),
      ...shown.slice(1).map((one) => `--backend=${one}`),
      ...(prefix === undefined ? [] : [`--script-name=${prefix}`]),
      ...(protocol === "ajp" && place === "tcp"
        ? [`--ajp.secret-file=${this.room.file("secret")}`]
        : []),
      ...(server === "haproxy"
        ? []
        : [`--static=${prefix ?? ""}/media/=${this.room.file("media")}`]),
      `--limits.body-bytes=${MIB}`,
      "--listen-host=127.0.0.1",
      `--listen-port=${front}`,
      ...(cell.more ?? []),
    ];
    const piece = execFileSync(process.execPath, [PROGRAM, ...words], { encoding: "utf8" });
    return { piece, front, addresses };
  }

  /** Starts every instance by the command that stands above the configuration. */
  async start(scene: Scene): Promise<void> {
    for (const address of scene.addresses) await this.startOne(scene, address);
  }

  /** Starts one of them, which finds `more` in its environment. */
  async startOne(
    { piece }: Scene,
    address: Address,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Child> {
    const [, line] = /The application: npx postern (.*)$/m.exec(piece)!;
    const own = line!
      .split(" ")
      .filter((word) => !/^--(?:socket|port)=/.test(word))
      .concat("socket" in address ? `--socket=${address.socket}` : `--port=${address.port}`);
    const env = { ...process.env, POSTERN_MODE: "666", ...more };
    const child = new Child(process.execPath, [PROGRAM, ...own], { env });
    this.#children.push(child);
    await whenListening(address, () => child.isAlive, 40_000);
    return child;
  }

  /** Starts the web server with a configuration, after its own check of it. */
  async serve(cell: Cell, { piece, front }: Scene): Promise<Child> {
    const { program, check, run } = surroundingsOf(cell.server).write(this.room.path, piece, front);
    execFileSync(program, check, { stdio: "pipe", cwd: this.room.path });
    const child = new Child(program, run, { cwd: this.room.path });
    this.#children.push(child);
    await whenListening({ host: "127.0.0.1", port: front }, () => child.isAlive, 40_000);
    return child;
  }

  async end(): Promise<void> {
    await Promise.all(this.#children.splice(0).map((child) => child.stop()));
  }
}
