/**
 * A contender and its task → a process on a core of its own that listens, and its memory.
 * Ends only what it started. The descriptor limit is raised in the child.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, type Contender, type Task, which } from "./contender.ts";

const START_MS = 30_000;
/** With one core alone there is nothing to separate. */
const canPin = availableParallelism() > 1 && which("taskset") !== undefined;

/** Parameters of the load generator that keep it away from the server's core. */
export const loadgenCore: readonly string[] = canPin ? ["--cpu", "1"] : [];

/** Whether server and load generator have a core each. */
export const isPinned: boolean = canPin;

const living = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});

/** A folder for everything that a run of the bench makes; short, since a socket's path has 107 bytes. */
export const room: string = mkdtempSync(join(tmpdir(), "postern-bench-"));
process.once("exit", () => rmSync(room, { recursive: true, force: true }));

let made = 0;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

function reach(address: Address): Promise<boolean> {
  return new Promise((done) => {
    const socket: Socket = "socket" in address ? connect(address.socket) : connect(address);
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** `sh` raises the limit, `taskset` chooses the core; both become the server, so that its id stays. */
function launched(core: number, program: string, parameters: readonly string[]): string[] {
  const raise = 'ulimit -n "$(ulimit -Hn)"; exec "$@"';
  const pin = canPin ? ["taskset", "-c", String(core)] : [];
  return ["-c", raise, "sh", ...pin, program, ...parameters];
}

/** A running server. */
export class ServerProcess {
  readonly address: Address;
  /** Milliseconds from its start to listening. */
  startMs = 0;
  /** What it says it is. */
  says = "";
  readonly #child: ChildProcess;
  #output = "";
  #isAlive = true;

  private constructor(child: ChildProcess, address: Address) {
    this.#child = child;
    this.address = address;
    living.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        // The last of it says why, when something does.
        this.#output = (this.#output + text).slice(-4_000);
      });
    }
    child.once("error", (error) => {
      this.#output += error.message;
      this.#isAlive = false;
    });
    child.once("exit", () => {
      this.#isAlive = false;
      living.delete(child);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Starts a server and waits until it listens. */
  static async start(
    contender: Contender,
    over: "unix" | "tcp",
    wanted: Omit<Task, "address" | "folder">,
    core = 0,
  ): Promise<ServerProcess> {
    const folder = join(room, String(made++));
    mkdirSync(folder);
    const address =
      over === "unix"
        ? { socket: join(folder, "s") }
        : { host: "127.0.0.1", port: await freePort() };
    const command = contender.command({ ...wanted, address, folder });
    const began = performance.now();
    const child = spawn("sh", launched(core, command.program, command.parameters), {
      stdio: ["ignore", "pipe", "pipe"],
      env: command.env ?? process.env,
    });
    const server = new ServerProcess(child, address);
    await server.#listening(contender.name, command.says, began);
    return server;
  }

  async #listening(name: string, says: boolean, began: number): Promise<void> {
    if (says) {
      this.#child.stdout?.on("data", () => {
        if (this.startMs === 0 && this.#line() !== undefined) {
          this.startMs = performance.now() - began;
        }
      });
    }
    while (says ? this.#line() === undefined : !(await reach(this.address))) {
      if (!this.#isAlive || performance.now() - began > START_MS) {
        throw new Error(`${name} does not listen: ${this.#output.trim().split("\n").at(-1) ?? ""}`);
      }
      await sleep(says ? 5 : 1);
    }
    if (this.startMs === 0) this.startMs = performance.now() - began;
    this.says = this.#line() ?? "";
  }

  /** What stands behind `listening`, once that line is whole. */
  #line(): string | undefined {
    return /^listening (.*)\n/m.exec(this.#output)?.[1];
  }

  /** Resident bytes, after a garbage collection where the server can be asked for one. */
  async residentBytes(canCollect: boolean): Promise<number> {
    if (canCollect) {
      this.#child.kill("SIGUSR2");
      await sleep(400);
    }
    const pages = Number(readFileSync(`/proc/${this.pid}/statm`, "utf8").split(" ")[1]);
    return pages * 4096;
  }

  async stop(): Promise<void> {
    if (!this.#isAlive) return;
    const gone = new Promise((done) => this.#child.once("exit", done));
    this.#child.kill("SIGTERM");
    const force = setTimeout(() => this.#child.kill("SIGKILL"), 3_000);
    await gone;
    clearTimeout(force);
  }
}
