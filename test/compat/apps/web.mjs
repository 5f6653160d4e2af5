/**
 * Web-style applications as their makers show them, each with the same routes: Hono, h3, srvx's FastResponse, and a
 * bare object with `fetch`. What they do to Requests is meant: clones, copies, forms, headers that are changed.
 */
import { H3 } from "h3";
import { Hono } from "hono";
import { FastResponse } from "srvx";
import { toNodeHandler } from "srvx/node";

/** What every application does with a request, written against the standard alone. */
const ROUTES = {
  "/text": () => ["text", { headers: { "x-a": "1" } }],
  "/cookies": () => {
    const headers = new Headers({ "x-a": "1" });
    headers.append("set-cookie", "a=1; Path=/");
    headers.append("set-cookie", "b=2");
    return ["cookies", { status: 201, headers }];
  },
  "/headers": (request) => {
    const headers = [...request.headers].filter(([name]) => /^(x-|cookie|host)/.test(name));
    return [JSON.stringify([headers, request.url, request.method]), {}];
  },
  "/echo": async (request) => [await request.text(), {}],
  "/clone": async (request) => {
    const clone = request.clone();
    return [`${await clone.text()} ${await request.text()}`, {}];
  },
  "/copy": async (request) => {
    const copy = new Request(new URL("/other", request.url), request);
    copy.headers.set("x-b", "2");
    const { pathname } = new URL(copy.url);
    return [
      `${copy.method} ${pathname} ${[...copy.headers.keys()].includes("x-b")} ${await copy.text()}`,
      {},
    ];
  },
  "/form": async (request) => {
    const form = await request.formData();
    const said = [...form].map(([name, value]) =>
      typeof value === "string" ? [name, value] : [name, value.name, value.size],
    );
    return [JSON.stringify(said), {}];
  },
  "/bytes": () => [new Uint8Array([0, 1, 255]), { headers: { "content-type": "a/b" } }],
  "/stream": () => {
    const words = ["one ", "two"];
    const body = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 4));
        const word = words.shift();
        if (word === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(word));
      },
    });
    return [body, { headers: { "content-type": "text/event-stream" } }];
  },
  "/teapot": () => [null, { status: 418, statusText: "Short and stout" }],
};

/** The routes, answered by one class of Responses. */
const answering = (Class) => async (request) => {
  const route = ROUTES[new URL(request.url).pathname];
  if (route === undefined) return new Class("not here", { status: 404 });
  return new Class(...(await route(request)));
};

function hono() {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header("x-after", c.req.header("x-a") ?? "none");
  });
  // Read by Hono first, which keeps what it read for whoever reads again.
  app.post("/json", async (c) => c.json([await c.req.json(), await c.req.text()]));
  app.mount("/mounted", answering(Response));
  app.all("*", (c) => answering(Response)(c.req.raw));
  return app;
}

function h3() {
  const app = new H3({ silent: true });
  app.use((event) => {
    event.res.headers.set("x-after", event.req.headers.get("x-a") ?? "none");
  });
  app.post("/json", async (event) => [await event.req.clone().json(), await event.req.text()]);
  app.mount("/mounted", { fetch: answering(Response) });
  app.all("/**", (event) => answering(Response)(event.req));
  return app;
}

/** Applications by name. */
export const APPS = {
  Hono: hono(),
  h3: h3(),
  "srvx's FastResponse": { fetch: answering(FastResponse) },
  "an object with fetch": { fetch: answering(Response) },
};

/** The measure: the application over node:http by srvx's adapter, which adds no headers. */
export const nodeHandler = (app) => toNodeHandler((request) => app.fetch(request));
