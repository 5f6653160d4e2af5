/**
 * Web-style frameworks given to `serve` as they are, compared with the same applications over node:http by srvx.
 * The applications are apps/web.mjs; whole lists of scenarios for Hono and h3 are in their own files.
 */
import { existsSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RequestOptions } from "../../src/client/client.ts";
import type { FetchApplication } from "../../src/serve/application.ts";
import { readAll } from "../support/behaviour.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { behaviour } from "../support/behaviour-suite.ts";

interface Applications {
  readonly APPS: Readonly<Record<string, FetchApplication>>;
  nodeHandler(app: FetchApplication): RequestListener;
}

const packages = ["hono", "h3", "srvx"];
const missing = packages.filter(
  (name) => !existsSync(new URL(`./node_modules/${name}/package.json`, import.meta.url)),
);

const FORM = [
  ["name", "é"],
  ["file", "a file"],
] as const;

function form(): Promise<{ type: string; body: Buffer }> {
  const data = new FormData();
  data.set(...FORM[0]);
  data.set("file", new File([FORM[1][1]], "a.txt"));
  const upload = new Response(data);
  const type = upload.headers.get("content-type")!;
  return upload.arrayBuffer().then((body) => ({ type, body: Buffer.from(body) }));
}

async function asks(): Promise<RequestOptions[]> {
  const { type, body } = await form();
  const headers = { "X-A": "1", "X-B": "2", Cookie: "a=1; b=2" };
  const post = { method: "POST", headers, body: "a body" };
  return [
    ...["/text", "/cookies", "/headers", "/bytes", "/stream", "/teapot", "/nowhere"].map((url) => ({
      url,
      headers,
    })),
    { url: "/headers?a=b%20c&d='", headers },
    { url: "/text", method: "HEAD" },
    ...["/echo", "/clone", "/copy", "/mounted/echo"].map((url) => ({ ...post, url })),
    { ...post, url: "/echo", body: "x".repeat(300_000) },
    { ...post, url: "/json", body: '{"a":[1]}' },
    { method: "POST", url: "/form", headers: { "Content-Type": type }, body },
  ];
}

/** What a client sees; fields of the connection, and lengths that servers may leave out, are no part of it. */
interface Seen {
  readonly status: number;
  readonly headers: object;
  readonly body: string;
}

function seen(status: number, headers: object, body: string): Seen {
  const { date, connection, ...rest } = headers as Record<string, unknown>;
  const {
    "keep-alive": kept,
    "transfer-encoding": framed,
    "content-length": length,
    ...own
  } = rest;
  return { status, headers: own, body };
}

async function askNode(server: Server, ask: RequestOptions, host: string): Promise<Seen> {
  const { request } = await import("node:http");
  const { port } = server.address() as AddressInfo;
  const { url: path, method, body } = ask;
  return new Promise((resolve, reject) => {
    const headers = { ...(ask.headers as Record<string, string>), Host: host };
    request({ port, path, method, headers, agent: false } as object)
      .on("response", async (res) =>
        resolve(seen(res.statusCode ?? 0, res.headers, await readAll(res))),
      )
      .on("error", reject)
      .end(body);
  });
}

describe.skipIf(missing.length > 0)("a Web-style framework", () => {
  let web: Applications;
  const nodes = new Map<string, Server>();
  const host = "app.test:8080";

  beforeAll(async () => {
    // @ts-expect-error: plain JavaScript, as applications are
    web = await import("./apps/web.mjs");
    for (const [name, app] of Object.entries(web.APPS)) {
      const server = createServer(web.nodeHandler(app));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      nodes.set(name, server);
    }
  });
  afterAll(() => {
    for (const server of nodes.values()) server.close();
  });

  for (const name of ["Hono", "h3", "srvx's FastResponse", "an object with fetch"]) {
    behaviour(
      `answers as over node:http: ${name}`,
      { make: () => web.APPS[name]! },
      async ({ request, stage }) => {
        for (const ask of await asks()) {
          const node = await askNode(nodes.get(name)!, ask, host);
          const headers = { ...(ask.headers as object), Host: host };
          const got = await request({ ...ask, headers });
          const ours = seen(got.status, got.headers, await readAll(got.body));
          expect({ url: ask.url, ...ours }).toEqual({ url: ask.url, ...node });
        }
        expect(stage.errors).toEqual([]);
      },
    );
  }
});

if (missing.length > 0) {
  const reason = `no ${missing.join(", ")} in test/compat, npm ci was not run there`;
  test(`Web-style frameworks (${reason})`, (context) => unlessObstacle(context, reason));
}
