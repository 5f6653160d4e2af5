/**
 * A block of a document → a program that runs in a folder of its own, with postern installed as a user has it.
 *
 * What documents name for all machines becomes this test's: folders below /run, /etc and /srv, and ports. Everything
 * else runs to the letter. Programs get a process group, so that what they start ends with them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { compatModules } from "./compat-packages.ts";
import { isRoot } from "./front/child.ts";
import { type Address, freePorts, Room, reachable, whenListening } from "./front/ports.ts";
import { type Block, projectRoot } from "./documents.ts";

/** A program that has not begun to listen by then never will, on however busy a machine. */
const START_MS = 40_000;
/** Folders that documents name, all of which are the room. */
const FOLDERS = /\/(?:run|etc|srv)\/app\b/g;
/** Ports that documents name. */
const PORTS: readonly string[] = ["9000", "9001", "4000", "8009", "8080", "443", "80"];
/** Of the package, what a user has. */
const PACKAGE: readonly string[] = ["package.json", "dist", "build/Release", "prebuilds"];

/** Packages that come with it: what package-lock.json has for production. */
function dependencies(): string[] {
  const { packages } = JSON.parse(readFileSync(join(projectRoot, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; peer?: boolean }>;
  };
  return Object.entries(packages)
    .filter(([path, { dev, optional, peer }]) => path !== "" && !dev && !optional && !peer)
    .map(([path]) => path);
}

/** Packages that examples use beside it. */
const USED: readonly string[] = ["ws"];

/** A program that runs. */
export interface Running {
  readonly child: ChildProcess;
  /** What it printed so far, both streams. */
  said(): string;
  /** Resolves to its exit status, or the signal's name. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  stop(): Promise<void>;
}

/** The folder of one document. */
export class DocumentRoom {
  readonly path: string;
  /** The Node that documents call /usr/bin/node. */
  readonly node: string;
  readonly #room: Room;
  readonly #ports: ReadonlyMap<string, number>;

  private constructor(room: Room, ports: ReadonlyMap<string, number>) {
    this.#room = room;
    this.#ports = ports;
    this.path = room.path;
    this.node = process.execPath;
    if (isRoot && !reachable(process.execPath)) {
      this.node = room.file("node");
      copyFileSync(process.execPath, this.node);
      chmodSync(this.node, 0o755);
    }
  }

  /** Makes the folder, with the package in it. */
  static async open(): Promise<DocumentRoom> {
    const room = new Room("docs");
    if (!existsSync(join(projectRoot, "dist/index.cjs")))
      throw new Error("dist/ is missing; run npm run build first.");
    const installed = join(room.path, "node_modules/postern");
    // Copied and not linked: a front server that starts programs itself does it as a user who may not read here.
    for (const part of PACKAGE) {
      const from = join(projectRoot, part);
      if (existsSync(from)) cpSync(from, join(installed, part), { recursive: true });
    }
    for (const path of dependencies()) {
      cpSync(join(projectRoot, path), join(room.path, path), { recursive: true });
    }
    for (const name of USED)
      cpSync(join(projectRoot, "node_modules", name), join(room.path, "node_modules", name), {
        recursive: true,
      });
    for (const name of existsSync(compatModules) ? readdirSync(compatModules) : []) {
      // Frameworks that documents show, where they are installed; what postern brings is the copy.
      const link = join(room.path, "node_modules", name);
      if (!name.startsWith(".") && !existsSync(link)) symlinkSync(join(compatModules, name), link);
    }
    mkdirSync(join(room.path, "node_modules/.bin"));
    symlinkSync("../postern/dist/cli.cjs", join(room.path, "node_modules/.bin/postern"));
    writeFileSync(join(room.path, "package.json"), '{ "name": "app", "private": true }\n');
    const numbers = await freePorts(PORTS.length);
    return new DocumentRoom(room, new Map(PORTS.map((name, index) => [name, numbers[index]!])));
  }

  /** The port that stands for one of the documents' ports. */
  port(written: string): number {
    const port = this.#ports.get(written);
    if (port === undefined) throw new Error(`documents name no port ${written}`);
    return port;
  }

  /** Text of a document as it is for this test. */
  localize(text: string): string {
    // Ports first: the room's own path may hold such numbers.
    return text
      .replace(/(?<![\d.])\d{2,4}(?![\d.])/g, (number) => String(this.#ports.get(number) ?? number))
      .replace(FOLDERS, () => this.path)
      .replaceAll("/usr/bin/node", () => this.node);
  }

  /** An address as documents write it: a path, or a port of 127.0.0.1. */
  address(written: string): Address {
    if (written.startsWith("/")) return { socket: this.localize(written) };
    return { host: "127.0.0.1", port: this.port(written) };
  }

  /** Writes a file of the documents. */
  write(name: string, text: string): void {
    const path = this.#room.file(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, this.localize(text));
    if (text.startsWith("#!")) chmodSync(path, 0o755);
  }

  /** Starts a block: JavaScript by Node, commands by the shell. */
  start(block: Block): Running {
    const isScript = block.language === "js";
    const name = `block-${block.line}.mjs`;
    if (isScript) this.write(name, block.text);
    const words = isScript ? [name] : ["-e", "-c", this.localize(block.text)];
    // Front servers run as another user than the socket's; whoever gives a mode or umask keeps it.
    const env: NodeJS.ProcessEnv = { ...process.env, POSTERN_MODE: "666" };
    delete env["NODE_OPTIONS"];
    delete env["VITEST"];
    const child = spawn(isScript ? process.execPath : "/bin/sh", words, {
      cwd: this.path,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return runningOf(child);
  }

  /** Starts a block and resolves once it accepts at an address. */
  async serve(block: Block, address: Address): Promise<Running> {
    const running = this.start(block);
    try {
      await whenListening(address, () => running.child.exitCode === null, START_MS);
    } catch (error) {
      await running.stop();
      throw new Error(`it does not serve: ${running.said()}`, { cause: error });
    }
    return running;
  }

  remove(): void {
    this.#room.remove();
  }
}

function runningOf(child: ChildProcess): Running {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
  }
  const ended = new Promise<number | NodeJS.Signals | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", (code, signal) => done(code ?? signal));
  });
  const end = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-child.pid!, signal);
    } catch {
      // The whole group has ended already.
    }
  };
  return {
    child,
    said: () => text,
    ended,
    async stop(): Promise<void> {
      end("SIGTERM");
      const force = setTimeout(() => end("SIGKILL"), 5_000);
      await ended.catch(() => undefined);
      clearTimeout(force);
      end("SIGKILL");
    },
  };
}
