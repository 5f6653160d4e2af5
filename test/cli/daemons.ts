/**
 * Daemons of the real command line, found by their pid files and gone when the tests are.
 *
 * A daemon is nobody's child, so it is asked for by its id. Says nothing about what is expected.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { request } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import type { Configuration } from "../support/engines.ts";
import { type Ended, makeProgram, type Program, type RunOptions } from "./program.ts";

/** What the application tells of its process. */
export interface Told {
  readonly pid: number;
  readonly ppid: number;
  readonly cwd: string;
  readonly umask: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly found: string;
}

/** Tells what its process is, prints a line to each stream when loaded, and what `/print` asks for. */
const APP = `
console.log("loaded, says stdout");
console.error("loaded, says stderr");
module.exports = (req, res) => {
  if (req.url.startsWith("/out/")) console.log(decodeURIComponent(req.url.slice(5)));
  if (req.url.startsWith("/err/")) console.error(decodeURIComponent(req.url.slice(5)));
  if (req.url === "/throw") throw new Error("of the handler");
  let found = "";
  try { found = require("neighbour"); } catch {}
  const { pid, ppid, argv, env } = process;
  res.end(JSON.stringify({ pid, ppid, argv, env, cwd: process.cwd(), umask: process.umask(), found }));
};
`;

/** A folder with an application, and what was started there. */
export interface DaemonRoom {
  readonly program: Program;
  /** Path of a file in the folder. */
  path(name: string): string;
  /** Runs the command to its end, as a launcher does. */
  launch(words: readonly string[], options?: RunOptions): Promise<Ended>;
  /**
   * Starts a daemon on the socket "s" with the pid file "p".
   *
   * @returns what its launcher printed
   * @throws where it does not start
   */
  daemon(...words: string[]): Promise<string>;
  /** The process that a pid file names. */
  pidIn(name: string): number;
  /** Ends the daemon of a pid file by a signal; resolves when it and its workers are gone. */
  stop(name: string, signal?: NodeJS.Signals): Promise<void>;
  clear(): Promise<void>;
}

/** Is there such a process? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Processes of a session, as the system lists them. */
export function sessionOf(pid: number): number[] {
  try {
    const list = execFileSync("ps", ["-o", "pid=", "-s", String(pid)], { encoding: "utf8" });
    return list
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map(Number);
  } catch {
    // ps has status 1 where there are none.
    return [];
  }
}

/** What the application behind a socket tells. */
export async function ask(socket: string, url = "/"): Promise<Told> {
  const response = await request({ protocol: "fastcgi", address: { socket }, url });
  return JSON.parse(await response.text()) as Told;
}

/** Makes such a folder. */
export async function makeDaemonRoom(configuration?: Configuration): Promise<DaemonRoom> {
  const program = await makeProgram(configuration);
  const path = (name: string): string => join(program.folder, name);
  writeFileSync(path("app.cjs"), APP);
  const pidIn = (name: string): number => Number(readFileSync(path(name), "latin1"));
  const started = new Set<number>();
  const launch: DaemonRoom["launch"] = async (words, options) => {
    const ended = await program.run(["app.cjs", ...words], options);
    const name = words.find((word) => /^(--)?pidfile=/i.test(word))?.replace(/^[^=]*=/, "");
    if (name !== undefined && existsSync(path(name))) started.add(pidIn(name));
    return ended;
  };
  return {
    program,
    path,
    pidIn,
    launch,
    async daemon(...words): Promise<string> {
      const { code, stderr } = await launch(["socket=s", "pidfile=p", ...words]);
      if (code !== 0) throw new Error(`status ${code}: ${stderr}`);
      return stderr;
    },
    async stop(name, signal = "SIGTERM"): Promise<void> {
      const pid = pidIn(name);
      process.kill(pid, signal);
      await until(() => sessionOf(pid).length === 0, 20_000);
    },
    async clear(): Promise<void> {
      for (const pid of started) for (const one of sessionOf(pid)) process.kill(one, "SIGKILL");
      await program.clear().catch(() => rmSync(program.folder, { recursive: true, force: true }));
    },
  };
}
