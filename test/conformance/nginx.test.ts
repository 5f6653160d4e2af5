/**
 * nginx in front of postern: FastCGI and SCGI, unix socket and TCP, every configuration (issue 2, acceptance 5).
 *
 * The sites are set up as reference configurations advise: streaming both ways, connections kept. Uploads
 * that nginx collects first are a site of their own. Habits of nginx are named in the traits.
 */
import { afterAll, beforeAll } from "vitest";
import { type FrontServer, serverObstacle } from "../support/front/front-server.ts";
import { CONFIGURATIONS } from "../support/front/gateway.ts";
import { type NginxSite, startNginx } from "../support/front/nginx.ts";
import { type Address, freePorts, Room } from "../support/front/ports.ts";
import { describeCell } from "./behaviours.ts";
import type { Traits } from "./cell.ts";

const traits: Traits = {
  chunked: "forwarded",
  cookie: "a=1; b=2",
  repeatedResponse: "lines",
  abortWhileWaiting: "always",
  stderrLogged: true,
  expectedLog: [/FastCGI sent in stderr/],
};

/** Way to the gateway, and whether nginx passes bodies on as they come or collects them. */
const WAYS = (["fastcgi", "scgi"] as const).flatMap((protocol) => [
  { protocol, transport: "unix", streams: true },
  { protocol, transport: "tcp", streams: true },
  { protocol, transport: "unix", streams: false },
]);

const obstacle = serverObstacle("nginx");
const room = new Room("nginx");
const state = room.folder("state", true);
const ports = await freePorts(WAYS.length * 2);
let front: FrontServer;

const addressOf = (index: number): Address =>
  WAYS[index]!.transport === "unix"
    ? { socket: room.file(`g${index}.sock`) }
    : { host: "127.0.0.1", port: ports[WAYS.length + index]! };

const siteOf = (index: number): NginxSite => {
  const { protocol, streams } = WAYS[index]!;
  // Before 1.29.6 an SCGI upload that is not collected gets a wrong CONTENT_LENGTH: nginx counts what has come so far.
  const uploads = protocol === "fastcgi" ? ["fastcgi_request_buffering off"] : [];
  const off = [...uploads, `${protocol}_buffering off`];
  const kept = protocol === "fastcgi" ? ["fastcgi_keep_conn on"] : [];
  return {
    port: ports[index]!,
    protocol,
    address: addressOf(index),
    directives: streams ? [...off, ...kept] : [],
    ...(streams && protocol === "fastcgi" ? { keepalive: 4 } : {}),
  };
};

beforeAll(async () => {
  if (obstacle === undefined)
    front = await startNginx(
      room,
      WAYS.map((_, index) => siteOf(index)),
    );
});
afterAll(async () => {
  await front?.stop();
  room.remove();
});

for (const configuration of CONFIGURATIONS) {
  for (const [index, { protocol, transport, streams }] of WAYS.entries()) {
    describeCell({
      title: `nginx ${protocol} ${transport} ${streams ? "streaming" : "buffering"} ${configuration}`,
      protocol,
      configuration,
      traits,
      front: () => front,
      port: () => ports[index]!,
      state: () => state,
      gateway: () => ({ address: addressOf(index) }),
      obstacle,
    });
  }
}
