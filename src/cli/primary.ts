/**
 * A command that asks for workers → a process that holds the address, and workers that serve it.
 *
 * It never loads the application and never accepts a connection. When and how many is workers/pool.ts's; this file puts
 * address, workers and signals together and says what happens.
 */
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { findDuplication } from "../engine/select.ts";
import { ERR_NOT_LISTENING } from "../server/listen-failure.ts";
import { type HeldListener, holdListener } from "../server/held-listener.ts";
import type { ResolvedOptions, Timeouts } from "../server/settings.ts";
import { whileInUse } from "../serve/address-retry.ts";
import { normalizeOptions } from "../serve/options.ts";
import { openStatus } from "../serve/status-endpoint.ts";
import { readVersion } from "../serve/version.ts";
import { PoolStatus } from "../workers/pool-status.ts";
import { Pool } from "../workers/pool.ts";
import type { PoolOwner } from "../workers/pool-plan.ts";
import type { Failure } from "../workers/reload-queue.ts";
import { SourceWatch } from "../workers/source-watch.ts";
import { TouchWatch } from "../workers/touch-watch.ts";
import type { Launch } from "../workers/worker.ts";
import { threadLauncher } from "../workers/worker-thread.ts";
import { processLauncher, WORKER_FD } from "../workers/worker-process.ts";
import type { ServeCommand } from "./arguments.ts";
import { nowServing } from "./footing.ts";
import { moduleFile } from "./load-app.ts";
import { output } from "./output.ts";
import { disarmDebugger, obeyStops, reopenOnSignal, spawnedGrace } from "./signals.ts";
import { filesOf, isSpawned, say, wantsTouch } from "./start.ts";
import { selectEngine } from "../engine/select.ts";
import { firstSize, type ScalingBounds } from "../workers/scaling.ts";
import { Steering, type SteeringPlan } from "../workers/steering.ts";

/** Longest time for a worker to load the application, in milliseconds. */
const READY_MS = 60_000;
/** Between the end of the socket file and that of its listeners, in milliseconds. */
const BACKLOG_MS = 200;
/** On descriptor 0, where the pool adds two seconds before it kills: gone in less than six, in milliseconds. */
const SPAWNED_DRAIN_MS = 3_000;
const SPAWNED_KILL_MS = 500;

type Grace = Pick<Timeouts, "drain" | "kill">;

function ownerOf(held: HeldListener, worn: () => void): PoolOwner {
  return {
    say,
    worn,
    ready: () => held.place(),
    gaveUp(sentence): void {
      say(sentence);
      held.close();
      void output.end(1);
    },
  };
}

/** How workers run, and for people with the reason where that is not what was asked for. */
interface WorkerMethod {
  readonly isThreaded: boolean;
  readonly text: string;
}

function methodOf({ processes }: ServeCommand): WorkerMethod {
  if (processes.method !== "threaded") return { isThreaded: false, text: "prefork" };
  const { reason } = findDuplication();
  if (reason === undefined) return { isThreaded: true, text: "threaded" };
  return { isThreaded: false, text: `prefork and not threaded, since ${reason}` };
}

function launcherOf(method: WorkerMethod, fd: number): Launch {
  const plan = {
    module: join(import.meta.dirname, "worker.cjs"),
    env: process.env,
    output: (stream: Readable, name: "stdout" | "stderr", pid: number) =>
      output.gather(stream, name, pid),
  };
  return method.isThreaded ? threadLauncher(plan) : processLauncher({ ...plan, fd });
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

function leaveMsOf({ drain, kill }: Grace): number {
  return drain === 0 ? 0 : drain + kill;
}

/** Hears every signal, from before the first worker is started. */
function obeySignals(
  pool: Pool,
  held: HeldListener,
  steering: Steering,
  spawned: boolean,
): { stopped: boolean } {
  const state = { stopped: false };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    state.stopped = true;
    say(`${signal}: finishing what runs`);
    const { hasServed } = pool;
    const starting = [...pool.workers.values()].filter(({ state }) => state === "starting");
    steering.stop();
    held.close();
    // Nobody new finds a socket file that is gone: those who found it are let in before the workers close.
    await sleep(BACKLOG_MS);
    const stopped = pool.stop();
    // They serve nobody, and may never be ready.
    for (const { channel } of starting) channel.kill();
    await stopped;
    await output.end(hasServed ? 0 : 1);
  };
  const force = (): void => {
    pool.kill();
    void output.end(1);
  };
  obeyStops({ stop: (signal) => void stop(signal), force, isSpawned: spawned });
  reopenOnSignal(() => {
    for (const { channel } of pool.workers.values()) channel.send({ kind: "reopen" });
  });
  process.on("SIGHUP", () => reload(pool, "SIGHUP"));
  return state;
}

/** Loads the application anew, and says how that went. */
function reload(pool: Pool, why: string): void {
  say(`${why}: loading the application anew`);
  pool.reload().then(
    () => say("the new workers serve"),
    ({ sentence, detail }: Failure) =>
      output.print(
        `postern: the old workers go on, since new ones cannot begin: ${sentence}` +
          `${detail === "" ? "" : `\n${detail}`}`,
      ),
  );
}

/** Reloads by itself, where that is wished. */
function watchFiles(pool: Pool, command: ServeCommand, spawned: boolean): void {
  const { touchReload, watch } = command.processes;
  if (spawned ? wantsTouch(command) : touchReload === true) {
    new TouchWatch(filesOf(command), (path) => reload(pool, `${path} was touched`));
  }
  if (watch)
    new SourceWatch(dirname(moduleFile(command.app)), (path) => reload(pool, `${path} changed`));
}

/** The options as given, less time than the web server has for us where one started us: later words win. */
function wordsFor(command: ServeCommand, grace: Grace, spawned: boolean): readonly string[] {
  if (!spawned) return command.words;
  const { drain, kill } = grace;
  return [...command.words, `--timeouts.drain=${drain}`, `--timeouts.kill=${kill}`];
}

/** The time for a stop, less what the pool adds where a web server has its own limit. */
function graceOf(timeouts: Timeouts, spawned: boolean): Grace {
  if (!spawned) return timeouts;
  const { drain, kill } = spawnedGrace(timeouts);
  return { drain: Math.min(drain, SPAWNED_DRAIN_MS), kill: Math.min(kill, SPAWNED_KILL_MS) };
}

/** Ends this process for a reason that a worker, or nobody, could tell better. */
async function refuse(held: HeldListener, failure: Failure): Promise<never> {
  held.close();
  const { sentence, code, detail, status } = failure;
  say(code === ERR_NOT_LISTENING ? held.refused().message : sentence);
  if (detail !== "") output.print(detail);
  return output.end(status);
}

/** Opens the status of all workers, where it is asked for. */
async function showPool({ status }: ResolvedOptions, open: () => PoolStatus): Promise<void> {
  if (status === undefined) return;
  const source = open();
  await whileInUse(() => openStatus(status, () => source.read()));
}

/**
 * Serves by workers, until a signal.
 *
 * @throws UsageError when the address cannot be had
 * @returns once it serves, or when it is about to end
 */
export async function startPrimary(command: ServeCommand): Promise<void> {
  disarmDebugger();
  const resolved = normalizeOptions(command.options, process.env);
  const spawned = isSpawned(resolved.listen);
  const grace = graceOf(resolved.timeouts, spawned);
  const held = await whileInUse(() => holdListener(resolved, process.env));
  const method = methodOf(command);
  const launch = launcherOf(method, held.fd);
  const { folder } = command;
  const words = wordsFor(command, grace, spawned);
  const { scaling, recycling, balance, maxRestarts } = command.processes;
  const { watch, note } = watchOf(command, held.fd);
  const plan = {
    size: firstSize(scaling),
    maxRestarts,
    launch,
    begin: (id: number, generation: number) =>
      ({
        kind: "begin",
        words,
        folder,
        fd: method.isThreaded ? held.fd : WORKER_FD,
        id,
        generation,
      }) as const,
    readyMs: READY_MS,
    leaveMs: leaveMsOf(grace),
  };
  const pool: Pool = new Pool(
    plan,
    ownerOf(held, () => steering.worn()),
  );
  const facts = {
    version: readVersion(),
    method: method.isThreaded ? "threaded" : "prefork",
    address: held.text,
    fd: held.fd,
  };
  await showPool(resolved, () => new PoolStatus(pool, facts));
  const steering = new Steering(pool, { bounds: scaling, recycling, balance, watch, say });
  const signals = obeySignals(pool, held, steering, spawned);
  try {
    await pool.start();
  } catch (failure) {
    // A signal that came meanwhile has its own end.
    if (signals.stopped) return;
    await refuse(held, failure as Failure);
  }
  watchFiles(pool, command, spawned);
  const line = startLine(pool, held, method.text, shownSize(scaling, watch === undefined ? 1 : 0));
  await steering.start();
  serveOrLeave(pool, held, command, [line, note].filter((text) => text !== "").join(". "));
}

/** Writes the pid file and says that it serves; leaves where that cannot be. */
function serveOrLeave(pool: Pool, held: HeldListener, command: ServeCommand, line: string): void {
  try {
    nowServing(command, line);
  } catch (error) {
    held.close();
    pool.kill();
    throw error;
  }
}
