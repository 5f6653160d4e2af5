/**
 * Signals → a server that drains, and a process that ends.
 *
 * SIGTERM, SIGINT and SIGQUIT let running requests finish; a second one ends at once. Closes nothing by itself but through
 * the server. Reliability 3.3; the timing of mod_fcgid is heritage S3c.
 */
import { logsClosed } from "../observe/line-log.ts";
import { told } from "../server/told.ts";
import type { BoundAddress, Timeouts } from "../server/settings.ts";
import { output } from "./output.ts";

/** mod_fcgid and impatient scripts send SIGTERM twice within this, in milliseconds; that is one wish. */
const SAME_SIGNAL_MS = 1_300;
/** On descriptor 0: drained by then, and gone by the second, in milliseconds. mod_fcgid kills after 8 s. */
const SPAWNED_DRAIN_MS = 5_000;
const SPAWNED_KILL_MS = 1_000;

/** What of a server this needs. */
export interface Stoppable {
  close(closed: (error?: Error) => void): unknown;
  closeAllConnections(): void;
}

/** How long a stop may take. */
type Grace = Pick<Timeouts, "drain" | "kill">;

/** How long a stop may take where a web server started this process, which would kill it: in milliseconds. */
export function spawnedGrace(timeouts: Grace): Grace {
  // 0 means no limit, and there is one: the web server's.
  const shorter = (ms: number, max: number): number => (ms === 0 ? max : Math.min(ms, max));
  return {
    drain: shorter(timeouts.drain, SPAWNED_DRAIN_MS),
    kill: shorter(timeouts.kill, SPAWNED_KILL_MS),
  };
}

function after(ms: number, run: () => void): void {
  if (ms > 0) setTimeout(run, ms);
}

/**
 * Stops taking connections, waits for what runs, and ends the process with status 0.
 *
 * Handlers of requests that are cut off have the kill timeout for what they clean up: the process ends by itself when
 * nothing is left to do, else after that time; with status 1 where a connection would not even close.
 */
export function drain(server: Stoppable, bound: BoundAddress, timeouts: Grace): void {
  const grace = bound.fd === 0 ? spawnedGrace(timeouts) : timeouts;
  let isClosed = false;
  let isCut = false;
  server.close(async () => {
    isClosed = true;
    await told();
    await logsClosed();
    if (!isCut) await output.end(0);
  });
  after(grace.drain, () => {
    isCut = true;
    server.closeAllConnections();
    setTimeout(() => void output.end(isClosed ? 0 : 1), grace.kill).unref();
  });
}

/**
 * SIGUSR1 would open a debugger's port on this machine. A listener, even an empty one, keeps it shut; to be called
 * before any code of the application runs.
 */
export function disarmDebugger(): void {
  process.on("SIGUSR1", () => undefined);
}

/** What to do at a signal that ends. */
export interface StopWishes {
  /** The first one. */
  stop(signal: NodeJS.Signals): void;
  /** Another one, which is meant. */
  force(): void;
  /** Did a web server start this process, with the socket on descriptor 0? It repeats SIGTERM as it likes. */
  readonly isSpawned: boolean;
}

/** Hears SIGTERM, SIGINT and SIGQUIT, from the first moment: two within a moment are one wish. */
export function obeyStops(wishes: StopWishes): void {
  let firstMs: number | undefined;
  const heard = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (firstMs === undefined) {
      firstMs = nowMs;
      wishes.stop(signal);
      return;
    }
    if (nowMs - firstMs <= SAME_SIGNAL_MS || (wishes.isSpawned && signal === "SIGTERM")) return;
    output.say(`${signal} again: ending at once`);
    wishes.force();
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) process.on(signal, heard);
}

/** Opens logs anew at SIGUSR1. */
export function reopenOnSignal(also: () => void = () => undefined): void {
  process.on("SIGUSR1", () => {
    output.reopen();
    also();
  });
}
