/**
 * When a fetch handler has node's req and res behind it and when not, and `info.node`, which makes them late.
 * One of the behaviour suites: over each protocol and engine.
 */
import { channel } from "node:diagnostics_channel";
import { Server as HttpServer } from "node:http";
import { describe, expect, test } from "vitest";
import { prototypesOf } from "../../src/handler/node/prototypes.ts";
import type { FetchInfo } from "../../src/handler/fetch/info.ts";
import type { FetchApplication } from "../../src/serve/application.ts";
import type { Server } from "../../src/server/server.ts";
import { Latch, readAll } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";

const app = (fetch: FetchApplication["fetch"]): FetchApplication => ({ fetch });

/** Requests of a server that had node's objects. */
function countNode(server: Server): number {
  const { hits, misses } = prototypesOf(server);
  return hits + misses;
}

/** Each puts something in the way, and returns what takes it away again. */
const OBSTACLES: Readonly<Record<string, (server: Server) => () => unknown>> = {
  "a second listener": (server) => {
    const listener = (): void => undefined;
    server.on("request", listener);
    return () => server.off("request", listener);
  },
  "a listener in place of the handler's": (server) => {
    const [first, own] = server.listeners("request") as (() => void)[];
    server.removeAllListeners("request");
    server.on("request", first!).on("request", (...given) => Reflect.apply(own!, server, given));
    return () => {
      server.removeAllListeners("request");
      server.on("request", first!).on("request", own!);
    };
  },
  "an emit of its own": (server) => {
    const { emit } = server;
    server.emit = (...given: unknown[]) => Reflect.apply(emit, server, given) as boolean;
    return () => Reflect.deleteProperty(server, "emit");
  },
  "tracing that wraps emit of every http.Server": () => {
    const { emit } = HttpServer.prototype;
    HttpServer.prototype.emit = function traced(this: HttpServer, ...given: unknown[]): boolean {
      return Reflect.apply(emit, this, given) as boolean;
    };
    return () => Reflect.deleteProperty(HttpServer.prototype, "emit");
  },
  ...Object.fromEntries(
    ["http.server.request.start", "http.server.response.finish"].map((name) => [
      `a subscriber of ${name}`,
      () => {
        const hear = (): void => undefined;
        channel(name).subscribe(hear);
        return () => channel(name).unsubscribe(hear);
      },
    ]),
  ),
  "server.setTimeout()": (server) => {
    server.setTimeout(60_000);
    return () => server.setTimeout(0);
  },
};

describe("node's req and res are behind a fetch handler", () => {
  for (const [what, put] of Object.entries(OBSTACLES)) {
    behaviour(
      `while there is ${what}, and not before or after`,
      app(() => new Response("ok")),
      async ({ text, stage: { server } }) => {
        const counts = [countNode(server)];
        const ask = async (): Promise<void> => {
          expect(await text()).toBe("ok");
          counts.push(countNode(server));
        };
        await ask();
        const take = put(server);
        await ask();
        take();
        await ask();
        expect(counts).toEqual([0, 0, 1, 1]);
      },
    );
  }

  behaviour(
    "where a listener of diagnostics wants them: it hears of each request",
    app(() => new Response("ok")),
    async ({ text }) => {
      const heard: string[] = [];
      const hear = (facts: unknown): void => {
        heard.push((facts as { request: { url: string } }).request.url);
      };
      channel("http.server.request.start").subscribe(hear);
      await text({ url: "/heard" });
      channel("http.server.request.start").unsubscribe(hear);
      await text({ url: "/unheard" });
      expect(heard).toEqual(["/heard"]);
    },
  );

  behaviour(
    "where folders are served beside it",
    app(() => new Response("ok")),
    async ({ text, stage: { server } }) => {
      expect(await text()).toBe("ok");
      expect(countNode(server)).toBe(1);
    },
    { static: { "/files/": import.meta.dirname } },
  );
});

describe("info.node", () => {
  behaviour(
    "has the request's body, and the answer may go through it",
    app(async (_request, info) => {
      const { req, res } = info.node;
      const body = await readAll(req);
      res.writeHead(201, { "X-A": "1" });
      res.end(`${req.method} ${req.url} ${body} ${req === info.node.req}`);
      return new Response("not this");
    }),
    async ({ request }) => {
      const got = await request({ method: "POST", url: "/x", body: "body" });
      expect([got.status, got.headers["x-a"], await got.text()]).toEqual([
        201,
        "1",
        "POST /x body true",
      ]);
    },
  );

  behaviour(
    "shares gateway and body with the Request that was there before it",
    app(async (request, info) => {
      const { signal } = request;
      const { gateway, node } = info;
      const same = [
        gateway === node.req.gateway,
        gateway === info.gateway,
        signal === gateway.signal,
      ];
      return Response.json([...same, await request.text(), node.req.readableEnded]);
    }),
    async ({ text }) => {
      const body = "x".repeat(100_000);
      expect(JSON.parse(await text({ method: "POST", body }))).toEqual([
        true,
        true,
        true,
        body,
        true,
      ]);
    },
  );

  behaviour(
    "asked for while the Request's body is read: the Request goes on, and req has none",
    app(async (request, info) => {
      const reader = request.body!.getReader();
      let size = (await reader.read()).value?.length ?? 0;
      const { req } = info.node;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        size += value.length;
      }
      return Response.json([size, await readAll(req), req.readableEnded]);
    }),
    async ({ text }) => {
      const body = Buffer.alloc(1_000_000);
      expect(JSON.parse(await text({ method: "POST", body }))).toEqual([1_000_000, "", true]);
    },
  );

  const late = { info: new Latch<FetchInfo>() };
  behaviour(
    "asked for after the answer has left shows the request, and res is destroyed",
    {
      make: () => {
        late.info = new Latch();
        const { open } = late.info;
        return app((_request, info) => {
          setImmediate(open, info);
          return new Response("ok");
        });
      },
    },
    async ({ text }) => {
      expect(await text({ url: "/late" })).toBe("ok");
      const info = await late.info.opened;
      const { req, res } = info.node;
      expect([req.url, req.gateway === info.gateway, res.destroyed]).toEqual(["/late", true, true]);
      expect(info.gateway.aborted).toBe(false);
      expect(await text({ url: "/next" })).toBe("ok");
    },
  );

  const gone = { seen: new Latch<unknown[]>(), begun: new Latch() };
  behaviour(
    "hears of a client that goes away, and the signal that was there before does",
    {
      make: () => {
        gone.seen = new Latch();
        gone.begun = new Latch();
        const { seen, begun } = gone;
        return app(async (request, info) => {
          const { signal } = request;
          const { res } = info.node;
          res.once("close", () => seen.open([signal.aborted, res.destroyed, res.writableEnded]));
          begun.open();
          await seen.opened;
          return new Response("nobody is there");
        });
      },
    },
    async ({ request, stage }) => {
      const controller = new AbortController();
      request({ signal: controller.signal }).catch(() => undefined);
      await gone.begun.opened;
      controller.abort();
      expect(await gone.seen.opened).toEqual([true, true, false]);
      expect(stage.errors).toEqual([]);
    },
  );

  const broken = { told: new Latch<unknown[]>() };
  behaviour(
    "destroyed by the handler aborts the signal, and `completed` rejects",
    {
      make: () => {
        broken.told = new Latch();
        const { open } = broken.told;
        return app(async (request, info) => {
          const { signal } = request;
          const { completed } = info;
          info.node.res.destroy();
          const how = await completed.then(
            () => "sent",
            (error: Error) => error.message,
          );
          await new Promise(setImmediate);
          open([how, signal.aborted]);
          return new Response("?");
        });
      },
    },
    async ({ request }) => {
      await expect(request()).rejects.toMatchObject({ name: "ClientError" });
      expect(await broken.told.opened).toEqual(["The response was not sent whole.", true]);
    },
  );
});

test("what is put in the way is taken away: no prototype is left changed", () => {
  expect(Object.hasOwn(HttpServer.prototype, "emit")).toBe(false);
});
