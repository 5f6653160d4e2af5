/**
 * A worker that is a thread of the primary's process: its own event loop and memory, over a duplicate of the listening
 * descriptor.
 *
 * It costs less memory than a process and dies with the primary; an application that ends the process, or native code
 * that crashes, ends all of them. Starts and kills; decides nothing.
 */
import { closeSync } from "node:fs";
import type { Readable } from "node:stream";
import { Worker as Thread } from "node:worker_threads";
import type { PassedSocket } from "../connection/passed-socket.ts";
import { type Order, readReport } from "./messages.ts";
import type { ThreadMessage } from "./thread-link.ts";
import type { Launch, Parcel, WorkerListener } from "./worker.ts";

/** How a worker thread is started. */
export interface ThreadPlan {
  /** The module to run. */
  readonly module: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where what it prints goes. */
  readonly output: (stream: Readable, name: "stdout" | "stderr", pid: number) => void;
}

function parcelOf(fd: unknown): Parcel | undefined {
  if (!Number.isSafeInteger(fd) || (fd as number) < 0) return undefined;
  const passed: PassedSocket = { fd: fd as number };
  return { passed, close: () => closeSync(passed.fd!) };
}

function follow(thread: Thread, listener: WorkerListener): void {
  let isGone = false;
  let told = "";
  thread.on("message", (message: unknown) => {
    const { told: report, fd } = (message ?? {}) as Partial<ThreadMessage<never>>;
    const read = readReport(report);
    if (read === undefined) void thread.terminate();
    else listener.reported(read, parcelOf(fd));
  });
  thread.once("error", (error) => {
    told = `an error: ${error instanceof Error ? error.message : String(error)}`;
  });
  thread.once("exit", (code) => {
    if (isGone) return;
    isGone = true;
    listener.exited(told === "" ? `exit status ${code}` : told);
  });
}

/** Makes worker threads after one plan. */
export function threadLauncher(plan: ThreadPlan): Launch {
  return (listener) => {
    const thread = new Thread(plan.module, { env: plan.env, stdout: true, stderr: true });
    follow(thread, listener);
    plan.output(thread.stdout, "stdout", process.pid);
    plan.output(thread.stderr, "stderr", process.pid);
    return {
      pid: process.pid,
      send(told, parcel): void {
        const fd = parcel?.passed.fd ?? -1;
        thread.postMessage({ told, fd } satisfies ThreadMessage<Order>);
      },
      kill: () => void thread.terminate(),
    };
  };
}
