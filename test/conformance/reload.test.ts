/**
 * Reloads under load behind real front servers: no request fails, and the front server repeats none (issue 5, acceptance 2).
 *
 * nginx keeps FastCGI connections and does not repeat a POST; HAProxy and Apache keep theirs as well; SCGI comes by a new
 * connection each time. Half of the clients keep their own connection, three requests in ten have a body. That a front
 * server repeated a request is read off its error log and, from nginx, off each answer.
 */
import { writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeProgram, type Program, type Running } from "../cli/program.ts";
import { apacheName, apacheTarget, startApache } from "../support/front/apache.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import { configurationObstacle, isFull } from "../support/front/gateway.ts";
import { startHaproxy } from "../support/front/haproxy.ts";
import { ask } from "../support/front/http-client.ts";
import { startNginx } from "../support/front/nginx.ts";
import { freePorts, Room, until } from "../support/front/ports.ts";
import { KEPT_APP, type KeptAnswer } from "../support/kept-peer.ts";
import { Random } from "../support/random.ts";

const RELOADS = isFull ? 100 : 4;
/** Requests of a cell, at least: in the full size 238,000 altogether. */
const REQUESTS = isFull ? 34_000 : 400;
const CLIENTS = 12;
const LONGEST_MS = isFull ? 900_000 : 120_000;

const room = new Room("reload");
const ports = await freePorts(4);
const socketOf = (name: string): string => room.file(`${name.replace(" ", "-")}.sock`);

/** A front server and the protocol that it speaks to us. */
const ways = [
  { name: "nginx fastcgi", protocol: "fastcgi", obstacle: serverObstacle("nginx") },
  { name: "nginx scgi", protocol: "scgi", obstacle: serverObstacle("nginx") },
  { name: "haproxy fastcgi", protocol: "fastcgi", obstacle: serverObstacle("haproxy") },
  { name: "apache ajp", protocol: "ajp", obstacle: serverObstacle(apacheName()) },
] as const;
const fronts: (FrontServer | undefined)[] = [];

const site = (index: 0 | 1) => {
  const { name, protocol } = ways[index]!;
  return {
    port: ports[index]!,
    protocol: protocol as "fastcgi" | "scgi",
    address: { socket: socketOf(name) },
    // Two addresses, of an answer that was asked for twice.
    directives: [
      "add_header X-Asked $upstream_addr always",
      ...(index === 0 ? ["fastcgi_keep_conn on"] : []),
    ],
    ...(index === 0 ? { keepalive: CLIENTS } : {}),
  };
};

beforeAll(async () => {
  if (ways[0].obstacle === undefined) {
    fronts[0] = await startNginx(room, [site(0), site(1)]);
    fronts[1] = fronts[0];
  }
  if (ways[2].obstacle === undefined) {
    const backend = ["http-reuse always", "retries 0", "option http-buffer-request"];
    const address = { socket: socketOf(ways[2].name) };
    fronts[2] = await startHaproxy(room, [
      { port: ports[2]!, address, application: ["option keep-conn"], backend },
    ]);
  }
  if (ways[3].obstacle === undefined) {
    const target = apacheTarget("ajp", { socket: socketOf(ways[3].name) }, "gateway");
    const directives = [`ProxyPass / "${target}" retry=0`];
    fronts[3] = await startApache(room, [{ port: ports[3]!, directives }]);
  }
});
afterAll(async () => {
  for (const front of new Set(fronts)) await front?.stop();
  room.remove();
});

/** Clients that ask until they are told to stop; what goes wrong ends them. */
class Load {
  requests = 0;
  isOver = false;
  readonly workers: Set<string> = new Set();
  readonly over: Promise<unknown>;
  readonly #port: number;
  readonly #agent: Agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

  constructor(port: number) {
    this.#port = port;
    const clients = Array.from({ length: CLIENTS }, (_, seed) =>
      this.#client(new Random(seed), seed),
    );
    this.over = Promise.all(clients);
    this.over.catch(() => undefined);
  }

  async #client(random: Random, seed: number): Promise<void> {
    while (!this.isOver) {
      const bytes = random.chance(30) ? random.pick([1, 700, 12_000, 40_000]) : 0;
      const answer = await ask({
        port: this.#port,
        path: random.chance(5) ? "/slow" : "/",
        ...(bytes > 0 ? { upload: { bytes } } : {}),
        ...(seed % 2 === 0 ? { agent: this.#agent } : {}),
      });
      expect(answer.status, answer.text).toBe(200);
      const seen = JSON.parse(answer.text) as KeptAnswer;
      expect(seen.bytes).toBe(bytes);
      expect(answer.headers["x-asked"] ?? "").not.toContain(",");
      this.workers.add(seen.worker);
      this.requests++;
      if (random.chance(30)) await new Promise((done) => setTimeout(done, random.below(8)));
    }
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.over;
    this.#agent.destroy();
  }
}

async function reloadsUnder(load: Load, running: Running): Promise<void> {
  for (let count = 1; count <= RELOADS; count++) {
    const asked = (load.requests + 1) * (1 + 1 / RELOADS);
    running.child.kill("SIGHUP");
    const isDone = (): boolean => running.stderr().split("the new workers serve").length > count;
    await Promise.race([until("the new workers serve", isDone, 30_000), load.over]);
    const due = Math.max(REQUESTS * (count / RELOADS), Math.min(asked, REQUESTS));
    await Promise.race([until("requests", () => load.requests >= due, LONGEST_MS), load.over]);
  }
}

const kinds = [
  { configuration: "native transport", method: "prefork" },
  { configuration: "native transport", method: "threaded" },
  { configuration: "typescript", method: "prefork" },
] as const;

describe.each(kinds)("$configuration, $method", ({ configuration, method }) => {
  let program: Program | undefined;
  beforeAll(async () => {
    if (configurationObstacle(configuration) !== undefined) return;
    program = await makeProgram(configuration);
    writeFileSync(join(program.folder, "app.cjs"), KEPT_APP);
  });
  afterAll(() => program?.clear());

  test.for(ways.map((way, index) => ({ ...way, index })))(
    "behind $name no request fails and none is asked for twice while all workers are replaced again and again",
    { timeout: LONGEST_MS },
    async ({ name, protocol, obstacle, index }, context) => {
      unlessObstacle(context, obstacle ?? configurationObstacle(configuration));
      const words = [
        "app.cjs",
        "--socket",
        socketOf(name),
        "--mode",
        "0666",
        "--protocol",
        protocol,
      ];
      const running = program!.start([...words, "--method", method, "--workers", "2"], {
        longestMs: LONGEST_MS,
      });
      await running.started;
      const load = new Load(ports[index]!);
      await reloadsUnder(load, running);
      await load.end();
      expect(load.requests).toBeGreaterThanOrEqual(REQUESTS);
      expect(load.workers.size).toBeGreaterThan(RELOADS);
      expect(fronts[index]!.complaints()).toEqual([]);
      running.child.kill("SIGTERM");
      expect((await running.ended).code).toBe(0);
    },
  );
});
