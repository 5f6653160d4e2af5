/**
 * Express 4 and Express 5, with routers, mounted applications, their own bodies, cookies, files and errors.
 * One application serves every server, as it would in a program: `createServer(app)`.
 */
import { join } from "node:path";
import express5 from "express";
import express4 from "express4";
import { mountAll, TEXT } from "./connect-middleware.mjs";
import { afterRead } from "./raw-heads.mjs";

/** Routes that only Express has words for. */
function routes(app, express, folder) {
  app.get("/hello", (_req, res) => res.send("hello"));
  app.get("/users/:id", (req, res) => res.json({ id: req.params.id, query: req.query }));
  const inner = express.Router();
  inner.get("/inner", (req, res) => res.json([req.url, req.originalUrl, req.baseUrl, req.path]));
  app.use("/mounted", inner);
  const other = express();
  other.get("/inner", (req, res) =>
    res.json([req.url, req.baseUrl, req.app === other, res.app === other]),
  );
  app.use("/application", other, (req, res) => res.json(["after", req.app === app]));
  app.all("/items/:id", express.json(), (req, res) =>
    res.json([req.method, req.params.id, req.body ?? null]),
  );
  app.get("/seen", (req, res) => {
    const { ip, ips, protocol, secure, hostname, subdomains, xhr, fresh, originalUrl, path } = req;
    res.json({ ip, ips, protocol, secure, hostname, subdomains, xhr, fresh, originalUrl, path });
  });
  app.get("/negotiated", (req, res) => {
    res.vary("Accept").format({
      json: () => res.json([req.acceptsLanguages("de", "en"), req.acceptsEncodings("br", "gzip")]),
      html: () => res.send("<p>html</p>"),
    });
  });
  app.get("/cookie-jar", (_req, res) => {
    res.cookie("a", "1 2", { httpOnly: true, expires: new Date(0) });
    res.cookie("b", { c: 3 }, { path: "/x", sameSite: "lax" }).clearCookie("gone");
    res.append("Set-Cookie", "raw=1").append("Link", ["</a>", "</b>"]).links({ next: "/c" });
    res.send({ cookies: true });
  });
  app.get("/redirect", (_req, res) => res.redirect("/hello?a=\xe9 b"));
  app.get("/moved", (_req, res) => res.redirect(308, "https://other.test/x"));
  app.get("/text", (_req, res) => res.type("txt").send(TEXT));
  app.get("/buffer", (_req, res) => res.send(Buffer.from([0, 1, 255])));
  app.get("/status/:code", (req, res) => res.sendStatus(Number(req.params.code)));
  app.get("/download", (_req, res) =>
    res.download(join(folder, "hello.txt"), "h\xe9llo \u20ac.txt"),
  );
  app.get("/file/:name", (req, res, next) => {
    res.sendFile(req.params.name, { root: folder, headers: { "X-Sent": "1" } }, (error) => {
      if (error) next(error);
    });
  });
}

function failures(app) {
  app.get("/throw", () => {
    throw new Error("thrown");
  });
  app.get("/reject", async (_req, _res, next) => {
    await Promise.reject(new Error("rejected")).catch(next);
  });
  app.get("/next-error", (_req, _res, next) =>
    next(Object.assign(new Error("no tea"), { status: 418, headers: { "X-Pot": "short" } })),
  );
  app.get("/throw-late", (req, res, next) => {
    res.write("begun");
    afterRead(req, () => next(new Error("late")));
  });
  app.get("/handled", (_req, _res, next) => next(new Error("handled")));
  app.use("/handled", (error, _req, res, _next) => res.status(422).json({ error: error.message }));
}

function make(express, stage) {
  const app = express();
  app.set("trust proxy", false);
  routes(app, express, stage.folder);
  app.get("/streamed", (_req, res) => {
    res.type("html").write("<p>");
    setTimeout(() => res.end("later</p>"), 5);
  });
  mountAll(app, stage);
  failures(app);
  return app;
}

const framework = (express) => ({
  async open(stage) {
    const app = make(express, stage);
    return { start: async (createServer) => ({ server: createServer(app) }) };
  },
});

export const express4App = framework(express4);
export const express5App = framework(express5);
