/**
 * A command that asks for workers → a process that holds the address, and workers that serve it.
 *
 * It never loads the application and never accepts a connection. When and how many is workers/pool.ts's; this file puts
 * address, workers and signals together and says what happens.
 */
import { join } from "node:path";
import type { Readable } from "node:stream";
import { findDuplication } from "../engine/select.ts";
import { ERR_NOT_LISTENING } from "../server/listen-failure.ts";
import { type HeldListener, holdListener } from "../server/held-listener.ts";
import type { Timeouts } from "../server/settings.ts";
import { whileInUse } from "../serve/address-retry.ts";
import { normalizeOptions } from "../serve/options.ts";
import { readVersion } from "../serve/version.ts";
import { Pool, type PoolOwner } from "../workers/pool.ts";
import type { Failure } from "../workers/reload-queue.ts";
import type { Launch } from "../workers/worker.ts";
import { threadLauncher } from "../workers/worker-thread.ts";
import { processLauncher, WORKER_FD } from "../workers/worker-process.ts";
import type { ServeCommand } from "./arguments.ts";
import { disarmDebugger } from "./signals.ts";
import { applyUmask, say } from "./start.ts";

/** Longest time for a worker to load the application, in milliseconds. */
const READY_MS = 60_000;

function ownerOf(held: HeldListener): PoolOwner {
  return {
    say,
    ready: () => held.place(),
    gaveUp(sentence): void {
      say(sentence);
      held.close();
      process.exit(1);
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
    output: (stream: Readable, name: "stdout" | "stderr") =>
      void stream.pipe(process[name], { end: false }),
  };
  return method.isThreaded ? threadLauncher(plan) : processLauncher({ ...plan, fd });
}

function startLine(pool: Pool, held: HeldListener, method: WorkerMethod): string {
  const { facts } = pool.serving[0]!;
  const { protocols, engine, transport, note } = facts!;
  const line =
    `postern ${readVersion()}: ${protocols.join("+")} on ${held.text}, engine ${engine}` +
    `${transport === "" ? "" : `, transport ${transport}`}, ${pool.size} workers (${method.text}), ` +
    `pid ${process.pid}`;
  return note === "" ? line : `${line}. ${note}`;
}

function leaveMsOf({ drain, kill }: Timeouts): number {
  return drain === 0 ? 0 : drain + kill;
}

function obeySignals(pool: Pool, held: HeldListener): void {
  let stops = 0;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stops++ > 0) return;
    say(`${signal}: finishing what runs`);
    held.close();
    await pool.stop();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) process.on(signal, stop);
  process.on("SIGHUP", () => {
    say("SIGHUP: loading the application anew");
    pool.reload().then(
      () => say("the new workers serve"),
      ({ sentence, detail }: Failure) =>
        say(`the old workers go on, since new ones cannot begin: ${sentence}\n${detail}`),
    );
  });
}

/**
 * Serves by workers, until a signal.
 *
 * @throws UsageError when the address cannot be had
 * @returns the exit status, where the workers could not begin; else it never returns
 */
export async function startPrimary(command: ServeCommand): Promise<void> {
  disarmDebugger();
  const resolved = normalizeOptions(command.options, process.env);
  applyUmask(command);
  const held = await whileInUse(() => holdListener(resolved, process.env));
  const method = methodOf(command);
  const launch = launcherOf(method, held.fd);
  const { words } = command;
  const plan = {
    size: command.processes.workers,
    launch,
    begin: (id: number, generation: number) =>
      ({
        kind: "begin",
        words,
        fd: method.isThreaded ? held.fd : WORKER_FD,
        id,
        generation,
      }) as const,
    readyMs: READY_MS,
    leaveMs: leaveMsOf(resolved.timeouts),
  };
  const pool = new Pool(plan, ownerOf(held));
  try {
    await pool.start();
  } catch (failure) {
    held.close();
    const { sentence, code, detail, status } = failure as Failure;
    say(code === ERR_NOT_LISTENING ? held.refused().message : sentence);
    if (detail !== "") process.stderr.write(`${detail}\n`);
    process.exit(status);
  }
  obeySignals(pool, held);
  process.stderr.write(`${startLine(pool, held, method)}\n`);
}
