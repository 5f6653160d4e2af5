/**
 * A server without workers → what the control socket can say and do of it: status and stop.
 *
 * It lives in the process that serves, so it waits while that is busy; what needs workers is refused.
 */
import type { Server } from "../server/server.ts";
import { readVersion } from "../serve/version.ts";
import type { ControlRequest, Refusal, WorkerStatus } from "../workers/control-messages.ts";
import type { ControlActions } from "../workers/control-server.ts";

type Result = Readonly<Record<string, unknown>>;

/** Control of one process alone. */
export class SingleControl implements ControlActions {
  readonly #server: Server;
  readonly #stop: () => void;
  readonly #startedMs: number = performance.now();

  /** @param stop lets everything finish and ends the process */
  constructor(server: Server, stop: () => void) {
    this.#server = server;
    this.#stop = stop;
  }

  async obey({ verb }: ControlRequest): Promise<Result> {
    switch (verb) {
      case "status":
        return this.#status();
      case "workers":
        return { workers: this.#workers() };
      case "stop":
        this.#stop();
        return { pid: process.pid };
      default: {
        const sentence = `${verb} needs workers, and this is one process alone; start it with workers=2 or method=prefork.`;
        throw { sentence, detail: "" } satisfies Refusal;
      }
    }
  }

  #workers(): WorkerStatus[] {
    const uptimeMs = Math.round(performance.now() - this.#startedMs);
    const { rss, heapUsed } = process.memoryUsage();
    const load = { rssBytes: rss, heapBytes: heapUsed };
    return [{ id: 1, pid: process.pid, generation: 1, state: "ready", uptimeMs, load }];
  }

  #status(): Result {
    const { protocols, where } = this.#server;
    const workers = this.#workers();
    return {
      version: readVersion(),
      node: process.version,
      pid: process.pid,
      uptimeMs: workers[0]!.uptimeMs,
      address: where ?? "",
      protocols,
      method: "single",
      state: this.#server.listening ? "serving" : "stopping",
      generation: 1,
      reloads: 0,
      upgrades: 0,
      size: 1,
      workers,
    };
  }
}
