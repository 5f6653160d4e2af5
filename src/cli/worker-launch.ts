/**
 * A command's method → how its workers are started: as processes, or as threads where these can be had.
 *
 * It starts none itself, and says why where the method is not the one that was asked for.
 */
import { join } from "node:path";
import type { Readable } from "node:stream";
import { findDuplication } from "../engine/select.ts";
import { SERVICE_VARIABLES } from "../workers/service.ts";
import type { Launch } from "../workers/worker.ts";
import { processLauncher } from "../workers/worker-process.ts";
import { threadLauncher } from "../workers/worker-thread.ts";
import type { ServeCommand } from "./arguments.ts";
import { output } from "./output.ts";

function workerEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !SERVICE_VARIABLES.includes(name));
  return Object.fromEntries(entries);
}

/** How workers run, and for people with the reason where that is not what was asked for. */
export interface WorkerMethod {
  readonly isThreaded: boolean;
  readonly text: string;
}

/** The method that a command asks for, or the one that can be had here. */
export function methodOf({ processes }: ServeCommand): WorkerMethod {
  if (processes.method !== "threaded") return { isThreaded: false, text: "prefork" };
  const { reason } = findDuplication();
  if (reason === undefined) return { isThreaded: true, text: "threaded" };
  return { isThreaded: false, text: `prefork and not threaded, since ${reason}` };
}

/** Starts workers of a method on a listening descriptor. */
export function launcherOf(method: WorkerMethod, fd: number): Launch {
  const plan = {
    module: join(import.meta.dirname, "worker.cjs"),
    env: workerEnvironment(),
    output: (stream: Readable, name: "stdout" | "stderr", pid: number) =>
      output.gather(stream, name, pid),
  };
  return method.isThreaded ? threadLauncher(plan) : processLauncher({ ...plan, fd });
}
