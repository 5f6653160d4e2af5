/**
 * An upgrade request through every front server and protocol that cannot carry one: it is an ordinary request, and gets
 * an ordinary answer, also where somebody listens for "upgrade".
 *
 * What each server passes on of such a request is in the comments; the ways that can are in websocket.test.ts.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createServer } from "../../src/serve/serve.ts";
import { wayOf } from "../support/engines.ts";
import { apacheName, apacheTarget, startApache } from "../support/front/apache.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import {
  CONFIGURATIONS,
  configurationObstacle,
  type GatewayProtocol,
} from "../support/front/gateway.ts";
import { startHaproxy } from "../support/front/haproxy.ts";
import { askRaw } from "../support/front/http-client.ts";
import { lighttpdTarget, startLighttpd } from "../support/front/lighttpd.ts";
import { startNginx } from "../support/front/nginx.ts";
import { freePorts, Room } from "../support/front/ports.ts";

/** Ways that cannot, and the Upgrade field that reaches us. */
const WAYS = [
  { server: "nginx", protocol: "fastcgi", passed: "echo" },
  { server: "apache", protocol: "fastcgi", passed: "echo" },
  { server: "apache", protocol: "scgi", passed: "echo" },
  { server: "apache", protocol: "ajp", passed: undefined },
  { server: "lighttpd", protocol: "fastcgi", passed: "echo" },
  { server: "lighttpd", protocol: "scgi", passed: "echo" },
  { server: "haproxy", protocol: "fastcgi", passed: undefined },
] as const satisfies readonly { server: string; protocol: GatewayProtocol; passed?: unknown }[];

const room = new Room("noup");
const ports = await freePorts(WAYS.length);
const fronts: FrontServer[] = [];
const socketOf = (index: number): { socket: string } => ({ socket: room.file(`${index}.sock`) });
const obstacleOf = (server: string): string | undefined =>
  serverObstacle(server === "apache" ? apacheName() : server);

beforeAll(async () => {
  const placesOf = (server: string): { protocol: GatewayProtocol; index: number; port: number }[] =>
    WAYS.map(({ protocol }, index) => ({ protocol, index, port: ports[index]! })).filter(
      ({ index }) => WAYS[index]!.server === server,
    );
  if (obstacleOf("nginx") === undefined) {
    const sites = placesOf("nginx").map(({ index, port }) => ({
      port,
      protocol: "fastcgi" as const,
      address: socketOf(index),
    }));
    fronts.push(await startNginx(room, sites));
  }
  if (obstacleOf("apache") === undefined) {
    const sites = placesOf("apache").map(({ protocol, index, port }) => {
      const scheme = protocol === "fastcgi" ? "fcgi" : protocol;
      return {
        port,
        directives: [`ProxyPass / "${apacheTarget(scheme, socketOf(index), `up${index}`)}"`],
      };
    });
    fronts.push(await startApache(room, sites));
  }
  if (obstacleOf("lighttpd") === undefined) {
    const sites = placesOf("lighttpd").map(({ protocol, index, port }) => {
      const options = `${lighttpdTarget(socketOf(index))}, "check-local" => "disable"`;
      return { port, lines: [`${protocol}.server = ( "/" => (( ${options} )) )`] };
    });
    fronts.push(await startLighttpd(room, sites));
  }
  if (obstacleOf("haproxy") === undefined) {
    const sites = placesOf("haproxy").map(({ index, port }) => ({
      port,
      address: socketOf(index),
    }));
    fronts.push(await startHaproxy(room, sites));
  }
});
afterAll(async () => {
  await Promise.all(fronts.map((front) => front.stop()));
  room.remove();
});

for (const configuration of CONFIGURATIONS) {
  for (const [index, { server, protocol, passed }] of WAYS.entries()) {
    test(`an upgrade request through ${server} over ${protocol} is an ordinary one, ${configuration}`, async (context) => {
      unlessObstacle(context, obstacleOf(server) ?? configurationObstacle(configuration));
      const seen: unknown[] = [];
      const options = {
        protocol,
        mode: 0o666,
        ...wayOf(configuration),
        ...socketOf(index),
      };
      const gateway = createServer(options, (req, res) => {
        const { params } = (req as unknown as { gateway: { params: Record<string, string> } })
          .gateway;
        seen.push([params["HTTP_UPGRADE"], req.headers.upgrade, req.headers.connection]);
        res.end("plain");
      });
      gateway.on("upgrade", (_req, socket) => {
        seen.push("upgrade");
        socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n");
      });
      await gateway.listen().ready();
      try {
        const lines = ["GET / HTTP/1.1", "Host: a", "Upgrade: echo", "Connection: upgrade, close"];
        const answer = await askRaw(ports[index]!, `${lines.join("\r\n")}\r\n\r\n`);
        expect(answer.status).toBe(200);
        expect(answer.body.toString()).toContain("plain");
        // From 1.4.74 on lighttpd keeps the field where `"upgrade" => "enable"` is missing.
        const known = server === "lighttpd" ? [passed, undefined] : [passed];
        expect(seen).toHaveLength(1);
        expect(known.map((upgrade) => [upgrade, undefined, undefined])).toContainEqual(seen[0]);
      } finally {
        gateway.closeAllConnections();
        await gateway.shutdown();
      }
    });
  }
}
