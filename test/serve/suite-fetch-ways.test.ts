/**
 * A fetch handler with node's req and res behind it and without them: the same answers to the same requests, byte for byte.
 * One of the behaviour suites: over each protocol and engine. A second listener of "request" makes the server take node's
 * way; test/serve/suite-fetch-switch.test.ts is about when it does.
 */
import { expect } from "vitest";
import type { RequestOptions } from "../../src/client/client.ts";
import { prototypesOf } from "../../src/handler/node/prototypes.ts";
import type { FetchInfo } from "../../src/handler/fetch/info.ts";
import type { Server } from "../../src/server/server.ts";
import { pause } from "../support/behaviour.ts";
import { type Act, behaviour } from "../support/behaviour-suite.ts";

type Handler = (request: Request, info: FetchInfo) => Response | Promise<Response>;

/** As srvx makes them. */
const light = (content: object): Response => {
  const headers = ["X-A", "1", "set-cookie", "a=1", "set-cookie", "b=2"];
  const whole = { status: 200, statusText: "", headers, ...content };
  return { status: 0, headers: {}, _toNodeResponse: () => whole } as unknown as Response;
};

/** A body of which each piece comes some turns of the event loop late: never at once, however busy the machine is. */
const slow = (pieces: readonly unknown[], turns = 10): ReadableStream => {
  const rest = [...pieces];
  return new ReadableStream({
    async pull(controller) {
      for (let i = 0; i < turns; i++) await new Promise((turn) => setImmediate(turn));
      const piece = rest.shift();
      if (piece === undefined) controller.close();
      else if (piece instanceof Error) throw piece;
      else controller.enqueue(piece);
    },
  });
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const HANDLERS: Readonly<Record<string, Handler>> = {
  text: () => new Response("é€"),
  "text later": async () => {
    await pause(2);
    return new Response("later");
  },
  empty: () => new Response(""),
  nothing: () => new Response(null, { headers: { "x-a": "1" } }),
  bytes: () => new Response(new Uint8Array([1, 2, 255]), { headers: { "content-type": "a/b" } }),
  json: () => Response.json({ a: ["é"] }, { status: 418 }),
  redirect: () => Response.redirect("http://a.test/x", 307),
  cookies: () => {
    const headers = new Headers([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["x-b", "é"],
    ]);
    return new Response("cookies", { status: 201, statusText: "Made", headers });
  },
  blob: () => new Response(new Blob(["a", new Uint8Array(100_000)], { type: "a/b" })),
  large: () => new Response("é".repeat(500_000)),
  stream: () => new Response(slow([bytes("one"), bytes("two")])),
  "stream of text": () => new Response(slow(["one", "é"])),
  "long stream": () => new Response(slow(Array(12).fill(new Uint8Array(65_536).fill(7)), 1)),
  "many small pieces": () =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (let i = 0; i < 2_000; i++) controller.enqueue(bytes(`${i}\n`));
          controller.close();
        },
      }),
    ),
  "204": () => new Response(null, { status: 204 }),
  "304": () => new Response(null, { status: 304, headers: { etag: '"a"' } }),
  "fields of a connection": () =>
    new Response("x", {
      headers: { connection: "close", upgrade: "x", te: "x", status: "500", "variable-a": "b" },
    }),
  "light text": () => light({ body: "light é" }),
  "light bytes": () => light({ status: 201, statusText: "Made", body: Buffer.from("light") }),
  "light nothing": () => light({}),
  "light stream": () => light({ body: slow([bytes("light")]) }),
  "light 204 with a body": () => light({ status: 204, body: "no" }),
  "light with pairs": () => light({ headers: [["x-a", "1"]], body: "pairs" }),
  "light with a number": () => light({ headers: ["x-a", 5], body: "number" }),
  "light with a list": () => light({ headers: ["x-a", ["5", "6"]], body: "list" }),
  "light with a length": () => light({ headers: ["Content-Length", "4"], body: "four" }),
  "two lengths": () =>
    light({ headers: ["content-length", "4", "Content-Length", "9"], body: "four" }),
  "no length": () => light({ headers: ["content-length", "x"], body: "four" }),
  "too short": () => light({ headers: ["content-length", "9"], body: "four" }),
  "too long": () => light({ headers: ["content-length", "2"], body: "four" }),
  "light of no status": () => light({ status: 42 }),
  "light with a wrong reason": () => light({ statusText: "a\nb" }),
  "light with a wrong name": () => light({ headers: ["a b", "1"] }),
  "light with a wrong value": () => light({ headers: ["x-a", "1\r\nx-b: 2"] }),
  "light with half a field": () => light({ headers: ["x-a"] }),
  throws: () => {
    throw new Error("on purpose");
  },
  rejects: () => Promise.reject(new Error("on purpose")),
  "no response": () => "text" as unknown as Response,
  "Response.error()": () => Response.error(),
  "a body that fails at once": () =>
    new Response(
      new ReadableStream({ start: (controller) => controller.error(new Error("on purpose")) }),
    ),
  "a body that fails": () => new Response(slow([bytes("half"), new Error("on purpose")])),
  facts: (request, info) => {
    const { gateway, remoteAddr } = info;
    const { method, url } = request;
    const { role, protocol, pathInfo, scriptName, aborted } = gateway;
    const said = { method, url, remoteAddr, role, protocol, pathInfo, scriptName, aborted };
    return Response.json({ ...said, headers: [...request.headers] });
  },
  "body as text": async (request) => new Response(await request.text()),
  "body as bytes": async (request) => new Response(new Uint8Array(await request.arrayBuffer())),
  "body as a stream": (request) => new Response(request.body),
  "body of a clone": async (request) => {
    const clone = request.clone();
    return Response.json([await clone.text(), await request.text(), request.bodyUsed]);
  },
  "body read twice": async (request) => {
    const first = await request.text();
    return Response.json([first, await request.text().catch((error: Error) => error.name)]);
  },
  "body cancelled": async (request) => {
    await request.body?.cancel();
    return Response.json([request.bodyUsed]);
  },
  "body through node": async (_request, info) => {
    const chunks: Buffer[] = [];
    for await (const chunk of info.node.req) chunks.push(chunk as Buffer);
    return new Response(Buffer.concat(chunks).toString());
  },
};

const REQUESTS: readonly RequestOptions[] = [
  { url: "/a%20b?c=d'", headers: { Host: "a.test:8080", "X-A": "1", Cookie: "a=1; b=2" } },
  { method: "HEAD" },
  { method: "POST", body: "a body, é" },
  { method: "PUT", body: "x".repeat(200_000) },
  { method: "TRACE" },
];

/** What a client sees of it, and the operator. */
async function seen({ request, stage }: Act, ask: RequestOptions): Promise<unknown> {
  stage.errors.length = 0;
  const got = await request(ask).catch((error: Error) => error.name);
  if (typeof got === "string") return got;
  const { status, reason, rawHeaders } = got;
  const body = await got.text().catch((error: Error) => error.name);
  return { status, reason, rawHeaders, body, errors: stage.errors.map(String) };
}

/** Requests that had node's objects. */
function countNode(server: Server): number {
  const { hits, misses } = prototypesOf(server);
  return hits + misses;
}

const another = (): void => undefined;

for (const [name, fetch] of Object.entries(HANDLERS)) {
  behaviour(`is answered alike without node's objects: ${name}`, { fetch }, async (act) => {
    const { server } = act.stage;
    for (const ask of REQUESTS) {
      const before = countNode(server);
      const direct = await seen(act, ask);
      expect(countNode(server)).toBe(before);
      server.on("request", another);
      const node = await seen(act, ask);
      server.off("request", another);
      expect(countNode(server)).toBe(before + 1);
      expect({ method: ask.method, ...(direct as object) }).toEqual({
        method: ask.method,
        ...(node as object),
      });
    }
  });
}
