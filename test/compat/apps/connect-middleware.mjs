/**
 * The middleware that Connect, Express and Nest share, each at a path of its own: `[path, ...handlers]`.
 * Deterministic on purpose (fixed keys, ids and dates), since two runs are compared byte by byte.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import bodyParser from "body-parser";
import busboy from "busboy";
import compression from "compression";
import cookieParser from "cookie-parser";
import cookieSession from "cookie-session";
import cors from "cors";
import session from "express-session";
import helmet from "helmet";
import proxies from "http-proxy";
import morgan from "morgan";
import multer from "multer";
import { Passport } from "passport";
import { Strategy } from "passport-local";
import send from "send";
import serveStatic from "serve-static";
import { raw } from "./raw-bodies.mjs";
import { json } from "./raw-heads.mjs";

const sha1 = (bytes) => createHash("sha1").update(bytes).digest("hex");

/** 20 kB of text, in one piece. */
export const TEXT = "All work and no play makes Jack a dull boy.\n".repeat(465);

async function compressedStream(_req, res) {
  res.setHeader("Content-Type", "text/plain");
  for (const part of [TEXT.slice(0, 4_000), TEXT.slice(4_000, 4_010), TEXT.slice(4_010)]) {
    res.write(part);
    res.flush?.();
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  res.end();
}

function parseBusboy(req, res) {
  const parts = [];
  const parser = busboy({ headers: req.headers });
  parser.on("file", (name, file, { filename, mimeType }) => {
    const hash = createHash("sha1");
    let bytes = 0;
    file.on("data", (chunk) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    file.on("close", () => parts.push([name, filename, mimeType, bytes, hash.digest("hex")]));
  });
  parser.on("field", (name, value) => parts.push([name, value]));
  parser.on("close", () => {
    if (!res.headersSent) json(res, parts);
  });
  parser.on("error", (error) => json(res, error.message, 400));
  req.pipe(parser);
}

function multerSaid(req, res) {
  const files = req.files.map((file) => [
    file.fieldname,
    file.originalname,
    file.mimetype,
    file.size,
    sha1(file.buffer),
  ]);
  json(res, { fields: { ...req.body }, files });
}

function passportRoutes() {
  const passport = new Passport();
  const users = { jack: { id: 7, name: "jack" } };
  passport.use(
    new Strategy((name, password, done) =>
      done(null, password === "secret" ? (users[name] ?? false) : false),
    ),
  );
  const basis = [bodyParser.urlencoded({ extended: false }), passport.initialize()];
  const check = passport.authenticate("local", { session: false });
  return ["/login", ...basis, check, (req, res) => json(res, req.user)];
}

function proxied(upstream) {
  const proxy = proxies.createProxyServer({ target: upstream, xfwd: false });
  proxy.on("error", (_error, _req, res) => json(res, "upstream failed", 502));
  const down = proxies.createProxyServer({ target: "http://127.0.0.1:1" });
  down.on("error", (_error, _req, res) => json(res, "upstream failed", 502));
  return [
    ["/proxy", (req, res) => proxy.web(req, res)],
    ["/proxy-down", (req, res) => down.web(req, res)],
  ];
}

function sessions() {
  // One store a server: the id is the same everywhere, since what is set is compared.
  const stores = new WeakMap();
  const stored = (req, res, next) => {
    const { server } = req.socket;
    const settings = { secret: "keyboard", resave: false, saveUninitialized: true };
    if (!stores.has(server)) stores.set(server, session({ ...settings, genid: () => "fixed-id" }));
    stores.get(server)(req, res, next);
  };
  const counted = (req, res) => {
    req.session.count = (req.session.count ?? 0) + 1;
    json(res, { count: req.session.count });
  };
  return [
    ["/session", cookieSession({ name: "s", keys: ["one", "two"] }), counted],
    ["/server-session", stored, counted],
  ];
}

/**
 * The list.
 *
 * @param {{ folder: string, upstream: string }} stage folder of static files; address of an HTTP server
 */
export function connectMiddleware({ folder, upstream }) {
  const body = { limit: 20_000 };
  const logs = morgan((tokens, req, res) => {
    const line = ["method", "url", "status"].map((name) => tokens[name](req, res));
    req.socket.server.mark(`${line.join(" ")} ${tokens.res(req, res, "content-length")}`);
  });
  return [
    ["/raw", raw],
    ["/json", bodyParser.json(body), (req, res) => json(res, req.body)],
    [
      "/form",
      bodyParser.urlencoded({ extended: true, ...body }),
      (req, res) => json(res, req.body),
    ],
    ["/text", bodyParser.text(body), (req, res) => res.end(String(req.body))],
    ["/upload", multer().any(), multerSaid],
    ["/busboy", parseBusboy],
    ["/cookies", cookieParser("key"), (req, res) => json(res, [req.cookies, req.signedCookies])],
    ...sessions(),
    [
      "/compress",
      compression({ threshold: 100 }),
      (_req, res) => {
        res.setHeader("Content-Type", "text/plain");
        res.end(TEXT);
      },
    ],
    ["/compress-stream", compression(), compressedStream],
    ["/logged", logs, (_req, res) => res.end("logged")],
    [
      "/guarded",
      helmet(),
      cors({ origin: "http://other.test", credentials: true }),
      (_req, res) => json(res, "guarded"),
    ],
    ["/static", serveStatic(folder, { dotfiles: "ignore" })],
    ["/send-file", (req, res) => send(req, join(folder, "hello.txt")).pipe(res)],
    passportRoutes(),
    ...proxied(upstream),
  ];
}

/** Mounts the list by `app.use(path, handler)`, one handler after the other. */
export function mountAll(app, stage) {
  for (const [path, ...handlers] of connectMiddleware(stage)) {
    for (const handler of handlers) app.use(path, handler);
  }
}
