/**
 * WebSockets by `ws`, client and server unmodified: through nginx over SCGI, over HTTP beside the other protocols, and
 * through lighttpd where it can (issue 3, acceptance 5).
 *
 * Debian 12's lighttpd 1.4.69 cannot carry upgrades; what 1.4.86 sends and takes is test/serve/suite-upgrade.test.ts.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createServer } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { type Configuration, wayOf } from "../support/engines.ts";
import { findProgram } from "../support/front/child.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import { CONFIGURATIONS, configurationObstacle, isMiddle } from "../support/front/gateway.ts";
import { lighttpdTarget, startLighttpd } from "../support/front/lighttpd.ts";
import { startNginx } from "../support/front/nginx.ts";
import { freePorts, Room, until } from "../support/front/ports.ts";

const messageCountOf = (configuration: Configuration): number =>
  isMiddle(configuration) ? 2_000 : 10_000;
/** Messages on their way at once. */
const AHEAD_COUNT = 64;

/** A way from the client to the application. */
interface Way {
  readonly name: string;
  readonly protocol: "scgi" | "fastcgi" | "auto";
  readonly front: "nginx" | "lighttpd" | undefined;
}

const WAYS: readonly Way[] = [
  { name: "nginx, SCGI", protocol: "scgi", front: "nginx" },
  { name: "HTTP beside the others (auto)", protocol: "auto", front: undefined },
  { name: "lighttpd, SCGI", protocol: "scgi", front: "lighttpd" },
  { name: "lighttpd, FastCGI", protocol: "fastcgi", front: "lighttpd" },
];

/** Why lighttpd cannot, or undefined when it can. */
function lighttpdObstacle(): string | undefined {
  const program = findProgram("lighttpd");
  if (program === undefined) return "lighttpd is not installed";
  const version = execFileSync(program, ["-v"], { encoding: "utf8" });
  const release = Number(/lighttpd\/1\.4\.(\d+)/.exec(version)?.[1] ?? 0);
  return release >= 74 ? undefined : `lighttpd 1.4.${release} cannot, 1.4.74 and later can`;
}

const tooOld = lighttpdObstacle();
const room = new Room("ws");
const ports = await freePorts(WAYS.length * CONFIGURATIONS.length);
const fronts: FrontServer[] = [];

const indexOf = (way: Way, configuration: Configuration): number =>
  WAYS.indexOf(way) * CONFIGURATIONS.length + CONFIGURATIONS.indexOf(configuration);
const socketOf = (way: Way, configuration: Configuration): string =>
  room.file(`${indexOf(way, configuration)}.sock`);
const portOf = (way: Way, configuration: Configuration): number =>
  ports[indexOf(way, configuration)]!;

/** The places of one front server: one for each of its ways and configurations. */
const sitesOf = (front: Way["front"]): { way: Way; configuration: Configuration }[] =>
  WAYS.filter((way) => way.front === front).flatMap((way) =>
    CONFIGURATIONS.map((configuration) => ({ way, configuration })),
  );

beforeAll(async () => {
  if (serverObstacle("nginx") === undefined) {
    const sites = sitesOf("nginx").map(({ way, configuration }) => ({
      port: portOf(way, configuration),
      protocol: "scgi" as const,
      address: { socket: socketOf(way, configuration) },
    }));
    fronts.push(await startNginx(room, sites));
  }
  if (tooOld === undefined) {
    const sites = sitesOf("lighttpd").map(({ way, configuration }) => {
      const target = lighttpdTarget({ socket: socketOf(way, configuration) });
      const options = `${target}, "check-local" => "disable", "upgrade" => "enable"`;
      return {
        port: portOf(way, configuration),
        lines: [`${way.protocol}.server = ( "/" => (( ${options} )) )`],
      };
    });
    fronts.push(await startLighttpd(room, sites));
  }
});
afterAll(async () => {
  await Promise.all(fronts.map((front) => front.stop()));
  room.remove();
});

/** What a server of one test has seen. */
interface Seen {
  readonly protocols: unknown[];
  readonly closes: (readonly [code: number, reason: string])[];
}

/** Serves an echo, plays, and closes. */
async function play(
  way: Way,
  configuration: Configuration,
  script: (url: string, seen: Seen, wss: WebSocketServer) => Promise<void>,
): Promise<void> {
  const seen: Seen = { protocols: [], closes: [] };
  const address = way.front === undefined ? { port: 0 } : { socket: socketOf(way, configuration) };
  const options = {
    protocol: way.protocol,
    ...wayOf(configuration),
    mode: 0o666,
    ...address,
  } as const;
  const server: Server = createServer(options, (_req, res) => res.end("plain"));
  const wss = new WebSocketServer({
    server,
    verifyClient: ({ req }, done) => done(req.url !== "/no", 401, "Not you", { "X-Why": "no" }),
  });
  wss.on("connection", (socket, req) => {
    seen.protocols.push((req as { gateway?: { protocol: string } }).gateway?.protocol);
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on("close", (code, reason) => seen.closes.push([code, String(reason)]));
  });
  await server.listen().ready();
  const bound = server.address();
  const port =
    typeof bound === "string" || bound === null ? portOf(way, configuration) : bound.port;
  try {
    await script(`ws://127.0.0.1:${port}`, seen, wss);
  } finally {
    for (const client of wss.clients) client.terminate();
    server.closeAllConnections();
    await server.shutdown();
  }
}

/** The message of a number: text or bytes, of all lengths that frames encode differently. */
function messageOf(number: number): string | Buffer {
  const length = number % 500 === 499 ? 70_000 : (number * 7) % 300;
  const text = `${number}:${"é".repeat(length)}`;
  return number % 2 === 0 ? text : Buffer.from(text);
}

/** Echoes every message, some ahead; returns how many came back as they were. */
async function echoAll(socket: WebSocket, messageCount: number): Promise<number> {
  let sent = 0;
  let back = 0;
  return await new Promise((done, fail) => {
    const send = (): void => {
      while (sent < messageCount && sent - back < AHEAD_COUNT) socket.send(messageOf(sent++));
    };
    socket.on("error", fail);
    socket.on("close", (code) => fail(new Error(`closed with ${code} after ${back}`)));
    socket.on("message", (data: Buffer, isBinary) => {
      const expected = messageOf(back);
      const same = isBinary ? data.equals(expected as Buffer) : String(data) === expected;
      if (!same) fail(new Error(`message ${back} is another`));
      back++;
      if (back === messageCount) done(back);
      else send();
    });
    send();
  });
}

for (const configuration of CONFIGURATIONS) {
  for (const way of WAYS) {
    const obstacle =
      way.front === "nginx"
        ? serverObstacle("nginx")
        : way.front === undefined
          ? undefined
          : tooOld;
    // An old lighttpd is no mistake of who runs the tests, even where CI=true asks for everything.
    const title = `ws through ${way.name}, ${configuration}`;
    describe.skipIf(way.front === "lighttpd" && tooOld !== undefined)(
      way.front === "lighttpd" && tooOld !== undefined ? `${title} (skipped: ${tooOld})` : title,
      () => {
        const messageCount = messageCountOf(configuration);
        test(`${messageCount} messages come back, then both sides close`, async (context) => {
          unlessObstacle(context, obstacle ?? configurationObstacle(configuration));
          await play(way, configuration, async (url, seen) => {
            const socket = new WebSocket(url);
            await once(socket, "open");
            const began = performance.now();
            expect(await echoAll(socket, messageCount)).toBe(messageCount);
            const seconds = (performance.now() - began) / 1_000;
            console.log(`${title}: ${Math.round(messageCount / seconds)} messages a second`);
            socket.removeAllListeners("close");
            socket.close(4_001, "enough");
            const [code, reason] = await once(socket, "close");
            expect([code, String(reason)]).toEqual([4_001, "enough"]);
            await until("the server sees the close", () => seen.closes.length === 1);
            expect(seen.closes).toEqual([[4_001, "enough"]]);
            expect(seen.protocols).toEqual([way.protocol === "auto" ? "http" : way.protocol]);
            expect(fronts.flatMap((front) => front.complaints())).toEqual([]);
          });
        });

        test("a server's close, a refusal and a client that vanishes are seen", async (context) => {
          unlessObstacle(context, obstacle ?? configurationObstacle(configuration));
          await play(way, configuration, async (url, seen, wss) => {
            const first = new WebSocket(url);
            await once(first, "open");
            for (const client of wss.clients) client.close(4_002, "bye");
            const [code, reason] = await once(first, "close");
            expect([code, String(reason)]).toEqual([4_002, "bye"]);

            const refused = new WebSocket(`${url}/no`);
            refused.on("error", () => undefined);
            const [, response] = await once(refused, "unexpected-response");
            expect(response.statusCode).toBe(401);
            expect(response.headers["x-why"]).toBe("no");
            let body = "";
            for await (const piece of response) body += piece;
            expect(body).toBe("Not you");

            const gone = new WebSocket(url);
            await once(gone, "open");
            await until("the server has it", () => wss.clients.size === 1);
            gone.terminate();
            await until("the server sees it go", () => seen.closes.length === 2);
            expect(seen.closes).toEqual([
              [4_002, "bye"],
              [1_006, ""],
            ]);
          });
        });
      },
    );
  }
}
