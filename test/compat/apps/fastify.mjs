/**
 * Fastify with the plugins of its own house, one instance for each server, made by its `serverFactory`.
 */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import compress from "@fastify/compress";
import cookie from "@fastify/cookie";
import cors from "@fastify/cors";
import formbody from "@fastify/formbody";
import helmet from "@fastify/helmet";
import middie from "@fastify/middie";
import multipart from "@fastify/multipart";
import session from "@fastify/session";
import files from "@fastify/static";
import fastify from "fastify";
import morgan from "morgan";
import { TEXT } from "./connect-middleware.mjs";
import { raw } from "./raw-bodies.mjs";
import { afterRead } from "./raw-heads.mjs";

function routes(app) {
  app.get("/hello", async () => "hello");
  app.get("/users/:id", async (request) => ({ id: request.params.id, query: request.query }));
  app.register(
    async (inner) => {
      inner.get("/inner", async (request) => [
        request.url,
        request.originalUrl,
        request.routeOptions.url,
      ]);
    },
    { prefix: "/mounted" },
  );
  app.all("/items/:id", async (request) => [
    request.method,
    request.params.id,
    request.body ?? null,
  ]);
  for (const path of ["/json", "/form", "/text"]) app.post(path, async (request) => request.body);
  app.post("/upload", async (request) => {
    const parts = [];
    for await (const part of request.parts()) {
      if (part.type === "field") parts.push([part.fieldname, part.value]);
      else {
        const bytes = await part.toBuffer();
        const sha1 = createHash("sha1").update(bytes).digest("hex");
        parts.push([part.fieldname, part.filename, part.mimetype, bytes.length, sha1]);
      }
    }
    return parts;
  });
  app.get("/cookies", async (request, reply) => {
    reply
      .setCookie("c", "3", { signed: true, expires: new Date(0) })
      .setCookie("d", "4", { path: "/x" });
    return request.cookies;
  });
  app.get("/session", async (request) => {
    request.session.count = (request.session.count ?? 0) + 1;
    return { count: request.session.count };
  });
  app.get(
    "/seen",
    async ({ ip, ips, protocol, host, hostname, url, is404, raw: { httpVersion } }) => {
      return { ip, ips, protocol, host, hostname, url, is404, httpVersion };
    },
  );
  app.get("/redirect", (_request, reply) => reply.redirect("/hello"));
  app.get("/status/:code", (request, reply) => reply.code(Number(request.params.code)).send());
  app.get("/buffer", async () => Buffer.from([0, 1, 255]));
  app.get("/send-file", (_request, reply) => reply.sendFile("hello.txt"));
  app.get("/download", (_request, reply) => reply.download("hello.txt", "other.txt"));
  app.get("/compress", (_request, reply) => reply.type("text/plain").send(TEXT));
  app.get("/streamed", (_request, reply) =>
    reply.type("text/html").send(Readable.from(["<p>", "later</p>"])),
  );
  app.get(
    "/response",
    async () => new Response("of the Web", { status: 203, headers: { "X-Web": "1" } }),
  );
  app.get("/trailers", (_request, reply) => {
    reply.trailer("X-Sum", async () => "6");
    reply.send("summed");
  });
  app.get("/hints", async (_request, reply) => {
    reply.raw.writeEarlyHints({ link: "</a.css>; rel=preload" });
    return "hinted";
  });
  app.all("/raw/*", async (request, reply) => {
    reply.hijack();
    await raw(request.raw, reply.raw);
  });
}

function failures(app) {
  app.get("/throw", () => {
    throw Object.assign(new Error("no tea"), { statusCode: 418 });
  });
  app.get("/reject", async () => {
    throw new Error("rejected");
  });
  app.get("/throw-late", (request, reply) => {
    const body = new Readable({ read() {} });
    reply.send(body);
    body.push("begun");
    afterRead(request.raw, () => body.destroy(new Error("late")));
  });
  app.get(
    "/validated",
    { schema: { querystring: { type: "object", required: ["n"] } } },
    async () => "valid",
  );
}

async function make(serverFactory, { folder }) {
  const app = fastify({ serverFactory, forceCloseConnections: true, bodyLimit: 20_000 });
  await app.register(middie);
  app.use(
    "/hello",
    morgan((tokens, req, res) =>
      req.socket.server.mark(`${req.method} ${tokens.status(req, res)}`),
    ),
  );
  await app.register(cookie, { secret: "key" });
  const secret = "a secret with minimum length of 32 characters";
  await app.register(session, { secret, idGenerator: () => "fixed-id", cookie: { secure: false } });
  await app.register(formbody);
  await app.register(multipart, { limits: { fileSize: 1_000_000 } });
  await app.register(files, { root: folder, prefix: "/static/" });
  await app.register(compress, { threshold: 100, encodings: ["gzip"] });
  await app.register(async (guarded) => {
    await guarded.register(helmet);
    await guarded.register(cors, { origin: "http://other.test", credentials: true });
    guarded.get("/guarded", async () => "guarded");
  });
  // The raw handlers read bodies themselves.
  app.addHook("onRequest", async (request, reply) => {
    if (request.url.startsWith("/raw/") && request.method !== "GET") {
      reply.hijack();
      await raw(request.raw, reply.raw);
    }
  });
  app.addHook("onRequestAbort", async (request) => {
    request.raw.socket.server.mark("onRequestAbort");
  });
  routes(app);
  failures(app);
  return app;
}

export const fastifyApp = {
  async open(stage) {
    return {
      async start(createServer) {
        let server;
        const app = await make((listener) => {
          server = createServer(listener);
          return server;
        }, stage);
        return {
          server,
          listen: () => app.listen({ host: "127.0.0.1", port: 0 }),
          close: () => app.close(),
        };
      },
    };
  },
};
