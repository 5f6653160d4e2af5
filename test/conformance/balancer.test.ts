/**
 * Several instances side by side behind a balancer that `postern config` wrote: one is slow, one after the other is killed,
 * drained and started again, and no idempotent request fails (issue 7, acceptance 4).
 *
 * The web servers choose and ask again; nothing here does.
 */
import { writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Child } from "../support/front/child.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { isFull } from "../support/front/gateway.ts";
import { ask } from "../support/front/http-client.ts";
import { until } from "../support/front/ports.ts";
import { surroundingsOf } from "../support/front/surroundings.ts";
import { type Cell, type Scene, Site } from "./config-site.ts";

/** Idempotent requests of each cell; in the full size 52,000 altogether. */
const REQUESTS = isFull ? 13_000 : 300;
/** How often one is killed and one drained meanwhile. */
const ROUNDS = isFull ? 10 : 1;
const CLIENTS = 12;
const LONGEST_MS = isFull ? 600_000 : 90_000;

/** Says who it is; the slow one takes its time. */
const APP = `const delayMs = Number(process.env.BALANCER_DELAY_MS ?? 0);
export default (req, res) => {
  const answer = () => res.end(String(process.pid));
  if (delayMs > 0) setTimeout(answer, delayMs);
  else setImmediate(answer);
};
`;

const CELLS: readonly Cell[] = [
  { server: "nginx", protocol: "fastcgi", place: "tcp", count: 3 },
  { server: "nginx", protocol: "scgi", place: "unix", count: 3 },
  { server: "apache", protocol: "ajp", place: "tcp", count: 3 },
  { server: "haproxy", protocol: "fastcgi", place: "tcp", count: 3 },
];

/** Clients that ask until they are told to stop; what fails is counted. */
class Clients {
  count = 0;
  isOver = false;
  readonly failures: string[] = [];
  /** How often each process has answered. */
  readonly answers: Map<string, number> = new Map();
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  readonly #all: Promise<unknown>;

  constructor(port: number) {
    this.#port = port;
    this.#all = Promise.all(Array.from({ length: CLIENTS }, (_, i) => this.#client(i)));
  }

  async #client(index: number): Promise<void> {
    const agent = index % 2 === 0 ? { agent: this.#agent } : {};
    while (!this.isOver) {
      const number = ++this.count;
      const question = { port: this.#port, path: `/${number}`, ...agent };
      await ask(question).then(
        ({ status, text }) => {
          if (status !== 200) this.failures.push(`${number}: ${status}`);
          else this.answers.set(text, (this.answers.get(text) ?? 0) + 1);
        },
        (error: unknown) => this.failures.push(`${number}: ${String(error)}`),
      );
    }
  }

  /** Resolves once so many more were asked. */
  async more(count: number): Promise<void> {
    const goal = this.count + count;
    await until(`${goal} requests`, () => this.count >= goal, LONGEST_MS);
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.#all;
    this.#agent.destroy();
  }
}

describe("several instances behind a balancer", { timeout: LONGEST_MS }, () => {
  let site: Site;
  beforeEach(() => {
    site = new Site();
    writeFileSync(site.room.file("app.mjs"), APP);
  });
  afterEach(async () => {
    await site.end();
    site.room.remove();
  });

  /**
   * Kills the first instance, then drains the second; each is started again before the next goes. In the full size the web
   * server has to have seen it, too, for which it takes five seconds.
   */
  async function trouble(scene: Scene, instances: Child[], clients: Clients): Promise<void> {
    const [first, second] = scene.addresses;
    const part = Math.ceil(REQUESTS / ROUNDS / 4);
    for (const [index, address, signal] of [
      [0, first!, "SIGKILL"],
      [1, second!, "SIGTERM"],
    ] as const) {
      await clients.more(part);
      const ended = await instances[index]!.stop(signal);
      expect(ended).toBe(signal === "SIGTERM" ? "0" : "SIGKILL");
      await clients.more(part);
      instances[index] = await site.startOne(scene, address);
      const { pid } = instances[index]!;
      if (!isFull) continue;
      const isAsked = (): boolean => clients.answers.has(String(pid));
      await until(`${pid} is asked again`, isAsked, 40_000);
    }
  }

  test.for(CELLS)(
    "$server, $protocol: none fails while they are killed, drained and slow",
    async (cell, context) => {
      unlessObstacle(context, surroundingsOf(cell.server).obstacle(""));
      const scene = await site.print(cell);
      const instances: Child[] = [];
      for (const [index, address] of scene.addresses.entries()) {
        const slow: Record<string, string> = index === 2 ? { BALANCER_DELAY_MS: "40" } : {};
        instances.push(await site.startOne(scene, address, slow));
      }
      await site.serve(cell, scene);
      const clients = new Clients(scene.front);
      try {
        await clients.more(REQUESTS / 2);
        // The slow one is given less than a third.
        const slow = clients.answers.get(String(instances[2]!.pid)) ?? 0;
        expect(slow).toBeGreaterThan(0);
        expect(slow).toBeLessThan(clients.count / 3);
        for (let round = 0; round < ROUNDS; round++) await trouble(scene, instances, clients);
        await until("all requests", () => clients.count >= REQUESTS, LONGEST_MS);
      } finally {
        await clients.end();
      }
      expect(clients.failures).toEqual([]);
    },
  );
});
