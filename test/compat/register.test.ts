/**
 * Programs that nobody edited, behind real web servers by `postern/register` alone: an Express site as generators write
 * it, a Fastify program, a built Next.js site. FastCGI and SCGI behind nginx; AJP behind Apache, since nginx has none.
 *
 * The same questions go to the same program by its own HTTP server in the same run, and the answers are compared.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packagesObstacle } from "../support/compat-packages.ts";
import { projectRoot } from "../support/documents.ts";
import { wayOf } from "../support/engines.ts";
import { apacheModules, apacheName, apacheTarget, startApache } from "../support/front/apache.ts";
import type { Child } from "../support/front/child.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import { AJP_SECRET, CONFIGURATIONS, configurationObstacle } from "../support/front/gateway.ts";
import { startNginx } from "../support/front/nginx.ts";
import { connect, freePorts, Room, until } from "../support/front/ports.ts";
import { build, PROGRAMS, type Question, startGateway, startPlain } from "./unmodified.ts";

/** What belongs to the two connections of the web server, or is its own to say. */
const OWN = ["connection", "date", "keep-alive", "server", "transfer-encoding"];
const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;
const WAYS = ["unmodified", "custom server"] as const;
const BUILD_MS = 400_000;
const CELL_MS = 120_000;

/** A column of the grid: what stands in front, and by which protocol. */
const nginxMissing = serverObstacle("nginx");
const apacheMissing = serverObstacle(apacheName(), `${apacheModules()}/mod_proxy_ajp.so`);

/** What is compared of an answer. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** An answer, without what is the web server's. */
async function answerOf(port: number, { path, ...rest }: Question): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...rest, redirect: "manual" });
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !OWN.includes(name)));
  // Apache writes its members anew, without the spaces.
  if ("vary" in headers) headers["vary"] = headers["vary"]!.replaceAll(/, */g, ", ");
  const text = (await response.text()).replaceAll(`127.0.0.1:${port}`, "HOST");
  return { status: response.status, headers, text };
}

/** What is expected where HTTP said `plain`: a length may be known here that node:http leaves to chunks. */
function expectedBeside(plain: Answer, { headers }: Answer): Answer {
  const length = headers["content-length"];
  if (length === undefined || "content-length" in plain.headers) return plain;
  const bytes = String(Buffer.byteLength(plain.text));
  return { ...plain, headers: { ...plain.headers, "content-length": bytes } };
}

describe.each(PROGRAMS)("$name", (program) => {
  const room = new Room("unmodified");
  const sockets = Object.fromEntries(PROTOCOLS.map((name) => [name, room.file(`${name}.sock`)]));
  const ports = { plain: 0, asked: 0, fastcgi: 0, scgi: 0, ajp: 0 };
  const fronts: FrontServer[] = [];
  const expected = new Map<Question, Answer>();
  const obstacle = packagesObstacle(...program.packages);

  beforeAll(async () => {
    if (obstacle !== undefined) return;
    if (!existsSync(join(projectRoot, "dist/register.cjs")))
      throw new Error("dist/ is missing; run npm run build first.");
    if (program.name === "next-site") await build(program);
    const numbers = await freePorts(5);
    for (const [index, name] of (["plain", "asked", ...PROTOCOLS] as const).entries())
      ports[name] = numbers[index]!;
    if (nginxMissing === undefined) {
      const sites = (["fastcgi", "scgi"] as const).map((protocol) => ({
        port: ports[protocol],
        protocol,
        address: { socket: sockets[protocol]! },
      }));
      fronts.push(await startNginx(room, sites));
    }
    if (apacheMissing === undefined) {
      const target = apacheTarget("ajp", { socket: sockets["ajp"]! }, "app");
      const pass = `ProxyPass "/" "${target}" secret=${AJP_SECRET} nocanon`;
      const site = {
        port: ports.ajp,
        directives: [pass, "AllowEncodedSlashes NoDecode", "SetEnv ap_trust_cgilike_cl 1"],
      };
      fronts.push(await startApache(room, [site]));
    }
    const plain = await startPlain(program, ports.plain);
    for (const question of program.questions)
      expected.set(question, await answerOf(ports.plain, question));
    await plain.stop();
  }, BUILD_MS);
  afterAll(async () => {
    await Promise.all(fronts.map((front) => front.stop()));
    room.remove();
  });

  const ways = program.custom === undefined ? WAYS.slice(0, 1) : WAYS;
  const cells = ways.flatMap((way) =>
    PROTOCOLS.flatMap((protocol) =>
      CONFIGURATIONS.map((configuration) => ({ way, protocol, configuration })),
    ),
  );
  test.for(cells)(
    "answers over $protocol as over HTTP, $way, $configuration",
    { timeout: CELL_MS },
    async ({ way, protocol, configuration }, context) => {
      const missing = obstacle ?? (protocol === "ajp" ? apacheMissing : nginxMissing);
      unlessObstacle(context, missing ?? configurationObstacle(configuration));
      const socket = sockets[protocol]!;
      let child: Child | undefined;
      try {
        child = await startGateway({
          ...{ program, way, protocol, configuration, port: ports.asked },
          address: { socket },
        });
        await until("its start line", () => child!.lines.some((line) => /^postern \d/.test(line)));
        for (const question of program.questions) {
          const answer = await answerOf(ports[protocol], question);
          const wanted = expectedBeside(expected.get(question)!, answer);
          expect(answer, question.path).toEqual(wanted);
        }
        const line = child.lines.find((one) => /^postern \d/.test(one));
        const { engine, transport } = wayOf(configuration);
        expect(line).toContain(`: ${protocol} on unix:${socket}, engine ${engine} (`);
        expect(line).toContain(`, transport ${transport} (`);
        // By no port: neither the one it asked for, nor, as Fastify tries, one for each address of localhost.
        await expect(connect({ host: "127.0.0.1", port: ports.asked })).rejects.toThrow();
      } finally {
        await child?.stop();
      }
      expect(fronts.flatMap((front) => front.complaints())).toEqual([]);
    },
  );
});
