/**
 * Koa with the middleware of its own house: router, bodies, multer, sessions, compression, files, helmet, CORS.
 * Served as `createServer(app.callback())`.
 */
import { join } from "node:path";
import { PassThrough } from "node:stream";
import Router from "@koa/router";
import { bodyParser } from "@koa/bodyparser";
import cors from "@koa/cors";
import multer from "@koa/multer";
import Koa from "koa";
import compress from "koa-compress";
import helmet from "koa-helmet";
import mount from "koa-mount";
import send from "koa-send";
import session from "koa-session";
import serve from "koa-static";
import { TEXT } from "./connect-middleware.mjs";
import { raw } from "./raw-bodies.mjs";
import { afterRead } from "./raw-heads.mjs";

function routes(router, folder) {
  router.get("/hello", (ctx) => {
    ctx.body = "hello";
  });
  router.get("/users/:id", (ctx) => {
    ctx.body = { id: ctx.params.id, query: ctx.query };
  });
  router.all("/items/:id", (ctx) => {
    ctx.body = [ctx.method, ctx.params.id, ctx.request.body ?? null];
  });
  for (const path of ["/json", "/form", "/text"]) {
    router.post(path, (ctx) => {
      ctx.body = typeof ctx.request.body === "string" ? ctx.request.body : { ...ctx.request.body };
    });
  }
  router.post("/upload", multer().any(), (ctx) => {
    const files = ctx.files.map((file) => [file.fieldname, file.originalname, file.size]);
    ctx.body = { fields: { ...ctx.request.body }, files };
  });
  router.get("/cookies", (ctx) => {
    const read = [ctx.cookies.get("a"), ctx.cookies.get("b")];
    ctx.cookies.set("c", "3", { signed: true, expires: new Date(0) });
    ctx.cookies.set("d", "4", { path: "/x", sameSite: "lax" });
    ctx.body = read;
  });
  router.get("/session", (ctx) => {
    ctx.session.count = (ctx.session.count ?? 0) + 1;
    ctx.body = { count: ctx.session.count };
  });
  router.get("/seen", (ctx) => {
    const {
      ip,
      protocol,
      secure,
      host,
      hostname,
      origin,
      href,
      path,
      querystring,
      fresh,
      writable,
    } = ctx;
    ctx.body = {
      ip,
      protocol,
      secure,
      host,
      hostname,
      origin,
      href,
      path,
      querystring,
      fresh,
      writable,
    };
  });
  router.get("/redirect", (ctx) => ctx.redirect("/hello"));
  router.get("/status/:code", (ctx) => {
    ctx.status = Number(ctx.params.code);
  });
  router.get("/buffer", (ctx) => {
    ctx.body = Buffer.from([0, 1, 255]);
  });
  router.get("/null", (ctx) => {
    ctx.body = null;
  });
  router.get("/send-file", (ctx) => send(ctx, "hello.txt", { root: folder }));
  router.get("/download", (ctx) => {
    ctx.attachment("h\xe9llo \u20ac.txt");
    return send(ctx, "hello.txt", { root: folder });
  });
  router.get("/conditional", (ctx) => {
    ctx.status = 200;
    ctx.etag = "tag";
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = "conditional";
  });
  router.get("/streamed", (ctx) => {
    const body = new PassThrough();
    ctx.type = "html";
    ctx.body = body;
    body.write("<p>");
    setTimeout(() => body.end("later</p>"), 5);
  });
}

function failures(router) {
  router.get("/throw", (ctx) => ctx.throw(418, "no tea", { headers: { "X-Pot": "short" } }));
  router.get("/reject", async () => {
    throw new Error("rejected");
  });
  router.get("/throw-late", (ctx) => {
    const body = new PassThrough();
    ctx.body = body;
    body.write("begun");
    afterRead(ctx.req, () => body.destroy(new Error("late")));
  });
}

function compressed() {
  const app = new Koa();
  app.use(compress({ threshold: 100, br: false }));
  app.use((ctx) => {
    ctx.type = "text";
    ctx.body = TEXT;
  });
  return app;
}

function guarded() {
  const app = new Koa();
  app.use(helmet()).use(cors({ origin: "http://other.test", credentials: true }));
  app.use((ctx) => {
    ctx.body = "guarded";
  });
  return app;
}

function make({ folder }) {
  const app = new Koa({ keys: ["one", "two"] });
  app.silent = true;
  app.use(async (ctx, next) => {
    if (!ctx.path.startsWith("/raw/")) return next();
    ctx.respond = false;
    // Koa begins with 404.
    ctx.res.statusCode = 200;
    await raw(ctx.req, ctx.res);
  });
  app.use(async (ctx, next) => {
    const server = ctx.req.socket.server;
    await next();
    if (ctx.path === "/hello")
      ctx.res.on("finish", () => server.mark(`${ctx.method} ${ctx.status} ${ctx.length}`));
  });
  const inner = new Koa();
  inner.use((ctx) => {
    ctx.body = [ctx.url, ctx.path, ctx.originalUrl, ctx.mountPath];
  });
  app.use(mount("/mounted", inner));
  app.use(mount("/static", serve(join(folder))));
  app.use(mount("/compress", compressed())).use(mount("/guarded", guarded()));
  app.use(session({ key: "k", maxAge: "session" }, app));
  app.use(bodyParser({ enableTypes: ["json", "form", "text"], jsonLimit: 20_000 }));
  const router = new Router();
  routes(router, folder);
  failures(router);
  app.use(router.routes()).use(router.allowedMethods());
  return app;
}

export const koaApp = {
  async open(stage) {
    const listener = make(stage).callback();
    return { start: async (createServer) => ({ server: createServer(listener) }) };
  },
};
