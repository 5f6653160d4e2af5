/**
 * The front servers before which workers are replaced, and clients that ask them all the while: nothing may fail.
 *
 * nginx keeps FastCGI connections and does not repeat a POST; HAProxy and Apache keep theirs as well; SCGI comes by a new
 * connection each time. Half of the clients keep their own connection, three requests in ten have a body. That a front
 * server repeated a request is read off its error log and, from nginx, off each answer.
 */
import { Agent } from "node:http";
import { expect } from "vitest";
import { apacheName, apacheTarget, startApache } from "../support/front/apache.ts";
import { type FrontServer, serverObstacle } from "../support/front/front-server.ts";
import { isFull } from "../support/front/gateway.ts";
import { startHaproxy } from "../support/front/haproxy.ts";
import { ask } from "../support/front/http-client.ts";
import { startNginx } from "../support/front/nginx.ts";
import { type Room, until } from "../support/front/ports.ts";
import type { KeptAnswer } from "../support/kept-peer.ts";
import { Random } from "../support/random.ts";

const CLIENTS = 12;
/** Longest time for one cell, in milliseconds. */
export const LONGEST_MS: number = isFull ? 900_000 : 120_000;

/** A front server and the protocol that it speaks to us. */
export interface Way {
  readonly name: string;
  readonly protocol: "fastcgi" | "scgi" | "ajp";
  /** Why it cannot be tested here. */
  readonly obstacle: string | undefined;
}

/** Every way, in the order of their ports. */
export const WAYS: readonly [fastcgi: Way, scgi: Way, haproxy: Way, apache: Way] = [
  { name: "nginx fastcgi", protocol: "fastcgi", obstacle: serverObstacle("nginx") },
  { name: "nginx scgi", protocol: "scgi", obstacle: serverObstacle("nginx") },
  { name: "haproxy fastcgi", protocol: "fastcgi", obstacle: serverObstacle("haproxy") },
  { name: "apache ajp", protocol: "ajp", obstacle: serverObstacle(apacheName()) },
];

/** The kinds of workers that serve behind them. */
export const KINDS = [
  { configuration: "native transport", method: "prefork" },
  { configuration: "native transport", method: "threaded" },
  { configuration: "typescript", method: "prefork" },
] as const;

/** The socket that the front server of a way connects to. */
export function socketOf(room: Room, { name }: { readonly name: string }): string {
  return room.file(`${name.replace(" ", "-")}.sock`);
}

/**
 * Starts those that are installed.
 *
 * @param ports where each way is asked, in their order
 * @returns the front server of each way
 */
export async function startFronts(
  room: Room,
  ports: readonly number[],
): Promise<(FrontServer | undefined)[]> {
  const [fastcgi, scgi, haproxy, apache] = WAYS;
  const site = (index: 0 | 1) => ({
    port: ports[index]!,
    protocol: index === 0 ? ("fastcgi" as const) : ("scgi" as const),
    address: { socket: socketOf(room, WAYS[index]) },
    // Two addresses, of an answer that was asked for twice.
    directives: [
      "add_header X-Asked $upstream_addr always",
      ...(index === 0 ? ["fastcgi_keep_conn on"] : []),
    ],
    ...(index === 0 ? { keepalive: CLIENTS } : {}),
  });
  const fronts: (FrontServer | undefined)[] = WAYS.map(() => undefined);
  if (fastcgi.obstacle === undefined && scgi.obstacle === undefined) {
    fronts[0] = await startNginx(room, [site(0), site(1)]);
    fronts[1] = fronts[0];
  }
  if (haproxy.obstacle === undefined) {
    const backend = ["http-reuse always", "retries 0", "option http-buffer-request"];
    const address = { socket: socketOf(room, haproxy) };
    fronts[2] = await startHaproxy(room, [
      { port: ports[2]!, address, application: ["option keep-conn"], backend },
    ]);
  }
  if (apache.obstacle === undefined) {
    const target = apacheTarget("ajp", { socket: socketOf(room, apache) }, "gateway");
    const directives = [`ProxyPass / "${target}" retry=0`];
    fronts[3] = await startApache(room, [{ port: ports[3]!, directives }]);
  }
  return fronts;
}

/** Clients that ask until they are told to stop; what goes wrong ends them. */
export class Load {
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

  /** Resolves once so many requests are answered; rejects as soon as one failed. */
  async until(requests: number): Promise<void> {
    await this.during(until(`${requests} requests`, () => this.requests >= requests, LONGEST_MS));
  }

  /** Resolves with `work`; rejects as soon as a request failed. */
  async during<T>(work: Promise<T>): Promise<T> {
    await Promise.race([work, this.over]);
    return work;
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.over;
    this.#agent.destroy();
  }
}
