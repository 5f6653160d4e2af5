/**
 * Timeouts as they are configured → the time that a stop of workers has, which a web server that started us may shorten.
 *
 * Mod_fcgid kills after eight seconds (heritage S3c), and the pool adds two before it kills. Stops nobody.
 */
import type { Timeouts } from "../server/settings.ts";
import type { ServeCommand } from "./arguments.ts";
import { spawnedGrace } from "./signals.ts";

/** On descriptor 0, where the pool adds two seconds before it kills: gone in less than six, in milliseconds. */
const SPAWNED_DRAIN_MS = 3_000;
const SPAWNED_KILL_MS = 500;

/** How long a stop may take. */
export type Grace = Pick<Timeouts, "drain" | "kill">;

/** The time for a stop, less what the pool adds where a web server has its own limit. */
export function graceOf(timeouts: Timeouts, spawned: boolean): Grace {
  if (!spawned) return timeouts;
  const { drain, kill } = spawnedGrace(timeouts);
  return { drain: Math.min(drain, SPAWNED_DRAIN_MS), kill: Math.min(kill, SPAWNED_KILL_MS) };
}

/** Longest time for one worker to leave, in milliseconds; 0: no limit. */
export function leaveMsOf({ drain, kill }: Grace): number {
  return drain === 0 ? 0 : drain + kill;
}

/** The options as given, less time than the web server has for us where one started us: later words win. */
export function wordsFor(command: ServeCommand, grace: Grace, spawned: boolean): readonly string[] {
  if (!spawned) return command.words;
  const { drain, kill } = grace;
  return [...command.words, `--timeouts.drain=${drain}`, `--timeouts.kill=${kill}`];
}
