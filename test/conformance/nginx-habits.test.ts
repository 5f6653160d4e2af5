/**
 * Habits of nginx that an application meets (reliability B-1 to B-20): kept connections and HEAD, params of the
 * administrator, uploads that are passed on while they come, applications that stand in for each other. Seen from both
 * sides: the gateways run in this process.
 */
import { gunzipSync } from "node:zlib";
import { channel } from "node:diagnostics_channel";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import { CONFIGURATIONS, configurationObstacle, fileName } from "../support/front/gateway.ts";
import { ask } from "../support/front/http-client.ts";
import { Inside } from "../support/front/inside.ts";
import { type NginxSite, startNginx } from "../support/front/nginx.ts";
import { type Address, freePorts, Room, until } from "../support/front/ports.ts";
import { describeUploads, raw } from "./nginx-uploads.ts";

const PROTOCOLS = ["fastcgi", "scgi"] as const;
const CELLS = CONFIGURATIONS.flatMap((configuration) =>
  PROTOCOLS.map((protocol) => ({ configuration, protocol })),
);
type Cell = (typeof CELLS)[number];

const obstacle = serverObstacle("nginx");
const room = new Room("habits");
/** For each cell a port of nginx for the unix socket, one for TCP, and the TCP port itself. */
const ports = await freePorts(CELLS.length * 3);
const portsOf = (index: number) =>
  ports.slice(index * 3, index * 3 + 3) as [number, number, number];
const nameOf = ({ configuration, protocol }: Cell): string =>
  `${protocol}-${fileName(configuration)}`;
const socketOf = (cell: Cell, which = ""): Address => ({
  socket: room.file(`${nameOf(cell)}${which}.s`),
});

let front: FrontServer;
const gateways: Inside[] = [];

/** The sites of one cell, and the upstreams beside them. */
function sitesOf(cell: Cell, index: number): { sites: NginxSite[]; more: string[] } {
  const { protocol } = cell;
  const [unixPort, tcpPort, gatewayPort] = portsOf(index);
  const upstream = `up-${nameOf(cell)}`;
  const location = (path: string, lines: readonly string[], to = `gateway${index * 2}`): string =>
    `location ${path} { ${[...lines, `${protocol}_pass ${to}`].map((line) => `${line};`).join(" ")} }`;
  const named = (...lines: string[]): string[] => lines.map((line) => `${protocol}_${line}`);
  const inside = [
    location("/unbuffered", named("request_buffering off")),
    location("/missing", [...named("intercept_errors on"), "error_page 404 @page"]),
    location("/pieces", ["gzip on", "gzip_types *", "gzip_min_length 1"]),
    location("/cached", named(`cache ${protocol}`, "cache_key $uri", "cache_valid 1m")),
    location("/never", named("read_timeout 1s", "next_upstream timeout non_idempotent"), upstream),
  ];
  const pathOf = (which = ""): string => (socketOf(cell, which) as { socket: string }).socket;
  const kept = protocol === "fastcgi" ? { directives: ["fastcgi_keep_conn on"], keepalive: 1 } : {};
  const unix: NginxSite = {
    port: unixPort,
    protocol,
    address: socketOf(cell),
    params: { HTTP_X_ADMIN: "administrator", HTTP_PROXY: "", HTTP_X_EMPTY: "" },
    inside,
    beside: ['location @page { return 200 "the page of nginx"; }'],
    ...kept,
  };
  const tcp = { port: tcpPort, protocol, address: { host: "127.0.0.1", port: gatewayPort } };
  const more = `upstream ${upstream} { server unix:${pathOf()}; server unix:${pathOf("b")} backup; }`;
  return { sites: [unix, tcp], more: [more] };
}

const rooms = CELLS.map(sitesOf);
beforeAll(async () => {
  if (obstacle !== undefined) return;
  const caches = PROTOCOLS.map(
    (protocol) => `${protocol}_cache_path ${room.folder(protocol, true)} keys_zone=${protocol}:1m;`,
  );
  const sites = rooms.flatMap((one) => one.sites);
  front = await startNginx(room, sites, [...caches, ...rooms.flatMap((one) => one.more)]);
});
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await front?.stop();
  room.remove();
});

for (const [index, cell] of CELLS.entries()) {
  const { configuration, protocol } = cell;
  const [port, tcpPort, gatewayPort] = portsOf(index);
  const missing = obstacle ?? configurationObstacle(configuration);
  describe.skipIf(missing)(
    `nginx ${protocol} ${configuration}${missing === undefined ? "" : ` (${missing})`}`,
    () => {
      let main: Inside;
      let backup: Inside;
      let overTcp: Inside;
      beforeAll(async () => {
        main = await Inside.start(protocol, configuration, socketOf(cell));
        backup = await Inside.start(protocol, configuration, socketOf(cell, "b"));
        const tcp = { host: "127.0.0.1", port: gatewayPort };
        overTcp = await Inside.start(protocol, configuration, tcp);
        gateways.push(main, backup, overTcp);
      });

      describeUploads(port, protocol, () => main);

      test("three requests over a unix socket and over TCP reach the one process (B-1)", async () => {
        for (const one of [port, tcpPort]) {
          const counts: number[] = [];
          for (let i = 0; i < 3; i++)
            counts.push(Number((await ask({ port: one, path: "/count" })).text));
          expect(counts.map((count) => count - counts[0]!)).toEqual([0, 1, 2]);
        }
        expect(overTcp.visits).toHaveLength(3);
      });

      test("an absolute Location keeps its 302 (B-2)", async () => {
        const answer = await ask({ port, path: "/found" });
        expect([answer.status, answer.headers["location"]]).toEqual([
          302,
          "http://b.test/elsewhere",
        ]);
      });

      test.skipIf(protocol === "scgi")(
        `kept connections, a HEAD among the requests (B-4)${protocol === "scgi" ? " (SCGI keeps none)" : ""}`,
        async () => {
          await ask({ port, path: "/count" });
          let opened = 0;
          const hear = (): void => void opened++;
          channel("postern:connection:open").subscribe(hear);
          for (let i = 0; i < 4; i++)
            expect((await ask({ port, path: "/count" })).status).toBe(200);
          expect(opened).toBe(0);
          expect((await ask({ port, path: "/count", method: "HEAD" })).bytes).toBe(0);
          expect((await ask({ port, path: "/count" })).status).toBe(200);
          expect(opened).toBeLessThanOrEqual(1);
          channel("postern:connection:open").unsubscribe(hear);
          expect(main.errors).toEqual([]);
        },
      );

      test.skipIf(protocol === "scgi")(
        `9,216 bytes of error text leave the answer intact (B-5)${protocol === "scgi" ? " (SCGI has none)" : ""}`,
        async () => {
          expect((await ask({ port, path: "/stderr" })).text).toBe("intact");
        },
      );

      test("an application that takes too long sees its request aborted, and the other gets all of it (B-7)", async () => {
        const answer = await ask({
          port,
          path: "/never",
          upload: { bytes: 102_400 },
          timeoutMs: 8_000,
        }).catch(() => undefined);
        // The second one takes too long as well: what counts is what each of them saw.
        expect(answer?.status ?? 504).toBe(504);
        await until("both were asked", () => backup.visit("/never") !== undefined);
        expect(backup.visit("/never")!.body.length).toBe(102_400);
        await until("the first one's request is over", () => main.visit("/never")!.closed);
        expect(main.errors).toEqual([]);
      });

      test("the administrator's value wins over nineteen of the client, and an empty one is none (B-11, B-90)", async () => {
        const forged = Array.from({ length: 19 }, () => "X-Admin: forged\r\n").join("");
        const head = `${forged}Proxy: http://evil.test\r\nX-Empty: full\r\n\r\n`;
        await raw(port, "GET /echo HTTP/1.1", head);
        const { headers, params } = main.visit("/echo")!;
        expect(headers["x-admin"]).toBe("administrator");
        expect(headers["proxy"]).toBeUndefined();
        expect(params["HTTP_PROXY"]).toBeUndefined();
        expect(headers["x-empty"] ?? "").toBe("");
      });

      test("conditional fields arrive without a cache; with one they may be anybody's (B-12)", async () => {
        const since = "Sun, 06 Nov 1994 08:49:37 GMT";
        const headers = [
          "If-Modified-Since",
          since,
          "If-Unmodified-Since",
          since,
          "Range",
          "bytes=0-1",
        ];
        await ask({ port, path: "/echo", headers });
        expect(main.visit("/echo")!.headers).toMatchObject({
          "if-modified-since": since,
          "if-unmodified-since": since,
          range: "bytes=0-1",
        });
        expect((await ask({ port, path: "/cached", headers })).status).toBeLessThan(500);
      });

      test("three X-Forwarded-For, Cookie and Foo are joined (B-10)", async () => {
        const values = ["foo", "bar", "bazz"];
        const headers = ["X-Forwarded-For", "Cookie", "Foo"].flatMap((name) =>
          values.flatMap((value) => [name, value]),
        );
        await ask({ port, path: "/echo", headers });
        expect(main.visit("/echo")!.headers).toMatchObject({
          "x-forwarded-for": "foo, bar, bazz",
          cookie: "foo; bar; bazz",
          foo: "foo, bar, bazz",
        });
      });

      test("an answer without Content-Length is complete, compressed or not (B-8, B-19)", async () => {
        const plain = await ask({ port, path: "/pieces" });
        expect(plain.text.split("\n").map((line) => line.slice(0, 7))).toEqual([
          "piece 0",
          "piece 1",
          "piece 2",
          "",
        ]);
        const zipped = await new Promise<Buffer>((done, fail) => {
          const headers = { Host: "h", "Accept-Encoding": "gzip", Connection: "close" };
          httpRequest({ port, path: "/pieces", headers, agent: false }, async (response) => {
            const chunks: Buffer[] = [];
            for await (const chunk of response) chunks.push(chunk as Buffer);
            expect(response.headers["content-encoding"]).toBe("gzip");
            done(Buffer.concat(chunks));
          })
            .on("error", fail)
            .end();
        });
        expect(gunzipSync(zipped).toString("latin1")).toBe(plain.text);
      });

      test("a page of nginx stands for an early 404, upload or not (B-20)", async () => {
        const answer = await raw(
          port,
          "POST /missing HTTP/1.1",
          "Content-Length: 10\r\n\r\n0123456789",
        );
        expect([answer.status, answer.body.toString("latin1")]).toEqual([404, "the page of nginx"]);
      });

      test("a head too large for nginx is its 502, and the next request is served (R-8)", async () => {
        expect((await ask({ port, path: "/large-head" })).status).toBe(502);
        expect((await ask({ port, path: "/count" })).status).toBe(200);
      });
    },
  );
}

test("nginx had nothing to alert about (B-9)", (context) => {
  unlessObstacle(context, obstacle);
  expect(
    front.logLines().filter((line) => /\[(alert|crit|emerg)\]|zero size buf/.test(line)),
  ).toEqual([]);
});
