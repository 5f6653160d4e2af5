/**
 * Handlers that fail, and what their client sees of it; node's own timeouts.
 * One of the behaviour suites: over each protocol and engine.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { Latch, pause, until } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";

/** What other promise libraries return: something with `then` that is no instance of Promise. */
class ForeignPromise implements PromiseLike<never> {
  readonly #error: Error;

  constructor(error: Error) {
    this.#error = error;
  }

  // biome-ignore lint/suspicious/noThenProperty: to be a thenable is the point.
  then<T, F>(
    _resolve: unknown,
    reject?: ((error: unknown) => F | PromiseLike<F>) | null,
  ): Promise<T | F> {
    return Promise.reject(this.#error).catch(reject) as Promise<T | F>;
  }
}

const onPurpose = (): Error => new Error("on purpose");

describe("a handler that fails", () => {
  const failing: readonly [string, NodeHandler][] = [
    [
      "throws",
      () => {
        throw onPurpose();
      },
    ],
    [
      "rejects",
      async () => {
        throw onPurpose();
      },
    ],
    ["rejects later, by a promise of another library", () => new ForeignPromise(onPurpose())],
    [
      "throws after it set headers",
      (_req, res) => {
        res.setHeader("X-A", "1");
        res.setHeader("Content-Length", "1000");
        res.statusCode = 201;
        throw onPurpose();
      },
    ],
  ];
  for (const [what, handler] of failing) {
    behaviour(
      `${what}: a full 500 without details, and onError hears of it`,
      handler,
      async ({ request, stage }) => {
        const response = await request();
        expect([response.status, response.headers["x-a"]]).toEqual([500, undefined]);
        expect(await response.text()).toBe("500 Internal Server Error\n");
        expect(stage.errors.map(String)).toEqual(["Error: on purpose"]);
        expect((await request()).status).toBe(500);
      },
    );
  }

  behaviour(
    "after its head: the client sees a broken answer",
    async (_req, res) => {
      res.write("half");
      await pause(20);
      throw onPurpose();
    },
    async ({ request, stage, protocol }) => {
      const response = await request();
      const body = response.text();
      // SCGI over a unix socket knows no way to say it (docs/errors.md).
      if (protocol === "scgi") expect(await body).toBe("half");
      else await expect(body).rejects.toMatchObject({ answered: true });
      expect(stage.errors.map(String)).toEqual(["Error: on purpose"]);
    },
  );

  behaviour(
    "after its head, over TCP: the client sees a reset",
    async (_req, res) => {
      res.write("half");
      await pause(20);
      throw onPurpose();
    },
    async ({ request }) => {
      await expect((await request()).text()).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED" });
    },
    { transport: "tcp", only: ["fastcgi", "scgi"] },
  );

  behaviour(
    "after its end: the answer is whole, and onError hears of it",
    async (_req, res) => {
      res.end("whole");
      throw onPurpose();
    },
    async ({ text, stage }) => {
      expect(await text()).toBe("whole");
      await until(() => stage.errors.length === 1);
    },
  );
});

describe("res.destroy()", () => {
  behaviour(
    "after write() in the same tick sends nothing of an answer (NH-6)",
    (_req, res) => {
      res.setHeader("Content-Length", "4");
      res.write("half");
      res.destroy();
    },
    async ({ request }) => {
      await expect(request()).rejects.toMatchObject({ name: "ClientError" });
    },
  );

  behaviour(
    "after end() in the same tick still delivers all (NH-6)",
    (_req, res) => {
      res.end("all of it");
      res.destroy(onPurpose());
    },
    async ({ text, stage }) => {
      expect(await text()).toBe("all of it");
      expect(stage.errors).toEqual([]);
    },
  );

  behaviour(
    "in the middle of a body breaks the answer and ends nothing else (NH-10)",
    async (req, res) => {
      if (req.url === "/fine") return void res.end("fine");
      res.write("half");
      await pause(10);
      res.destroy(onPurpose());
    },
    async ({ request, text, protocol }) => {
      const body = (await request()).text();
      if (protocol === "scgi") expect(await body).toBe("half");
      else await expect(body).rejects.toMatchObject({ name: "ClientError" });
      expect(await text({ url: "/fine" })).toBe("fine");
    },
  );

  behaviour(
    "of req, or of its socket, does the same",
    async (req, res) => {
      res.write("half");
      await pause(10);
      if (req.url === "/req") req.destroy();
      else req.socket.destroy(onPurpose());
    },
    async ({ request }) => {
      for (const url of ["/req", "/socket"]) {
        await expect((await request({ url })).text()).rejects.toMatchObject({
          name: "ClientError",
        });
      }
    },
    { only: ["fastcgi", "ajp"] },
  );

  behaviour(
    "tells writes that wait for it",
    async (_req, res) => {
      const told = new Latch<unknown>();
      res.write("a", told.open as (error?: Error | null) => void);
      res.destroy();
      const error = (await told.opened) as { code?: string };
      if (error.code !== "ERR_STREAM_DESTROYED") throw new Error(`told ${error.code}`);
    },
    async ({ request, stage }) => {
      await expect(request()).rejects.toMatchObject({ name: "ClientError" });
      await pause(20);
      expect(stage.errors).toEqual([]);
    },
  );
});

describe("timeouts of node", () => {
  behaviour(
    "req.setTimeout, res.setTimeout and server.setTimeout are heard, with the socket (NH-18)",
    {
      make: () => (req, res) => {
        const heard: string[] = [];
        const socket = req.socket;
        req.setTimeout(20, () => heard.push("req"));
        res.setTimeout(20, ((one: unknown) => {
          heard.push(one === socket ? "res" : "stranger");
          res.end(heard.join());
        }) as () => void);
      },
    },
    async ({ text }) => {
      expect(await text({ method: "POST", headers: { "Content-Length": "0" } })).toMatch(
        /^(req,)?res$/,
      );
    },
  );

  behaviour(
    "nobody hears: the request is destroyed",
    (req) => void req.socket.setTimeout(20),
    async ({ request }) => {
      await expect(request()).rejects.toMatchObject({ name: "ClientError" });
    },
  );

  behaviour(
    "a body that keeps coming keeps it from firing (NH-19)",
    async (req, res) => {
      let fired = false;
      req.socket.setTimeout(400);
      req.on("timeout", () => (fired = true));
      let length = 0;
      for await (const chunk of req) length += (chunk as Buffer).length;
      res.end(`${length} ${fired}`);
    },
    async ({ text }) => {
      const slow = (async function* () {
        for (let i = 0; i < 10; i++) {
          yield Buffer.alloc(100);
          await pause(60);
        }
      })();
      expect(
        await text({ method: "POST", headers: { "Content-Length": "1000" }, body: slow }),
      ).toBe("1000 false");
    },
    { only: ["fastcgi", "ajp"] },
  );
});
