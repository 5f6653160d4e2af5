/**
 * 10,000 requests over a handful of kept connections: nginx with FastCGI, Apache with AJP (issue 2, acceptance 6).
 *
 * A relay between server and gateway counts the connections, so that the figure is neither side's own word. Every
 * answer is looked at.
 */
import { Agent } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Configuration } from "../support/engines.ts";
import { apacheName, apacheTarget, startApache } from "../support/front/apache.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import {
  AJP_SECRET,
  CONFIGURATIONS,
  configurationObstacle,
  Gateway,
  type GatewayProtocol,
  isMiddle,
} from "../support/front/gateway.ts";
import { ask } from "../support/front/http-client.ts";
import { startNginx } from "../support/front/nginx.ts";
import { freePorts, Room } from "../support/front/ports.ts";
import { Relay } from "../support/front/relay.ts";

const requestCountOf = (configuration: Configuration): number =>
  isMiddle(configuration) ? 2_000 : 10_000;
/** Clients at once, hence the most connections a server that keeps them may need. */
const CLIENT_COUNT = 8;

const room = new Room("kept");
const state = room.folder("state", true);
const [nginxPort, apachePort] = (await freePorts(2)) as [number, number];

/** A server that keeps connections, and the protocol it does so with. */
const ways = [
  { name: "nginx", protocol: "fastcgi", port: nginxPort, obstacle: serverObstacle("nginx") },
  { name: "apache", protocol: "ajp", port: apachePort, obstacle: serverObstacle(apacheName()) },
] as const;

const relayPath = (protocol: GatewayProtocol): string => room.file(`${protocol}.relay`);
const gatewayPath = (protocol: GatewayProtocol): string => room.file(`${protocol}.sock`);
const fronts: FrontServer[] = [];

beforeAll(async () => {
  if (ways[0].obstacle === undefined) {
    const site = {
      port: nginxPort,
      protocol: "fastcgi",
      address: { socket: relayPath("fastcgi") },
      directives: ["fastcgi_keep_conn on"],
      keepalive: CLIENT_COUNT,
    } as const;
    fronts.push(await startNginx(room, [site]));
  }
  if (ways[1].obstacle === undefined) {
    const target = apacheTarget("ajp", { socket: relayPath("ajp") }, "gateway");
    const directives = [`ProxyPass / "${target}" secret=${AJP_SECRET}`];
    fronts.push(await startApache(room, [{ port: apachePort, directives }]));
  }
});
afterAll(async () => {
  await Promise.all(fronts.map((front) => front.stop()));
  room.remove();
});

for (const configuration of CONFIGURATIONS) {
  const requestCount = requestCountOf(configuration);
  describe(`kept connections, ${configuration}`, () => {
    test.for(ways)(
      `$name, $protocol: ${requestCount} requests need no more connections than clients (B-4)`,
      async (way, context) => {
        unlessObstacle(context, way.obstacle ?? configurationObstacle(configuration));
        const { protocol, port } = way;
        const address = { socket: gatewayPath(protocol) };
        const gateway = await Gateway.start({ protocol, address, configuration, state });
        const relay = await Relay.start(relayPath(protocol), address.socket);
        const agent = new Agent({ keepAlive: true, maxSockets: CLIENT_COUNT });
        try {
          let begun = 0;
          const client = async (): Promise<void> => {
            while (begun < requestCount) {
              begun += 1;
              const answer = await ask({ port, path: `/_page?n=${begun}`, agent });
              if (answer.status !== 200 || answer.text !== "hello world") {
                throw new Error(`request ${begun}: ${answer.status} ${answer.text}`);
              }
            }
          };
          await Promise.all(Array.from({ length: CLIENT_COUNT }, client));
          console.log(
            `${way.name} ${protocol} ${configuration}: ${begun} requests over ${relay.connectionCount} connections`,
          );
          expect(begun).toBe(requestCount);
          expect(relay.connectionCount).toBeGreaterThan(0);
          expect(relay.connectionCount).toBeLessThanOrEqual(CLIENT_COUNT);
          expect(gateway.child.isAlive).toBe(true);
          expect(gateway.unexpectedLines([])).toEqual([]);
          expect(fronts.flatMap((front) => front.complaints())).toEqual([]);
        } finally {
          agent.destroy();
          await gateway.stop();
          await relay.stop();
        }
      },
    );
  });
}
