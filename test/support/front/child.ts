/**
 * A program → a child in the foreground whose stderr is kept line by line.
 *
 * Knows no server: the files beside it render configurations. Every child is ended when the test process
 * ends, and only children that were started here are ever ended.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";

const living = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of living) child.kill("SIGTERM");
});

/** How a child is started. */
export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** A running program, in the foreground. */
export class Child {
  readonly process: ChildProcess;
  /** What it wrote to stderr and stdout, line by line. */
  readonly lines: string[] = [];
  readonly #ended: Promise<string>;
  #isAlive = true;

  constructor(program: string, parameters: readonly string[], options: ChildOptions = {}) {
    this.process = spawn(program, parameters, {
      stdio: ["ignore", "pipe", "pipe"],
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    living.add(this.process);
    for (const stream of [this.process.stdout, this.process.stderr]) {
      let rest = "";
      stream?.setEncoding("utf8").on("data", (text: string) => {
        const parts = (rest + text).split("\n");
        rest = parts.pop() ?? "";
        this.lines.push(...parts);
      });
      stream?.on("end", () => rest !== "" && this.lines.push(rest));
    }
    this.#ended = new Promise((done) => {
      const over = (how: string): void => {
        this.#isAlive = false;
        living.delete(this.process);
        done(how);
      };
      this.process.once("error", (error) => over(error.message));
      // "close", not "exit": the last lines of stderr are in by then.
      this.process.once("close", (code, signal) => over(signal ?? String(code)));
      this.process.once("exit", () => {
        this.#isAlive = false;
      });
    });
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) throw new Error("the program could not be started");
    return pid;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Resolves to the exit status, or the signal's name, once the child has ended. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  /** Ends the child, in the end by force; resolves to its exit status or the signal's name. */
  async stop(signal: NodeJS.Signals = "SIGTERM", graceMs = 10_000): Promise<string> {
    if (this.#isAlive) this.process.kill(signal);
    const force = setTimeout(() => this.process.kill("SIGKILL"), graceMs);
    try {
      return await this.#ended;
    } finally {
      clearTimeout(force);
    }
  }
}

/** Path of an installed program; servers lie where ordinary users have no PATH. */
export function findProgram(name: string): string | undefined {
  const folders = `${process.env["PATH"] ?? ""}${delimiter}/usr/local/sbin${delimiter}/usr/sbin`;
  for (const folder of folders.split(delimiter).filter((part) => part !== "")) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this folder: the next one is asked.
    }
  }
  return undefined;
}

/** Whether the tests run as root, so that servers give up their rights. */
export const isRoot: boolean = process.getuid?.() === 0;

/** The user and group that servers' workers become when the tests run as root. */
export function workerAccount(): { user: string; group: string } {
  const users = readFileSync("/etc/passwd", "utf8");
  const groups = readFileSync("/etc/group", "utf8");
  const first = (text: string, names: readonly string[]): string =>
    names.find((name) => new RegExp(`^${name}:`, "m").test(text)) ?? "nobody";
  return {
    user: first(users, ["www-data", "http", "nobody"]),
    group: first(groups, ["www-data", "http", "nogroup", "nobody"]),
  };
}
