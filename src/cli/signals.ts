/**
 * Signals → a server that drains, and a process that ends.
 *
 * SIGTERM and SIGINT let running requests finish; a second one ends at once. Closes nothing by itself but through the
 * server. Reliability 3.3; the timing of mod_fcgid is heritage S3c.
 */
import { told } from "../server/server.ts";
import type { BoundAddress, Timeouts } from "../server/settings.ts";

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

function graceOf(bound: BoundAddress, timeouts: Timeouts): Grace {
  if (bound.fd !== 0) return timeouts;
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
 * Handlers of requests that are cut off have `grace.kill` for what they clean up: the process ends by itself when nothing
 * is left to do, else after that time; with status 1 where a connection would not even close.
 */
function drain(server: Stoppable, grace: Grace): void {
  let isClosed = false;
  let isCut = false;
  server.close(async () => {
    isClosed = true;
    await told();
    if (!isCut) process.exit(0);
  });
  after(grace.drain, () => {
    isCut = true;
    server.closeAllConnections();
    setTimeout(() => process.exit(isClosed ? 0 : 1), grace.kill).unref();
  });
}

/**
 * SIGUSR1 would open a debugger's port on this machine. A listener, even an empty one, keeps it shut; to be called
 * before any code of the application runs.
 */
export function disarmDebugger(): void {
  process.on("SIGUSR1", () => undefined);
}

/**
 * Ends the process on SIGTERM and SIGINT.
 *
 * @param say prints one line
 */
export function stopOnSignals(
  server: Stoppable,
  bound: BoundAddress,
  timeouts: Timeouts,
  say: (line: string) => void,
): void {
  let firstMs: number | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (firstMs === undefined) {
      firstMs = nowMs;
      say(`${signal}: finishing what runs`);
      drain(server, graceOf(bound, timeouts));
      return;
    }
    // A web server that spawned us repeats SIGTERM as it likes, and the drain is short there anyway.
    if (nowMs - firstMs <= SAME_SIGNAL_MS || (bound.fd === 0 && signal === "SIGTERM")) return;
    say(`${signal} again: ending at once`);
    process.exit(1);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}
