/**
 * A command and a listening socket → its pool of workers, what steers that, and both in words for the start line.
 *
 * Starts nobody yet. How the operator's options bound the workers is worker-options.ts's.
 */
import { selectEngine } from "../engine/select.ts";
import type { HeldListener } from "../server/held-listener.ts";
import { readVersion } from "../serve/version.ts";
import { Pool } from "../workers/pool.ts";
import type { PoolOwner, PoolPlan } from "../workers/pool-plan.ts";
import { firstSize, type ScalingBounds } from "../workers/scaling.ts";
import { Steering, type SteeringPlan } from "../workers/steering.ts";
import { WORKER_FD } from "../workers/worker-process.ts";
import type { ServeCommand } from "./arguments.ts";
import { type Grace, leaveMsOf, wordsFor } from "./grace.ts";
import { say } from "./start.ts";
import { launcherOf, methodOf, type WorkerMethod } from "./worker-launch.ts";

/** Longest time for a worker to load the application, in milliseconds. */
export const READY_MS = 60_000;

/** The workers of a primary. */
export interface Workforce {
  readonly pool: Pool;
  readonly steering: Steering;
  readonly method: WorkerMethod;
  /** What is to be said once they serve. */
  line(): string;
}

/** Where workers serve, and under which limits. */
export interface WorkPlace {
  readonly held: HeldListener;
  readonly grace: Grace;
  /** Did a web server start this process, with the socket on descriptor 0? */
  readonly spawned: boolean;
  /** So many workers, whatever the options say; 0: as these say. */
  readonly fixed: number;
}

/** How many there will be: `2 workers`, `2 to 8 workers`. */
function shownSize({ mode, workers, minSpare, maxChildren }: ScalingBounds, floor: number): string {
  if (mode === "static") return workers === 1 ? "1 worker" : `${workers} workers`;
  return `${mode === "ondemand" ? floor : minSpare} to ${maxChildren} workers`;
}

/** Tells of connections that wait, where that is wanted and can be had; else why not. */
function watchOf(
  command: ServeCommand,
  fd: number,
): Pick<SteeringPlan, "watch"> & { note: string } {
  const { scaling, recycling, method } = command.processes;
  const isOnDemand = scaling.mode === "ondemand";
  if (!isOnDemand && recycling.maxRequests !== 1) return { watch: undefined, note: "" };
  const { choice, watchListener } = selectEngine(command.options.engine);
  if (watchListener !== undefined) {
    return { watch: (ready) => watchListener(fd, ready), note: "" };
  }
  const without = `the socket cannot be watched without the addon (engine ${choice.name}: ${choice.reason})`;
  const note = isOnDemand
    ? `pm=ondemand keeps one worker, since ${without}.`
    : `With maxrequests=1 new code is seen one request later, since ${without}.`;
  return { watch: undefined, note: method === "single" ? "" : note };
}

function startLine(pool: Pool, held: HeldListener, method: string, size: string): string {
  const { facts } = pool.serving[0]!;
  const { protocols, engine, transport, note } = facts!;
  const line =
    `postern ${readVersion()}: ${protocols.join("+")} on ${held.text}, engine ${engine}` +
    `${transport === "" ? "" : `, transport ${transport}`}, ${size} (${method}), ` +
    `pid ${process.pid}`;
  return note === "" ? line : `${line}. ${note}`;
}

function planOf(
  command: ServeCommand,
  { held, grace, spawned }: WorkPlace,
  method: WorkerMethod,
  scaling: ScalingBounds,
): PoolPlan {
  const { folder } = command;
  const words = wordsFor(command, grace, spawned);
  const fd = method.isThreaded ? held.fd : WORKER_FD;
  return {
    size: firstSize(scaling),
    maxRestarts: command.processes.maxRestarts,
    launch: launcherOf(method, held.fd),
    begin: (id, generation) => ({
      kind: "begin",
      words,
      folder,
      fd,
      address: held.text,
      id,
      generation,
    }),
    readyMs: READY_MS,
    leaveMs: leaveMsOf(grace),
  };
}

/** Makes the workforce. */
export function workforceOf(
  command: ServeCommand,
  place: WorkPlace,
  owner: Omit<PoolOwner, "worn" | "say">,
): Workforce {
  const { processes } = command;
  const { recycling, balance } = processes;
  const { held, fixed } = place;
  const scaling: ScalingBounds =
    fixed > 0 ? { ...processes.scaling, mode: "static", workers: fixed } : processes.scaling;
  const method = methodOf(command);
  const { watch, note } = watchOf(command, held.fd);
  const worn = (): void => steering.worn();
  const pool = new Pool(planOf(command, place, method, scaling), { ...owner, worn, say });
  const steering: Steering = new Steering(pool, {
    bounds: scaling,
    recycling,
    balance,
    watch,
    say,
  });
  return {
    pool,
    steering,
    method,
    line(): string {
      const size = shownSize(scaling, watch === undefined ? 1 : 0);
      const line = startLine(pool, held, method.text, size);
      return [line, note].filter((text) => text !== "").join(". ");
    },
  };
}
