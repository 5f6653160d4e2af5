/**
 * Connect with body-parser and the rest of the middleware list; no routes but prefixes, as Connect has it.
 */
import connect from "connect";
import { mountAll } from "./connect-middleware.mjs";
import { afterRead, json } from "./raw-heads.mjs";

function make(stage) {
  const app = connect();
  app.use("/hello", (_req, res) => res.end("hello"));
  app.use("/mounted", (req, res) => json(res, [req.url, req.originalUrl]));
  app.use("/redirect", (_req, res) => {
    res.writeHead(302, { Location: "/hello" });
    res.end();
  });
  mountAll(app, stage);
  app.use("/throw", () => {
    throw new Error("thrown");
  });
  app.use("/next-error", (_req, _res, next) =>
    next(Object.assign(new Error("no tea"), { status: 418 })),
  );
  app.use("/throw-late", (req, res, next) => {
    res.write("begun");
    afterRead(req, () => next(new Error("late")));
  });
  app.use("/handled", (_req, _res, next) => next(new Error("handled")));
  app.use("/handled", (error, _req, res, _next) => json(res, { error: error.message }, 422));
  return app;
}

export const connectApp = {
  async open(stage) {
    const app = make(stage);
    return { start: async (createServer) => ({ server: createServer(app) }) };
  },
};
