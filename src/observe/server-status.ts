/**
 * One server in this process → its status, whenever somebody asks.
 *
 * Watches the delay of the event loop from the first question on; before that nothing is measured but what is counted anyway.
 */
import { type IntervalHistogram, monitorEventLoopDelay, performance } from "node:perf_hooks";
import { pathOf } from "../http/target.ts";
import { listenQueue, serverInode } from "../server/listen-queue.ts";
import { vitals } from "../server/listen.ts";
import type { Server } from "../server/server.ts";
import { readSamples } from "./series.ts";
import type { RunningRequest, Status } from "./status.ts";

/** Requests in flight that are shown, at most. */
const RUNNING_MAX = 20;
/** Longest text of a peer that is shown, in characters. */
const TEXT_MAX = 200;

/** What the process knows beside the server. */
export interface ServiceFacts {
  readonly version: string;
  /** Of the process, among others; 0 where it is the only one. */
  readonly id: number;
  readonly generation: number;
}

/** What a worker knows of itself, where its server is one of several. */
export interface Standing {
  readonly id: number;
  readonly generation: number;
  readonly method: string;
  /** Where the service listens: the worker has a descriptor. */
  readonly address: string;
}

const standings = new WeakMap<Server, Standing>();

/** Says that a server is one of several. */
export function standAs(server: Server, standing: Standing): void {
  standings.set(server, standing);
}

/** The status of one server. */
export class ServerStatus {
  readonly #server: Server;
  readonly #facts: ServiceFacts;
  readonly #startedMs = performance.now();
  #utilisation = performance.eventLoopUtilization();
  #delay: IntervalHistogram | undefined;

  constructor(server: Server, facts: ServiceFacts) {
    this.#server = server;
    this.#facts = facts;
  }

  /** Mean delay since the last question, in milliseconds, less the resolution that it is measured with. */
  #delayMs(): number {
    if (this.#delay === undefined) {
      this.#delay = monitorEventLoopDelay({ resolution: 10 });
      this.#delay.enable();
      return 0;
    }
    const { mean } = this.#delay;
    this.#delay.reset();
    return Number.isNaN(mean) ? 0 : Math.max(0, mean / 1e6 - 10);
  }

  #running(): RunningRequest[] {
    const running: RunningRequest[] = [];
    const nowMs = performance.now();
    this.#server.figures.eachConnection((connection) => {
      for (const { protocol, head, startedMs, side } of connection.running) {
        if (side === undefined) continue;
        const { method, remoteUser: user, remoteAddress: client } = head;
        const ageMs = startedMs === 0 ? 0 : nowMs - startedMs;
        running.push({
          protocol,
          method,
          path: pathOf(head.url).slice(0, TEXT_MAX),
          user: user.slice(0, TEXT_MAX),
          client,
          ageMs,
        });
      }
    });
    return running.sort((a, b) => b.ageMs - a.ageMs).slice(0, RUNNING_MAX);
  }

  #alone(address: string): Standing {
    const { id, generation } = this.#facts;
    return { id, generation, method: "single", address };
  }

  /** The status now. */
  read(): Status {
    const { figures, traffic, engine, transport, protocols, where = "" } = this.#server;
    const elu = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(elu, this.#utilisation);
    this.#utilisation = elu;
    const { version } = this.#facts;
    const standing = standings.get(this.#server) ?? this.#alone(where);
    const { id, generation, method, address } = standing;
    const { pid, node, rssBytes, heapBytes } = vitals();
    const uptimeMs = performance.now() - this.#startedMs;
    const worker = {
      id,
      pid,
      generation,
      state: this.#server.listening ? "ready" : "retiring",
      uptimeMs,
      silentMs: 0,
      utilisation: utilization,
      delayMs: this.#delayMs(),
      rssBytes,
      heapBytes,
      requests: traffic.requests,
      inFlight: traffic.inFlight,
      connections: traffic.connections,
    };
    return {
      version,
      node,
      pid,
      method,
      address,
      protocols,
      engine: `${engine.name} (${engine.reason})`,
      transport: transport === undefined ? "" : `${transport.name} (${transport.reason})`,
      uptimeMs,
      generation,
      reloads: 0,
      restarts: 0,
      queue: listenQueue(serverInode(this.#server)),
      workers: [worker],
      counters: readSamples(figures),
      running: this.#running(),
    };
  }
}
