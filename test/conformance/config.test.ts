/**
 * What `postern config` prints, to the letter, through the web servers it is for: each passes the server's own check, and the
 * application that its heading starts is reached as it should be.
 *
 * Paths, bodies, limits, streams, files, prefixes, instances. Servers that no package brings are in test/front.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLIENT_SUBJECT, pem } from "../support/certificates.ts";
import { DocumentRoom } from "../support/document-room.ts";
import { Child } from "../support/front/child.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { freePorts, whenListening } from "../support/front/ports.ts";
import { surroundingsOf } from "../support/front/surroundings.ts";
import { askByTls } from "../support/front/tls-client.ts";
import { exchange } from "./hostile/client.ts";
import { APP, type Cell, MIB, Site } from "./config-site.ts";

const CELLS: readonly Cell[] = [
  { server: "nginx", protocol: "fastcgi", place: "unix" },
  { server: "nginx", protocol: "fastcgi", place: "tcp", prefix: "/shop", count: 2 },
  { server: "nginx", protocol: "scgi", place: "tcp" },
  { server: "nginx", protocol: "scgi", place: "unix", prefix: "/shop", count: 2 },
  {
    server: "nginx",
    protocol: "auto",
    heard: "fastcgi",
    place: "unix",
    more: ["--websocket=/ws/"],
  },
  { server: "nginx", protocol: "http", place: "tcp" },
  { server: "apache", protocol: "fastcgi", place: "unix" },
  {
    server: "apache",
    protocol: "fastcgi",
    place: "tcp",
    prefix: "/shop",
    count: 2,
    more: ["--sticky"],
  },
  { server: "apache", protocol: "scgi", place: "tcp" },
  { server: "apache", protocol: "ajp", place: "tcp" },
  { server: "apache", protocol: "ajp", place: "unix", prefix: "/shop", count: 2 },
  {
    server: "apache",
    protocol: "auto",
    heard: "fastcgi",
    place: "unix",
    more: ["--websocket=/ws/"],
  },
  { server: "apache", protocol: "http", place: "tcp" },
  { server: "lighttpd", protocol: "fastcgi", place: "unix" },
  { server: "lighttpd", protocol: "fastcgi", place: "tcp", prefix: "/shop", count: 2 },
  { server: "lighttpd", protocol: "scgi", place: "tcp" },
  { server: "lighttpd", protocol: "ajp", place: "unix" },
  { server: "lighttpd", protocol: "http", place: "tcp" },
  { server: "haproxy", protocol: "fastcgi", place: "unix" },
  {
    server: "haproxy",
    protocol: "fastcgi",
    place: "tcp",
    prefix: "/shop",
    count: 2,
    more: ["--sticky"],
  },
  { server: "haproxy", protocol: "fastcgi", place: "tcp", more: ["--multiplex"] },
  { server: "haproxy", protocol: "http", place: "tcp" },
  { server: "caddy", protocol: "fastcgi", place: "unix" },
  { server: "caddy", protocol: "fastcgi", place: "tcp", prefix: "/shop", count: 2 },
  { server: "caddy", protocol: "http", place: "tcp" },
];
interface Seen {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly bytes: number;
  readonly scriptName: string;
  readonly pathInfo: string;
  readonly protocol: string;
  readonly pid: number;
  readonly tls?: { readonly authorized: boolean; readonly subject: object };
}

const UTF8 = "/%E3%81%82";

async function expectReached(cell: Cell, base: string): Promise<void> {
  const path = `${cell.prefix ?? ""}/a%20b${UTF8}?q=1&r=%2F`;
  const headers = { Authorization: "Basic dTp3", Proxy: "http://evil.invalid/", Cookie: "a=1" };
  const response = await fetch(`${base}${path}`, { headers });
  const seen = (await response.json()) as Seen;
  expect(seen).toMatchObject({
    url: path,
    protocol: cell.heard ?? cell.protocol,
    scriptName: cell.prefix ?? "",
    pathInfo: Buffer.from("/a b/あ").toString("latin1"),
  });
  expect(seen.headers).toMatchObject({ authorization: "Basic dTp3", cookie: "a=1" });
  expect(seen.headers["host"]).toBe(new URL(base).host);
  if (cell.protocol !== "http") expect(seen.headers).not.toHaveProperty("proxy");
  const posted = await fetch(`${base}${path}`, { method: "POST", body: Buffer.alloc(100_000) });
  expect(((await posted.json()) as Seen).bytes).toBe(100_000);
  // Apache and Caddy bound nothing that they proxy over HTTP; HAProxy closes at once, and the client may not read why.
  if (cell.protocol === "http" && ["apache", "caddy", "haproxy"].includes(cell.server)) return;
  const port = Number(new URL(base).port);
  // Over a connection of its own: the server closes one whose body it has not read.
  const lines = [`POST ${path} HTTP/1.1`, "Host: localhost", `Content-Length: ${2 * MIB}`, "", ""];
  const large = await exchange(port, { head: lines.join("\r\n"), body: [Buffer.alloc(2 * MIB)] });
  expect(large.status).toBe(413);
}

async function expectStream(base: string): Promise<void> {
  const response = await fetch(`${base}/stream`);
  const reader = response.body!.getReader();
  const first = await reader.read();
  expect(Buffer.from(first.value!).toString()).toBe("first\n");
  await (await fetch(`${base}/go`)).arrayBuffer();
  const rest = await reader.read();
  expect(Buffer.from(rest.value!).toString()).toBe("last\n");
}

/** What the TLS side is told, of cells with a client's certificate. */
const SECURED: readonly Cell[] = [
  { server: "nginx", protocol: "fastcgi", place: "unix" },
  { server: "nginx", protocol: "scgi", place: "tcp" },
  { server: "apache", protocol: "fastcgi", place: "unix" },
  { server: "apache", protocol: "ajp", place: "tcp" },
  { server: "haproxy", protocol: "fastcgi", place: "unix" },
];

describe("postern config", { timeout: 120_000 }, () => {
  let set: Site;
  beforeAll(() => {
    set = new Site();
  });
  afterAll(() => set?.room.remove());
  for (const cell of CELLS) {
    const { server, protocol, place, prefix, count = 1, more = [] } = cell;
    const how = [place, prefix, count > 1 ? `${count} instances` : undefined, ...more];
    const title = `${server}, ${protocol}: ${how.filter((one) => one !== undefined).join(", ")}`;
    test(title, async (context) => {
      unlessObstacle(context, surroundingsOf(server).obstacle(""));
      const scene = await set.print(cell);
      try {
        await set.start(scene);
        const front = await set.serve(cell, scene);
        const base = `http://127.0.0.1:${scene.front}`;
        await expectReached(cell, base).catch((error: unknown) => {
          throw new Error(`${scene.piece}\n${front.lines.join("\n")}`, { cause: error });
        });
        if (more.includes("--websocket=/ws/")) {
          const way = (await (await fetch(`${base}/ws/a`)).json()) as Seen;
          expect(way).toMatchObject({ url: "/ws/a", protocol: "http" });
        }
        if (count === 1) await expectStream(`${base}${prefix ?? ""}`);
        if (server !== "haproxy") {
          const file = await fetch(`${base}${prefix ?? ""}/media/style.css`);
          expect(await file.text()).toBe("p { color: green }\n");
          expect(file.headers.get("content-type")).not.toBe(null);
        }
      } finally {
        await set.end();
      }
    });
  }

  for (const cell of SECURED) {
    test(`${cell.server}, ${cell.protocol}: TLS, and who the client is`, async (context) => {
      unlessObstacle(context, surroundingsOf(cell.server).obstacle("SSLEngine on"));
      const file = (name: string): string => set.room.file(name);
      writeFileSync(file("authority.pem"), pem("authority"));
      writeFileSync(file("key.pem"), pem("server-key"));
      const isOneFile = cell.server === "haproxy";
      writeFileSync(file("server.pem"), pem("server") + (isOneFile ? pem("server-key") : ""));
      const tls = [
        `--tls-certificate=${file("server.pem")}`,
        `--tls-key=${file("key.pem")}`,
        `--tls-client-ca=${file("authority.pem")}`,
      ];
      const scene = await set.print({ ...cell, more: tls });
      try {
        await set.start(scene);
        await set.serve(cell, scene);
        const { status, text } = await askByTls({
          port: scene.front,
          path: "/a",
          headers: {},
          shown: "client",
        });
        expect({ status, text }).toMatchObject({ status: 200 });
        expect((JSON.parse(text) as Seen).tls).toEqual({
          authorized: true,
          subject: CLIENT_SUBJECT,
        });
      } finally {
        await set.end();
      }
    });
  }

  test("apache-htaccess: mod_fcgid starts the script, and files that are there are sent as they are", async (context) => {
    const around = surroundingsOf("apache");
    unlessObstacle(context, around.obstacle("fcgid"));
    const room = await DocumentRoom.open();
    room.write("app.mjs", APP);
    room.write("public/media/style.css", "p { color: green }\n");
    room.write("public/robots.txt", "User-agent: *\n");
    const words = [
      "config",
      "apache-htaccess",
      "app.mjs",
      "--static=/media/=public/media",
      "--out=public",
    ];
    execFileSync(room.node, ["node_modules/.bin/postern", ...words], {
      cwd: room.path,
      stdio: "pipe",
    });
    const [port = 0] = await freePorts(1);
    const site = `FcgidOutputBufferSize 0
<VirtualHost 127.0.0.1:${port}>
  DocumentRoot "${room.path}/public"
  <Directory "${room.path}/public">
    AllowOverride All
    Require all granted
  </Directory>
</VirtualHost>
`;
    const { program, run } = around.write(room.path, site, port);
    const front = new Child(program, run, { cwd: room.path });
    try {
      await whenListening({ host: "127.0.0.1", port }, () => front.isAlive, 40_000);
      const base = `http://127.0.0.1:${port}`;
      const headers = { Authorization: "Basic dTp3" };
      const seen = (await (await fetch(`${base}/a%20b?q=1`, { headers })).json()) as Seen;
      expect(seen).toMatchObject({ url: "/a%20b?q=1", scriptName: "", pathInfo: "/a b" });
      expect(seen.headers).toMatchObject({ authorization: "Basic dTp3" });
      expect(await (await fetch(`${base}/media/style.css`)).text()).toBe("p { color: green }\n");
      expect(await (await fetch(`${base}/robots.txt`)).text()).toBe("User-agent: *\n");
    } finally {
      await front.stop();
      room.remove();
    }
  });
});
