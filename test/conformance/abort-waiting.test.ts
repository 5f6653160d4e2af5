/**
 * Clients that leave real front servers while the handler waits or streams, and when the handler hears of it.
 *
 * nginx closes its connection as soon as its client has gone; Apache notices only when it cannot pass on what a handler
 * writes. Server and relay run in this process, so that the front server's close and the handler's events have one clock.
 */
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GatewayRequest } from "../../src/handler/node/request.ts";
import { serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { wayOf } from "../support/engines.ts";
import { apacheName, apacheTarget, startApache } from "../support/front/apache.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import { AJP_SECRET, CONFIGURATIONS, configurationObstacle } from "../support/front/gateway.ts";
import { openRequest } from "../support/front/http-client.ts";
import { startNginx } from "../support/front/nginx.ts";
import { freePorts, Room, until } from "../support/front/ports.ts";
import { Relay } from "../support/front/relay.ts";

const SEEN_MS = 100;
const TRIES = 5;

const room = new Room("waiting");
const [nginxFcgi, nginxScgi, apacheAjp] = (await freePorts(3)) as [number, number, number];
const ways = [
  {
    name: "nginx",
    protocol: "fastcgi",
    port: nginxFcgi,
    streams: false,
    obstacle: serverObstacle("nginx"),
  },
  {
    name: "nginx",
    protocol: "scgi",
    port: nginxScgi,
    streams: false,
    obstacle: serverObstacle("nginx"),
  },
  {
    name: "apache",
    protocol: "ajp",
    port: apacheAjp,
    streams: true,
    obstacle: serverObstacle(apacheName()),
  },
] as const;
/** Where the front servers connect to, and where the relay there passes on to. */
const addressOf = (name: string): { socket: string } => ({ socket: room.file(`${name}.relay`) });
const gatewayOf = (name: string): { socket: string } => ({ socket: room.file(`${name}.sock`) });
const fronts: FrontServer[] = [];

beforeAll(async () => {
  if (ways[0].obstacle === undefined) {
    const sites = ways.slice(0, 2).map(({ port, protocol }) => ({
      port,
      protocol: protocol as "fastcgi" | "scgi",
      address: addressOf(protocol),
    }));
    fronts.push(await startNginx(room, sites));
  }
  if (ways[2].obstacle === undefined) {
    const target = apacheTarget("ajp", addressOf("ajp"), "ajp");
    const directives = [`ProxyPass / "${target}" retry=0 flushpackets=on secret=${AJP_SECRET}`];
    fronts.push(await startApache(room, [{ port: apacheAjp, directives }]));
  }
});
afterAll(async () => {
  await Promise.all(fronts.map((front) => front.stop()));
  room.remove();
});

/** One request, and when things happened to it. */
interface Watched {
  readonly req: GatewayRequest;
  readonly res: ServerResponse;
  abortedMs: number;
  closedMs: number;
}

for (const configuration of CONFIGURATIONS) {
  describe(`handlers that wait, ${configuration}`, () => {
    const servers: Server[] = [];
    const relays: Relay[] = [];
    const watched: Watched[] = [];
    let frontClosedMs = 0;
    let timer: NodeJS.Timeout | undefined;

    /** Waits for ever, or writes a little from time to time, until its client is gone. */
    const handler = (req: GatewayRequest, res: ServerResponse): void => {
      const one: Watched = { req, res, abortedMs: 0, closedMs: 0 };
      watched.push(one);
      req.on("aborted", () => {
        one.abortedMs = performance.now();
      });
      res.on("close", () => {
        one.closedMs = performance.now();
        clearInterval(timer);
      });
      if (req.url !== "/pour") return;
      timer = setInterval(() => res.write("x".repeat(1_000)), 10);
    };

    beforeAll(async () => {
      if (configurationObstacle(configuration) !== undefined) return;
      for (const protocol of ["fastcgi", "scgi", "ajp"] as const) {
        const ajp = { secret: AJP_SECRET };
        const server = serve(handler, {
          protocol,
          ...wayOf(configuration),
          mode: 0o666,
          ajp,
          ...gatewayOf(protocol),
        });
        servers.push(await server.ready());
        const places = [addressOf(protocol).socket, gatewayOf(protocol).socket] as const;
        const left = (): void => {
          frontClosedMs ||= performance.now();
        };
        relays.push(await Relay.start(...places, false, left));
      }
    });
    afterAll(async () => {
      clearInterval(timer);
      await Promise.all(relays.map((relay) => relay.stop()));
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => server.shutdown()));
    });

    test.for(ways)(
      "$name, $protocol: is seen within 100 ms of the front server's close",
      async ({ port, streams, obstacle }, context) => {
        unlessObstacle(context, obstacle ?? configurationObstacle(configuration));
        const fromFrontMs: number[] = [];
        const fromClientMs: number[] = [];
        for (let i = 0; i < TRIES; i++) {
          watched.length = 0;
          frontClosedMs = 0;
          const request = openRequest({ port, path: streams ? "/pour" : "/wait" });
          await until("the handler has it", () => watched.length === 1);
          const one = watched[0]!;
          const leftMs = performance.now();
          request.destroy();
          await until("the handler hears of it", () => one.closedMs > 0);
          const { req, res } = one;
          expect([req.destroyed, res.destroyed, res.writableEnded]).toEqual([true, true, false]);
          expect(req.gateway.signal.aborted).toBe(true);
          expect(frontClosedMs).toBeGreaterThan(0);
          fromFrontMs.push(one.abortedMs - frontClosedMs);
          fromClientMs.push(one.abortedMs - leftMs);
        }
        expect(Math.min(...fromFrontMs)).toBeLessThan(SEEN_MS);
        // nginx hands it on at once: here even the client's own close is no longer ago.
        if (!streams) expect(Math.min(...fromClientMs)).toBeLessThan(SEEN_MS);
      },
    );
  });
}
