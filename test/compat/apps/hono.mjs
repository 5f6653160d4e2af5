/**
 * Hono, by its own adapter for Node (`getRequestListener`) and as a Web handler (`{ fetch }`).
 * Over node:http the second is served by srvx, whose adapter adds no headers; over postern by postern itself.
 */
import { relative } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { getCookie, setCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE, streamText } from "hono/streaming";
import { toNodeHandler } from "srvx/node";
import { TEXT } from "./connect-middleware.mjs";
import { raw } from "./raw-bodies.mjs";

async function uploaded(c) {
  const body = await c.req.parseBody({ all: true });
  const said = Object.entries(body).map(([name, value]) =>
    value instanceof File ? [name, value.name, value.type, value.size] : [name, value],
  );
  return c.json(said);
}

function routes(app, folder) {
  app.get("/hello", (c) => c.text("hello"));
  app.get("/users/:id", (c) => c.json({ id: c.req.param("id"), query: c.req.queries() }));
  const inner = new Hono();
  inner.get("/inner", (c) => c.json([c.req.path, new URL(c.req.url).pathname]));
  app.route("/mounted", inner);
  app.all("/items/:id", async (c) => {
    const body = c.req.header("content-type") ? await c.req.json() : null;
    return c.json([c.req.method, c.req.param("id"), body]);
  });
  app.post("/json", async (c) => c.json(await c.req.json()));
  app.post("/form", async (c) => c.json(await c.req.parseBody()));
  app.post("/text", async (c) => c.text(await c.req.text()));
  app.post("/upload", uploaded);
  app.post("/echo", (c) =>
    c.body(c.req.raw.body, 200, { "Content-Type": "application/octet-stream" }),
  );
  app.get("/cookies", (c) => {
    setCookie(c, "c", "3", { httpOnly: true, expires: new Date(0) });
    setCookie(c, "d", "4", { path: "/x" });
    return c.json(getCookie(c));
  });
  app.get("/seen", (c) => {
    const { pathname, search, protocol } = new URL(c.req.url);
    return c.json([c.req.method, pathname, search, protocol, c.req.header("x-key") ?? null]);
  });
  app.get("/redirect", (c) => c.redirect("/hello"));
  app.get("/status/:code", (c) => c.body(null, Number(c.req.param("code"))));
  app.get("/buffer", (c) => c.body(new Uint8Array([0, 1, 255])));
  app.get("/streamed", (c) =>
    streamText(c, async (text) => {
      await text.write("one ");
      await text.sleep(5);
      await text.write("two");
    }),
  );
  app.get("/sse", (c) =>
    streamSSE(c, async (events) => {
      for (const n of [1, 2, 3]) {
        await events.writeSSE({ data: `{"n":${n}}`, id: String(n) });
        await events.sleep(4);
      }
    }),
  );
  app.get("/blocks", (c) =>
    stream(c, async (bytes) => {
      for (let i = 0; i < 48; i++) await bytes.write(new Uint8Array(65_536).fill(i));
    }),
  );
  app.get("/blob", () => new Response(new Blob(["of a blob"], { type: "text/x" })));
  app.get(
    "/guarded",
    secureHeaders(),
    cors({ origin: "http://other.test", credentials: true }),
    (c) => c.json("guarded"),
  );
  app.options("/guarded", cors({ origin: "http://other.test", credentials: true }));
  app.get("/compress", compress(), (c) => c.text(TEXT));
  const root = relative(process.cwd(), folder);
  app.get(
    "/static/*",
    serveStatic({ root, rewriteRequestPath: (path) => path.replace(/^\/static/, "") }),
  );
  app.get("/throw", () => {
    throw new HTTPException(418, { message: "no tea" });
  });
  app.get("/reject", async () => {
    throw new Error("rejected");
  });
}

function make({ folder }) {
  const app = new Hono();
  routes(app, folder);
  app.onError((error, c) =>
    error instanceof HTTPException ? error.getResponse() : c.text("failed", 500),
  );
  return app;
}

export const honoNodeApp = {
  async open(stage) {
    const app = make(stage);
    app.all("/raw/*", async (c) => {
      await raw(c.env.incoming, c.env.outgoing);
      return RESPONSE_ALREADY_SENT;
    });
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    return { start: async (createServer) => ({ server: createServer(listener) }) };
  },
};

export const honoFetchApp = {
  async open(stage) {
    const app = make(stage);
    const listener = toNodeHandler(app.fetch);
    return {
      start: async (createServer, isNode) => ({
        server: createServer(isNode ? listener : { fetch: app.fetch }),
      }),
    };
  },
};
