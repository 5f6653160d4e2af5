/**
 * h3, by its own adapter for Node (`toNodeHandler`) and as a Web handler (`{ fetch }`).
 * Over node:http both are served by the adapter; over postern the second is served by postern itself.
 */
import {
  H3,
  HTTPError,
  fromNodeHandler,
  getCookie,
  getQuery,
  getRouterParam,
  handleCors,
  redirect,
  setCookie,
} from "h3";
import { createEventStream, readBody, readFormData } from "h3";
import { toNodeHandler } from "h3/node";
import { TEXT } from "./connect-middleware.mjs";
import { raw } from "./raw-bodies.mjs";

/** h3 ends an answer itself once the handler's promise is settled. */
async function rawUntilClose(req, res) {
  await raw(req, res);
  if (!res.writableFinished && !res.destroyed) await new Promise((done) => res.once("close", done));
}

function routes(app) {
  app.get("/hello", () => "hello");
  app.get("/users/:id", (event) => ({ id: getRouterParam(event, "id"), query: getQuery(event) }));
  app.mount(
    "/mounted",
    new H3().get("/inner", (event) => [event.url.pathname, event.url.search]),
  );
  app.all("/items/:id", async (event) => [
    event.req.method,
    getRouterParam(event, "id"),
    (await readBody(event)) ?? null,
  ]);
  app.post("/json", (event) => readBody(event));
  app.post("/form", (event) => readBody(event));
  app.post("/text", (event) => event.req.text());
  app.post("/upload", async (event) => {
    const form = await readFormData(event);
    return [...form].map(([name, value]) =>
      value instanceof File ? [name, value.name, value.type, value.size] : [name, value],
    );
  });
  app.post(
    "/echo",
    (event) =>
      new Response(event.req.body, { headers: { "Content-Type": "application/octet-stream" } }),
  );
  app.get("/cookies", (event) => {
    setCookie(event, "c", "3", { httpOnly: true, expires: new Date(0) });
    setCookie(event, "d", "4", { path: "/x" });
    return [getCookie(event, "a"), getCookie(event, "b")];
  });
  app.get("/seen", (event) => {
    const { pathname, search, protocol } = event.url;
    return [event.req.method, pathname, search, protocol, event.req.headers.get("x-key")];
  });
  app.get("/redirect", () => redirect("/hello"));
  app.get(
    "/status/:code",
    (event) => new Response(null, { status: Number(getRouterParam(event, "code")) }),
  );
  app.get("/buffer", () => new Uint8Array([0, 1, 255]));
  app.get("/null", () => null);
  app.get("/text", () => TEXT);
  app.get("/streamed", () => {
    const words = ["one ", "two"];
    return new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 4));
        const word = words.shift();
        if (word === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(word));
      },
    });
  });
  app.get("/sse", (event) => {
    const events = createEventStream(event);
    void (async () => {
      for (const n of [1, 2, 3]) await events.push({ id: String(n), data: `{"n":${n}}` });
      await events.close();
    })();
    return events.send();
  });
  app.get("/blocks", () => {
    let i = 0;
    return new ReadableStream({
      pull(controller) {
        if (i === 48) controller.close();
        else controller.enqueue(new Uint8Array(65_536).fill(i++));
      },
    });
  });
  app.get("/blob", () => new Response(new Blob(["of a blob"], { type: "text/x" })));
  app.all("/guarded", (event) => {
    const preflight = handleCors(event, {
      origin: ["http://other.test"],
      credentials: true,
      methods: "*",
    });
    return preflight === false ? "guarded" : preflight;
  });
  app.get("/throw", () => {
    throw new HTTPError({ status: 418, message: "no tea", headers: { "X-Pot": "short" } });
  });
  app.get("/reject", async () => {
    throw new Error("rejected");
  });
}

function make() {
  const app = new H3({ silent: true });
  routes(app);
  return app;
}

export const h3NodeApp = {
  async open() {
    const app = make();
    app.all("/raw/**", fromNodeHandler(rawUntilClose));
    const listener = toNodeHandler(app);
    return { start: async (createServer) => ({ server: createServer(listener) }) };
  },
};

export const h3FetchApp = {
  async open() {
    const app = make();
    const listener = toNodeHandler(app);
    const fetch = (request) => app.fetch(request);
    return {
      start: async (createServer, isNode) => ({
        server: createServer(isNode ? listener : { fetch }),
      }),
    };
  },
};
