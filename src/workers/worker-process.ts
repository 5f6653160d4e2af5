/**
 * A worker that is a process of its own: it inherits the listening descriptor as number 3 and talks by node's IPC.
 *
 * Its standard output and error are pipes to the primary, which writes them where the operator wants them. Starts and
 * kills; decides nothing.
 */
import { spawn, type ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import type { SocketHandle } from "../connection/passed-socket.ts";
import { readReport } from "./messages.ts";
import type { Launch, Parcel, WorkerListener } from "./worker.ts";

/** Number of the listening descriptor in the worker. */
export const WORKER_FD = 3;

/** How a worker process is started. */
export interface ProcessPlan {
  /** The module to run. */
  readonly module: string;
  /** The listening descriptor, in this process. */
  readonly fd: number;
  readonly env: NodeJS.ProcessEnv;
  /** Where what it prints goes. */
  readonly output: (stream: Readable, name: "stdout" | "stderr", pid: number) => void;
}

/** `exit status 1`, `SIGKILL`. */
function how(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ?? `exit status ${code ?? "unknown"}`;
}

const ignore = (): void => undefined;

/** A bare handle of libuv's; anything else is not what a worker of ours sends. */
function parcelOf(sent: unknown): Parcel | undefined {
  const handle = sent as SocketHandle | undefined;
  const isHandle = typeof handle?.fd === "number" && typeof handle.close === "function";
  return isHandle ? { passed: { handle }, close: () => handle.close() } : undefined;
}

function follow(child: ChildProcess, listener: WorkerListener): void {
  let isGone = false;
  const gone = (clause: string): void => {
    if (isGone) return;
    isGone = true;
    listener.exited(clause);
  };
  child.on("message", (message, handle: unknown) => {
    const report = readReport(message);
    const parcel = parcelOf(handle);
    if (report !== undefined && (parcel !== undefined || handle === undefined)) {
      listener.reported(report, parcel);
    } else child.kill("SIGKILL");
  });
  // Not "close": a grandchild may hold its pipes for ever.
  child.once("exit", (code, signal) => gone(how(code, signal)));
  child.once("error", (error) => {
    if (child.pid === undefined) gone(error.message);
  });
}

/** Makes worker processes after one plan. */
export function processLauncher(plan: ProcessPlan): Launch {
  return (listener) => {
    const child = spawn(process.execPath, [...process.execArgv, plan.module], {
      env: plan.env,
      stdio: ["ignore", "pipe", "pipe", plan.fd, "ipc"],
      serialization: "advanced",
    });
    follow(child, listener);
    plan.output(child.stdout!, "stdout", child.pid ?? -1);
    plan.output(child.stderr!, "stderr", child.pid ?? -1);
    return {
      pid: child.pid ?? -1,
      send(order, parcel): void {
        // A worker that is gone, or going, hears nothing more: its exit tells the rest.
        if (child.connected) child.send(order, parcel?.passed.handle as never, ignore);
      },
      kill: () => void child.kill("SIGKILL"),
    };
  };
}
