/**
 * lighttpd in front of postern: FastCGI, SCGI and AJP 1.3, unix socket and TCP, every configuration, and lighttpd
 * starting postern itself (issue 2, acceptance 5).
 *
 * lighttpd opens a connection for every request, collects chunked uploads, and over AJP sends the decoded
 * path and body packets without their inner length, hence `--ajp.raw-body`.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Configuration } from "../support/engines.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import {
  AJP_SECRET,
  CONFIGURATIONS,
  configurationObstacle,
  fileName,
  Gateway,
  gatewayEnvironment,
} from "../support/front/gateway.ts";
import { ask } from "../support/front/http-client.ts";
import { type LighttpdSite, lighttpdTarget, startLighttpd } from "../support/front/lighttpd.ts";
import { type Address, freePorts, Room } from "../support/front/ports.ts";
import { startScript } from "../support/front/spawned.ts";
import { describeCell } from "./behaviours.ts";
import type { Traits } from "./cell.ts";

const traits: Traits = {
  chunked: "forwarded",
  cookie: "a=1; b=2",
  repeatedResponse: "lines",
  abortWhileWaiting: "never",
  stderrLogged: true,
  expectedLog: [/FastCGI-stderr:/],
};

/** AJP needs a secret over TCP, which lighttpd sends for TLS clients only (see the last test). */
const WAYS = [
  { protocol: "fastcgi", transport: "unix" },
  { protocol: "fastcgi", transport: "tcp" },
  { protocol: "scgi", transport: "unix" },
  { protocol: "scgi", transport: "tcp" },
  { protocol: "ajp", transport: "unix" },
  { protocol: "ajp", transport: "tcp" },
] as const;

const obstacle = serverObstacle("lighttpd");
const room = new Room("lighttpd");
const state = room.folder("state", true);
const ports = await freePorts(WAYS.length * 2 + CONFIGURATIONS.length);
let front: FrontServer;

const addressOf = (index: number): Address =>
  WAYS[index]!.transport === "unix"
    ? { socket: room.file(`g${index}.sock`) }
    : { host: "127.0.0.1", port: ports[WAYS.length + index]! };

const spawnPort = (configuration: Configuration): number =>
  ports[WAYS.length * 2 + CONFIGURATIONS.indexOf(configuration)]!;

const siteOf = (index: number): LighttpdSite => {
  const { protocol } = WAYS[index]!;
  const target = lighttpdTarget(addressOf(index));
  const options = `${target}, "check-local" => "disable"`;
  const lines =
    protocol === "ajp"
      ? // Only the empty prefix leaves the path whole: "/" sends its first segment alone.
        [
          `ajp13.server = ( "" => (( ${options} )) )`,
          `setenv.set-environment = ( "AJP13_SECRET" => "${AJP_SECRET}" )`,
        ]
      : [`${protocol}.server = ( "/" => (( ${options}, "fix-root-scriptname" => "enable" )) )`];
  return { port: ports[index]!, lines };
};

/** A site whose gateway lighttpd starts itself, with the listening socket on descriptor 0. */
const spawningSite = (configuration: Configuration): LighttpdSite => {
  const script = startScript(
    room,
    `spawned-${fileName(configuration)}.fcgi`,
    gatewayEnvironment(configuration, state),
  );
  const options = [
    `"bin-path" => "${script}"`,
    `"socket" => "${room.folder("spawn", true)}/${fileName(configuration)}.sock"`,
    `"max-procs" => 1`,
    `"check-local" => "disable"`,
    `"fix-root-scriptname" => "enable"`,
  ];
  return {
    port: spawnPort(configuration),
    lines: [`fastcgi.server = ( "/" => (( ${options.join(", ")} )) )`],
  };
};

beforeAll(async () => {
  if (obstacle !== undefined) return;
  const runnable = CONFIGURATIONS.filter(
    (configuration) => configurationObstacle(configuration) === undefined,
  );
  const sites = [...WAYS.map((_, index) => siteOf(index)), ...runnable.map(spawningSite)];
  front = await startLighttpd(room, sites);
});
afterAll(async () => {
  await front?.stop();
  room.remove();
});

for (const configuration of CONFIGURATIONS) {
  const cell = { configuration, front: () => front, state: () => state, obstacle };
  for (const [index, { protocol, transport }] of WAYS.entries()) {
    if (protocol === "ajp" && transport === "tcp") continue;
    const ajp = { words: ["--ajp.raw-body"], secret: false };
    describeCell({
      ...cell,
      title: `lighttpd ${protocol} ${transport} ${configuration}`,
      protocol,
      // Over AJP the path comes decoded; postern encodes what must be.
      traits: protocol === "ajp" ? { ...traits, url: "/a%20b/%E3%81%82/c+d?q=1&r=%C3%A9" } : traits,
      port: () => ports[index]!,
      gateway: () => ({ address: addressOf(index), ...(protocol === "ajp" ? ajp : {}) }),
    });
  }
  describeCell({
    ...cell,
    title: `lighttpd fastcgi bin-path ${configuration}`,
    protocol: "fastcgi",
    traits,
    port: () => spawnPort(configuration),
    gateway: undefined,
  });
}

test("lighttpd ajp tcp: the secret is not sent for clients without TLS, and postern answers 403", async (context) => {
  unlessObstacle(context, obstacle);
  const index = WAYS.length - 1;
  const options = {
    protocol: "ajp",
    configuration: "typescript",
    state,
    words: ["--ajp.raw-body"],
  } as const;
  const gateway = await Gateway.start({ ...options, address: addressOf(index) });
  try {
    expect((await ask({ port: ports[index]!, path: "/_page" })).status).toBe(403);
    expect(gateway.child.lines.some((line) => /Secret missing or wrong/.test(line))).toBe(true);
  } finally {
    await gateway.stop();
  }
});
