/**
 * Every line of examples/README.md: the application is started by its command and asked in its protocol, or through nginx with
 * the configuration that the other table's command prints.
 *
 * Examples run in a folder with postern and the frameworks installed, as a user has them.
 */
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { type ClientProtocol, request } from "../../src/client/client.ts";
import { CLIENT_SUBJECT, pem } from "../support/certificates.ts";
import { compatModules, packagesObstacle } from "../support/compat-packages.ts";
import { DocumentRoom, type Running } from "../support/document-room.ts";
import { projectRoot, tableOf } from "../support/documents.ts";
import { Child } from "../support/front/child.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { type Address, whenListening } from "../support/front/ports.ts";
import { surroundingsOf } from "../support/front/surroundings.ts";
import { askByTls } from "../support/front/tls-client.ts";

const PAGE = "examples/README.md";
const named = (cell: string): string => /^\[([^\]]+)\]/.exec(cell)?.[1] ?? cell;
const COMMANDS = new Map(tableOf(PAGE, "example").map(([name, , line]) => [named(name!), line!]));
const FRONTS = new Map(tableOf(PAGE, "behind nginx").map(([name, line]) => [name!, line!]));
/** A site that `npm run compat` or the tests of Next.js have built; it takes longer than these tests may. */
const NEXT_SITE = join(compatModules, ".cache/postern/next-app");

let room: DocumentRoom;
const running: { stop(): Promise<unknown> }[] = [];
const tried = new Set<string>();

beforeAll(async () => {
  room = await DocumentRoom.open();
  cpSync(join(projectRoot, "examples"), room.path, { recursive: true });
  for (const name of ["authority", "server", "server-key"] as const) {
    room.write(`${name}.pem`, pem(name));
  }
});
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});
afterAll(() => room?.remove());

/** The address in a command. */
function placeIn(line: string): { address: Address; protocol: string } {
  const word = (name: string): string | undefined => new RegExp(`--${name} (\\S+)`).exec(line)?.[1];
  const address = room.address(word("socket") ?? word("port")!);
  return { address, protocol: word("protocol") ?? "fastcgi" };
}

/** Starts an example by its line. */
async function start(example: string, folder = "."): Promise<ReturnType<typeof placeIn>> {
  const line = COMMANDS.get(example)!;
  tried.add(example);
  const place = placeIn(line);
  const bin = join(room.path, "node_modules/.bin/postern");
  const text = `cd ${folder} && exec ${line.replace("npx postern", bin)}\n`;
  const one: Running = await room.serve(
    { document: PAGE, line: 0, language: "sh", kind: "serves", words: [], text },
    place.address,
  );
  running.push(one);
  return place;
}

/** Asks an example that was started. */
async function ask(
  { address, protocol }: ReturnType<typeof placeIn>,
  url: string,
  body?: Buffer,
): Promise<string> {
  const sent = body === undefined ? {} : { method: "POST", body };
  const response = await request({ protocol: protocol as ClientProtocol, address, url, ...sent });
  expect(response.status).toBe(200);
  return response.text();
}

/** nginx with what the other table's lines print; its port. */
async function behindNginx(...examples: string[]): Promise<number> {
  const isTls = examples.includes("mtls.mjs");
  const port = room.port(isTls ? "443" : "80");
  const bin = join(room.path, "node_modules/.bin/postern");
  const texts = examples.map((example) => {
    const [, , ...words] = room.localize(FRONTS.get(example)!).split(" ");
    const listen = ["--listen-host", "127.0.0.1", "--listen-port", String(port)];
    return execFileSync(bin, [...words, ...listen], { cwd: room.path, encoding: "utf8" });
  });
  const { program, check, run } = surroundingsOf("nginx").write(room.path, texts.join(""), port);
  execFileSync(program, check, { stdio: "pipe" });
  const nginx = new Child(program, run, { cwd: room.path });
  running.push(nginx);
  await whenListening({ host: "127.0.0.1", port }, () => nginx.isAlive);
  return port;
}

test.for([
  ["hello.mjs", "/x", "GET /x over fastcgi", undefined],
  ["fetch.mjs", "/x?a=1", '"query":{"a":"1"}', undefined],
  ["express.mjs", "/users/7?a=1", '{"id":"7","query":{"a":"1"}}', "express"],
  ["koa.mjs", "/", "Hello from Koa over scgi", "koa"],
  ["fastify.mjs", "/", "Hello from Fastify over fastcgi", "fastify"],
  ["nest.mjs", "/", "Hello from NestJS over fastcgi", "@nestjs/core"],
  ["hono.mjs", "/users/7", '{"id":"7"}', "hono"],
  ["showcase.mjs", "/", '<strong id="protocol">FastCGI</strong>', undefined],
] as const)("%s answers %s by its command", async ([example, url, text, framework], context) => {
  tried.add(example);
  if (framework !== undefined) unlessObstacle(context, packagesObstacle(framework));
  expect(await ask(await start(example), url)).toContain(text);
});

test("next.mjs serves a site that is built", async (context) => {
  tried.add("next.mjs");
  unlessObstacle(context, packagesObstacle("next"));
  if (!existsSync(join(NEXT_SITE, ".next/BUILD_ID"))) {
    context.skip("no Next.js site is built; npx vitest --project compat builds one");
  }
  cpSync(NEXT_SITE, join(room.path, "site"), { recursive: true });
  cpSync(join(room.path, "next.mjs"), join(room.path, "site/next.mjs"));
  expect(await ask(await start("next.mjs", "site"), "/")).not.toBe("");
});

test("upload.mjs counts and hashes an upload", async () => {
  const body = Buffer.alloc(3_000_000, "postern ");
  const sha256 = createHash("sha256").update(body).digest("hex");
  const text = await ask(await start("upload.mjs"), "/", body);
  expect(JSON.parse(text)).toEqual({ bytes: body.length, sha256 });
});

test("both sites answer behind one nginx, each by its name", async (context) => {
  unlessObstacle(context, surroundingsOf("nginx").obstacle(""));
  await Promise.all([start("sites/shop.mjs"), start("sites/blog.mjs")]);
  const port = await behindNginx("sites/shop.mjs", "sites/blog.mjs");
  for (const name of ["shop", "blog"]) {
    const text = execFileSync("curl", [
      ...["-sS", "--fail", "--resolve", `${name}.localhost:${port}:127.0.0.1`],
      `http://${name}.localhost:${port}/`,
    ]).toString();
    expect(text).toBe(`The ${name}, asked as ${name}.localhost:${port}\n`);
  }
});

test("nginx sends the files of media/app.mjs itself, even when the application is gone", async (context) => {
  unlessObstacle(context, surroundingsOf("nginx").obstacle(""));
  const place = await start("media/app.mjs");
  expect(await ask(place, "/media/gate.svg")).toContain("<svg");
  const origin = `http://127.0.0.1:${await behindNginx("media/app.mjs")}`;
  expect(await (await fetch(origin)).text()).toContain("/media/gate.svg");
  await running[0]!.stop();
  const file = await fetch(`${origin}/media/gate.svg`);
  expect([file.status, await file.text()]).toEqual([200, expect.stringContaining("<svg")]);
  expect((await fetch(origin)).status).toBe(502);
});

test("prefix.mjs knows where it is mounted behind nginx", async (context) => {
  unlessObstacle(context, surroundingsOf("nginx").obstacle(""));
  await start("prefix.mjs");
  const origin = `http://127.0.0.1:${await behindNginx("prefix.mjs")}`;
  const seen = await (await fetch(`${origin}/shop/list`)).json();
  expect(seen).toEqual({ scriptName: "/shop", pathInfo: "/list", cart: "/shop/cart" });
  expect((await fetch(`${origin}/other`)).status).toBe(404);
});

test("mtls.mjs sees the certificate that nginx has asked for", async (context) => {
  unlessObstacle(context, surroundingsOf("nginx").obstacle(""));
  await start("mtls.mjs");
  const port = await behindNginx("mtls.mjs");
  const { status, text } = await askByTls({ port, path: "/", headers: {}, shown: "client" });
  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({ authorized: true, subject: CLIENT_SUBJECT });
});

test("websocket.mjs echoes through nginx", async (context) => {
  unlessObstacle(context, surroundingsOf("nginx").obstacle(""));
  await start("websocket.mjs");
  const port = await behindNginx("websocket.mjs");
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  const echoed = await new Promise<string>((done, fail) => {
    socket.on("open", () => socket.send("knock"));
    socket.on("message", (data) => done(String(data)));
    socket.on("error", fail);
  });
  socket.terminate();
  expect(echoed).toBe("echo: knock");
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("Connect to /ws\n");
});

test("events of sse.mjs come through nginx one by one", async (context) => {
  unlessObstacle(context, surroundingsOf("nginx").obstacle(""));
  await start("sse.mjs");
  const port = await behindNginx("sse.mjs");
  const controller = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: controller.signal });
  const times: number[] = [];
  for await (const chunk of response.body!) {
    times.push(Date.parse(/^data: (\S+)\n\n$/.exec(Buffer.from(chunk).toString())![1]!));
    if (times.length === 2) break;
  }
  controller.abort();
  expect(times[1]! - times[0]!).toBeGreaterThan(500);
});

test("every example has its line, and every line its test", () => {
  const files = readdirSync(join(projectRoot, "examples"), { recursive: true, encoding: "utf8" });
  const examples = files.filter((name) => name.endsWith(".mjs") && name !== "showcase-upload.mjs");
  expect([...COMMANDS.keys()].sort()).toEqual(examples.sort());
  expect([...COMMANDS.keys()].filter((name) => !tried.has(name))).toEqual([]);
  expect([...FRONTS.keys()].filter((name) => !COMMANDS.has(name))).toEqual([]);
});
