/**
 * Files behind real web servers: `sendFile` handed over to nginx, lighttpd and Apache's mod_proxy_scgi, streamed where
 * they cannot, and `--static` behind nginx.
 *
 * What matters is what the client sees, bytes and headers; that a server sent the file itself is read from a file that
 * the application writes.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Configuration } from "../support/engines.ts";
import { BIG, FileRoom, HIDDEN, TRAVERSALS } from "../support/file-room.ts";
import { apacheName, apacheTarget, startApache } from "../support/front/apache.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import {
  AJP_SECRET,
  CONFIGURATIONS,
  configurationObstacle,
  Gateway,
  type GatewayProtocol,
  projectRoot,
} from "../support/front/gateway.ts";
import { startHaproxy } from "../support/front/haproxy.ts";
import { type Answer, ask, askRaw } from "../support/front/http-client.ts";
import { lighttpdTarget, startLighttpd } from "../support/front/lighttpd.ts";
import { type NginxSite, startNginx } from "../support/front/nginx.ts";
import { type Address, freePorts, Room } from "../support/front/ports.ts";

const room = new Room("files");
const files = new FileRoom();
const state = room.folder("state", true);
const ports = await freePorts(14);
const address: Address = { host: "127.0.0.1", port: ports[0]! };
const SOFTWARE = { SERVER_SOFTWARE: "nginx/$nginx_version" };
/** Fields that only a web server may see. */
const INTERNAL = ["x-accel-redirect", "x-sendfile", "x-lighttpd-send-file"];

/** One way from a client to the application. */
interface Way {
  readonly server: string;
  readonly protocol: GatewayProtocol;
  readonly port: number;
  /** The header by which the server is told; undefined: it is told nothing. */
  readonly header?: string;
  /** Does the server answer ranges and conditions itself? */
  readonly validates?: boolean;
}

/** The same way for a file of which the server is told nothing. */
const untold = ({ server, protocol, port }: Way): Way => ({ server, protocol, port });

const way = (index: number, server: string, protocol: GatewayProtocol): Way => ({
  server,
  protocol,
  port: ports[index]!,
});
const WAYS: readonly Way[] = [
  { ...way(1, "nginx", "fastcgi"), header: "X-Accel-Redirect", validates: true },
  { ...way(2, "nginx", "scgi"), header: "X-Accel-Redirect", validates: true },
  // Without the parameter nginx does not say over SCGI what it is.
  way(3, "nginx", "scgi"),
  { ...way(4, "lighttpd", "fastcgi"), header: "X-Sendfile", validates: true },
  { ...way(5, "lighttpd", "scgi"), header: "X-Sendfile", validates: true },
  { ...way(6, apacheName(), "scgi"), header: "X-Sendfile" },
  way(7, apacheName(), "fastcgi"),
  way(8, apacheName(), "ajp"),
  way(9, "haproxy", "fastcgi"),
];

const nginxSites = (): NginxSite[] =>
  [1, 2, 3].map((index) => ({
    port: ports[index]!,
    protocol: index === 1 ? "fastcgi" : "scgi",
    address,
    ...(index === 2 ? { params: SOFTWARE } : {}),
    beside: [`location /internal/ { internal; alias ${files.files}/; }`],
  }));

const lighttpdLines = (protocol: string): string[] => {
  const sendfile = `"x-sendfile" => "enable", "x-sendfile-docroot" => ( "${files.files}" )`;
  const host = `${lighttpdTarget(address)}, "check-local" => "disable", "fix-root-scriptname" => "enable"`;
  return [`${protocol}.server = ( "/" => (( ${host}, ${sendfile} )) )`];
};

const fronts: FrontServer[] = [];
const obstacles = new Map<string, string | undefined>(
  WAYS.map(({ server }) => [server, serverObstacle(server)]),
);

beforeAll(async () => {
  const has = (name: string): boolean => obstacles.get(name) === undefined;
  if (has("nginx")) fronts.push(await startNginx(room, nginxSites()));
  if (has("lighttpd")) {
    const sites = (["fastcgi", "scgi"] as const).map((protocol, index) => ({
      port: ports[4 + index]!,
      lines: lighttpdLines(protocol),
    }));
    fronts.push(await startLighttpd(room, sites));
  }
  if (has(apacheName())) {
    const pass = (scheme: "fcgi" | "scgi" | "ajp", more = ""): string[] => [
      `ProxyPass "/" "${apacheTarget(scheme, address, "files")}"${more}`,
    ];
    fronts.push(
      await startApache(room, [
        { port: ports[6]!, directives: ["ProxySCGISendfile On", ...pass("scgi")] },
        { port: ports[7]!, directives: pass("fcgi") },
        { port: ports[8]!, directives: pass("ajp", ` secret=${AJP_SECRET}`) },
      ]),
    );
  }
  if (has("haproxy")) {
    const application = ["option keep-conn"];
    fronts.push(await startHaproxy(room, [{ port: ports[9]!, address, application, backend: [] }]));
  }
});
afterAll(async () => {
  for (const front of fronts) await front.stop();
  room.remove();
  files.remove();
});

const start = (
  protocol: GatewayProtocol,
  configuration: Configuration,
  words: readonly string[],
): Promise<Gateway> => {
  process.env["POSTERN_CONFORMANCE_FILES"] = files.files;
  const application = join(projectRoot, "test/conformance/files-app.mjs");
  return Gateway.start({ protocol, configuration, address, state, application, words });
};

/** The headers by which files were handed over since the last question. */
function handedOver(): string[] {
  const path = join(state, "handed-over");
  const names = existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
  rmSync(path, { force: true });
  return names;
}

/** Asks, and checks what holds for every answer. */
async function seen(way: Way, file: string, headers: readonly string[] = [], method = "GET") {
  handedOver();
  const path = `/?file=${encodeURIComponent(file)}`;
  const answer = await ask({ port: way.port, path, headers, method });
  expect(INTERNAL.filter((name) => answer.headers[name] !== undefined)).toEqual([]);
  const whole = method === "GET" && headers.length === 0;
  const told = way.header !== undefined && (way.validates === true || whole);
  expect(handedOver()).toEqual(told ? [way.header] : []);
  return answer;
}

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

for (const configuration of CONFIGURATIONS) {
  describe.each(WAYS)(`sendFile behind $server $protocol :$port ${configuration}`, (way) => {
    let gateway: Gateway;
    let obstacle: string | undefined;
    beforeAll(async () => {
      obstacle = obstacles.get(way.server) ?? configurationObstacle(configuration);
      if (obstacle !== undefined) return;
      gateway = await start(way.protocol, configuration, [
        "--sendfile",
        `/internal/=${files.files}`,
      ]);
    });
    afterAll(() => gateway?.stop());

    test(`the file arrives ${way.header === undefined ? "through the gateway" : `by ${way.header}`}`, async (context) => {
      unlessObstacle(context, obstacle);
      const answer = await seen(way, "hello.txt");
      expect([answer.status, answer.text]).toEqual([200, "hello, file\n"]);
      expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
      expect(answer.headers["content-disposition"]).toBe("inline");
      expect(answer.headers["cache-control"]).toBe("no-cache");
      expect(Date.parse(String(answer.headers["last-modified"]))).not.toBeNaN();
      expect((await seen(way, "big.bin")).sha256).toBe(sha256(BIG));
      expect((await seen(way, "empty.txt")).bytes).toBe(0);
    });

    test("a name with blanks, a percent sign and an umlaut is the same file", async (context) => {
      unlessObstacle(context, obstacle);
      // Apache gets no such name by header: how it would have to be written is not settled.
      const told = way.validates === true ? way : untold(way);
      expect((await seen(told, "grün & 100%?.html")).text).toBe("<p>grün</p>\n");
    });

    test("a range, a condition and HEAD are answered", async (context) => {
      unlessObstacle(context, obstacle);
      const range = await seen(way, "big.bin", ["Range", "bytes=10-19"]);
      expect([range.status, range.sha256]).toEqual([206, sha256(BIG.subarray(10, 20))]);
      expect(range.headers["content-range"]).toBe("bytes 10-19/300000");
      const whole = await seen(way, "hello.txt");
      for (const [asked, said] of [
        ["If-None-Match", "etag"],
        ["If-Modified-Since", "last-modified"],
      ] as const) {
        const again = await seen(way, "hello.txt", [asked, String(whole.headers[said])]);
        expect([asked, again.status, again.bytes]).toEqual([asked, 304, 0]);
      }
      const head = await seen(way, "hello.txt", [], "HEAD");
      expect(head.status).toBe(200);
      // Apache leaves the length out of a HEAD's answer, whatever the gateway says.
      if (way.server !== apacheName()) expect(head.headers["content-length"]).toBe("12");
    });

    test("what is not there is the application's 404", async (context) => {
      unlessObstacle(context, obstacle);
      const answer = await seen(untold(way), "none.txt");
      expect([answer.status, answer.text]).toEqual([404, "404 Not Found\n"]);
    });
  });

  describe.each(WAYS.slice(0, 2))(`--static behind nginx $protocol ${configuration}`, (way) => {
    const obstacle = serverObstacle("nginx") ?? configurationObstacle(configuration);
    let gateway: Gateway;
    beforeAll(async () => {
      if (obstacle === undefined)
        gateway = await start(way.protocol, configuration, ["--static", `/media=${files.files}`]);
    });
    afterAll(() => gateway?.stop());
    const get = (path: string, headers: readonly string[] = []): Promise<Answer> =>
      ask({ port: way.port, path, headers });

    test("files, ranges and conditions are answered, and other paths are the application's", async (context) => {
      unlessObstacle(context, obstacle);
      const whole = await get("/media/hello.txt");
      expect([whole.status, whole.text]).toEqual([200, "hello, file\n"]);
      expect((await get("/media/big.bin")).sha256).toBe(sha256(BIG));
      const range = await get("/media/big.bin", ["Range", "bytes=-7"]);
      expect([range.status, range.sha256]).toEqual([206, sha256(BIG.subarray(-7))]);
      const condition = ["If-None-Match", String(whole.headers["etag"])];
      expect((await get("/media/hello.txt", condition)).status).toBe(304);
      expect((await get("/media/docs?q=1")).headers["location"]).toBe("./docs/?q=1");
      expect((await get("/media/docs/")).text).toBe("<p>index</p>\n");
      expect((await get("/?file=hello.txt")).text).toBe("hello, file\n");
    });

    test("no path leads out of the folder", async (context) => {
      unlessObstacle(context, obstacle);
      for (const path of TRAVERSALS) {
        const target = `/media/${path}`;
        const text = `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
        const answer = await askRaw(way.port, text);
        expect(answer.body.toString(), target).not.toContain(HIDDEN);
        expect([400, 404], target).toContain(answer.status);
      }
    });
  });
}

test("no web server complains of anything", () => {
  expect(fronts.flatMap((front) => front.complaints())).toEqual([]);
});
