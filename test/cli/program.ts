/**
 * The real command line, bundled as scripts/build.mjs bundles it and run in a process of its own.
 *
 * Bundled anew for each test file, so that no test passes on yesterday's dist/. Says nothing about what is expected.
 */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { get, type RequestOptions } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "rolldown";
import { request } from "../../src/client/client.ts";
import { equipFolder } from "../support/apart.ts";
import { type Configuration, CONFIGURATIONS, wayOf } from "../support/engines.ts";

const root = resolve(import.meta.dirname, "../..");
/** Longest wait for a start line or an end, in milliseconds. */
const WAIT_MS = 15_000;

/** How a program ended. */
export interface Ended {
  /** Exit status; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run it. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio?: StdioOptions;
  /** User and group to run as; needs root. */
  readonly uid?: number;
  /** A shell script to run in its place; `"$@"` is the program and its arguments. */
  readonly shell?: string;
  /** When it is killed, whatever it does, in milliseconds; 15 s without. */
  readonly longestMs?: number;
}

/** A program that runs. */
export interface Running {
  readonly child: ChildProcess;
  /** Everything it has written to stderr. */
  stderr(): string;
  /** The start line, once it is there. */
  readonly started: Promise<string>;
  readonly ended: Promise<Ended>;
}

/** The command line of one test file. */
export interface Program {
  /** A folder for the test's files, readable by everybody. */
  readonly folder: string;
  /** Starts it. */
  start(args: readonly string[], options?: RunOptions): Running;
  /** Runs it to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Ends everything that was started and removes the folder. */
  clear(): Promise<void>;
}

function startLine(
  child: ChildProcess,
  read: () => string,
  ended: Promise<Ended>,
): Promise<string> {
  const started = new Promise<string>((done, fail) => {
    const look = (): void => {
      const line = /^postern \d.*$/m.exec(read());
      if (line !== null && read().includes(`${line[0]}\n`)) done(line[0]);
    };
    child.stderr?.on("data", look);
    void ended.then(({ code, stderr }) =>
      fail(new Error(`ended with ${code} before it started: ${stderr}`)),
    );
  });
  // Programs that are run to their end have no start line, and nobody waits for it.
  started.catch(() => undefined);
  return started;
}

function follow(child: ChildProcess, longestMs = WAIT_MS): Running {
  const text = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (part: string) => (text.stdout += part));
  child.stderr?.setEncoding("utf8").on("data", (part: string) => (text.stderr += part));
  const timer = setTimeout(() => child.kill("SIGKILL"), longestMs);
  const ended = new Promise<Ended>((done, fail) => {
    child.once("error", fail);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      done({ code, signal, ...text });
    });
  });
  return {
    child,
    stderr: () => text.stderr,
    started: startLine(child, () => text.stderr, ended),
    ended,
  };
}

/**
 * Bundles one source file as scripts/build.mjs does, so that Node itself runs it, and not the test runner.
 *
 * @param source path inside src/
 * @param file   where the CommonJS module goes
 */
export async function bundle(source: string, file: string): Promise<void> {
  await build({
    input: join(root, "src", source),
    cwd: root,
    platform: "node",
    external: (id) => !id.startsWith(".") && !id.startsWith("/"),
    output: { file, format: "cjs", codeSplitting: false },
  });
}

/**
 * Bundles the command line into a folder of its own.
 *
 * @param configuration what its environment asks for
 */
export async function makeProgram(configuration: Configuration = "typescript"): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "postern-cli-"));
  chmodSync(folder, 0o755);
  const program = join(folder, "cli.cjs");
  // Without the addon that engine is what there is, whatever is asked for.
  if (configuration === "typescript") {
    copyFileSync(join(root, "package.json"), join(folder, "package.json"));
  } else equipFolder(folder);
  await bundle("cli/main.ts", program);
  await bundle("cli/worker.ts", join(folder, "worker.cjs"));
  const { engine, transport } = wayOf(configuration);
  const way =
    configuration === "typescript"
      ? { POSTERN_ENGINE: engine }
      : { POSTERN_ENGINE: engine, POSTERN_TRANSPORT: transport };
  const children: Running[] = [];
  const start = (args: readonly string[], options: RunOptions = {}): Running => {
    const words = [process.execPath, program, ...args];
    const command =
      options.shell === undefined ? words : ["/bin/sh", "-c", options.shell, "sh", ...words];
    const child = spawn(command[0]!, command.slice(1), {
      cwd: options.cwd ?? folder,
      env: { PATH: process.env["PATH"], ...way, ...options.env },
      stdio: options.stdio ?? ["ignore", "pipe", "pipe"],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    const running = follow(child, options.longestMs);
    children.push(running);
    return running;
  };
  return {
    folder,
    start,
    run: (args, options) => start(args, options).ended,
    async clear(): Promise<void> {
      for (const { child } of children) child.kill("SIGKILL");
      await Promise.all(children.map(({ ended }) => ended));
      rmSync(folder, { recursive: true });
    },
  };
}

/** What a program speaks, and in which configuration: HTTP is served by node itself. */
export interface Speech {
  readonly protocol: "http" | "fastcgi";
  readonly configuration: Configuration;
}

/** Everything of that kind that can run here. */
export const SPEECHES: readonly Speech[] = [
  { protocol: "http", configuration: "typescript" },
  ...CONFIGURATIONS.filter(({ create }) => create !== undefined).map(
    ({ name }) => ({ protocol: "fastcgi", configuration: name }) as const,
  ),
];

/** A GET by HTTP, or by FastCGI; resolves with the body. */
export async function askBy(
  protocol: Speech["protocol"],
  where: { readonly socketPath?: string; readonly port?: number; readonly path: string },
): Promise<string> {
  if (protocol === "http") return ask(where);
  const { socketPath, port, path } = where;
  const address = socketPath === undefined ? { port: port! } : { socket: socketPath };
  return (await request({ protocol, address, url: path })).text();
}

/** A GET by HTTP; resolves with the body. */
export function ask(where: RequestOptions): Promise<string> {
  return new Promise((done, fail) => {
    get({ agent: false, ...where }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("end", () => done(text));
      response.on("error", fail);
    }).on("error", fail);
  });
}
