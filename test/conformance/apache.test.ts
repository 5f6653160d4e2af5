/**
 * Apache in front of postern: mod_proxy_fcgi, mod_proxy_scgi, mod_proxy_ajp, unix socket and TCP, every
 * configuration, and mod_fcgid starting postern itself (issue 2, acceptance 5).
 *
 * Workers are set up as reference configurations advise. Apache refuses chunked uploads over SCGI by itself.
 */
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { Configuration } from "../support/engines.ts";
import {
  type ApacheSite,
  apacheName,
  apacheTarget,
  fcgidModule,
  startApache,
} from "../support/front/apache.ts";
import { type FrontServer, serverObstacle } from "../support/front/front-server.ts";
import {
  AJP_SECRET,
  CONFIGURATIONS,
  fileName,
  gatewayEnvironment,
} from "../support/front/gateway.ts";
import { type Address, freePorts, Room } from "../support/front/ports.ts";
import { startScript } from "../support/front/spawned.ts";
import { describeCell } from "./behaviours.ts";
import type { Traits } from "./cell.ts";

const traits: Traits = {
  chunked: "forwarded",
  cookie: "a=1, b=2",
  repeatedResponse: "joined",
  abortWhileWaiting: "never",
  stderrLogged: true,
  expectedLog: [/AH01071: Got error 'conformance:/],
};

const WAYS = (["fastcgi", "scgi", "ajp"] as const).flatMap((protocol) => [
  { protocol, transport: "unix" },
  { protocol, transport: "tcp" },
]);

const obstacle = serverObstacle(apacheName());
const fcgidObstacle = serverObstacle(apacheName(), fcgidModule());
const room = new Room("apache");
const state = room.folder("state", true);
const ports = await freePorts(WAYS.length * 2 + CONFIGURATIONS.length);
let front: FrontServer;

const addressOf = (index: number): Address =>
  WAYS[index]!.transport === "unix"
    ? { socket: room.file(`g${index}.sock`) }
    : { host: "127.0.0.1", port: ports[WAYS.length + index]! };

const spawnPort = (configuration: Configuration): number =>
  ports[WAYS.length * 2 + CONFIGURATIONS.indexOf(configuration)]!;

const siteOf = (index: number): ApacheSite => {
  const { protocol } = WAYS[index]!;
  const scheme = protocol === "fastcgi" ? "fcgi" : protocol;
  const target = apacheTarget(scheme, addressOf(index), `g${index}`);
  const words = {
    fastcgi: "enablereuse=on flushpackets=on",
    scgi: "",
    ajp: `secret=${AJP_SECRET} flushpackets=on`,
  };
  return {
    port: ports[index]!,
    directives: [`ProxyPass / "${target}" retry=0 ${words[protocol]}`],
  };
};

/** What is different for one protocol. */
const traitsOf = (protocol: (typeof WAYS)[number]["protocol"]): Traits => {
  if (protocol === "scgi") return { ...traits, chunked: { status: 411, overBytes: 0 } };
  if (protocol === "fastcgi") return traits;
  // mod_proxy decodes and encodes the path again, and only for characters that need it.
  const url = "/a%20b/%E3%81%82/c+d?q=1&r=%C3%A9";
  return { ...traits, url, repeatedResponse: "lines" };
};

/** A site whose gateway mod_fcgid starts itself, from a script that every path is rewritten to. */
const spawningSite = (configuration: Configuration): ApacheSite => {
  const folder = room.folder(`fcgid-${fileName(configuration)}`);
  startScript(room, "app.fcgi", gatewayEnvironment(configuration, state), folder);
  return {
    port: spawnPort(configuration),
    directives: [
      `DocumentRoot ${folder}`,
      `<Directory ${folder}>`,
      "  Options +ExecCGI",
      "  Require all granted",
      "  AddHandler fcgid-script .fcgi",
      "</Directory>",
      "RewriteEngine On",
      `RewriteCond ${join("%{DOCUMENT_ROOT}", "%{REQUEST_URI}")} !-f`,
      "RewriteRule ^/(.*)$ /app.fcgi/$1 [QSA,L]",
    ],
  };
};

const FCGID = [
  `FcgidIPCDir ${room.file("fcgid-sockets")}`,
  `FcgidProcessTableFile ${room.file("fcgid-table")}`,
  "FcgidMaxRequestLen 209715200",
  "FcgidOutputBufferSize 0",
  "FcgidMaxProcessesPerClass 4",
  "FcgidMinProcessesPerClass 0",
];

beforeAll(async () => {
  if (obstacle !== undefined) return;
  const sites = WAYS.map((_, index) => siteOf(index));
  if (fcgidObstacle === undefined) sites.push(...CONFIGURATIONS.map(spawningSite));
  front = await startApache(room, sites, fcgidObstacle === undefined ? FCGID : []);
});
afterAll(async () => {
  await front?.stop();
  room.remove();
});

for (const configuration of CONFIGURATIONS) {
  const cell = { configuration, front: () => front, state: () => state };
  for (const [index, { protocol, transport }] of WAYS.entries()) {
    describeCell({
      ...cell,
      title: `apache ${protocol} ${transport} ${configuration}`,
      protocol,
      traits: traitsOf(protocol),
      port: () => ports[index]!,
      gateway: () => ({ address: addressOf(index) }),
      obstacle,
    });
  }
  describeCell({
    ...cell,
    title: `apache mod_fcgid ${configuration}`,
    protocol: "fastcgi",
    traits,
    port: () => spawnPort(configuration),
    gateway: undefined,
    obstacle: fcgidObstacle,
  });
}
