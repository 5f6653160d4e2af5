/**
 * What Web-style handlers answer beyond plain text: every kind of body, streams that take their time,
 * and answers for failures. One of the behaviour suites: over each protocol and engine.
 */
import { Readable } from "node:stream";
import { describe, expect } from "vitest";
import type { FetchApplication } from "../../src/serve/application.ts";
import { Latch, readAll } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";

const app = (fetch: FetchApplication["fetch"]): FetchApplication => ({ fetch });
const pathOf = (request: Request): string => new URL(request.url).pathname.slice(1);

/** A body of which nothing comes before its time. */
const later = (opened: Promise<void>, text: string): ReadableStream =>
  new ReadableStream({
    async pull(controller) {
      await opened;
      controller.enqueue(Buffer.from(text));
      controller.close();
    },
  });

describe("a Response of each kind", () => {
  const KINDS: Readonly<Record<string, () => Response>> = {
    text: () => new Response("é€"),
    empty: () => new Response(""),
    nothing: () => new Response(null, { headers: { "x-a": "1" } }),
    bytes: () => new Response(new Uint8Array([1, 2, 255])),
    buffer: () => new Response(new Uint8Array([1, 2]).buffer),
    blob: () => new Response(new Blob(["a", new Uint8Array(100_000)], { type: "a/b" })),
    search: () => new Response(new URLSearchParams({ a: "1", b: "é" })),
    json: () => Response.json({ a: [1] }, { status: 418 }),
    redirect: () => Response.redirect("http://a.test/x", 307),
    large: () => new Response("x".repeat(1_000_000)),
    iterated: () =>
      new Response(Readable.toWeb(Readable.from(["a", "b"].map((s) => Buffer.from(s)))) as never),
  };
  behaviour(
    "arrives as it is, byte for byte, header by header",
    app((request) => KINDS[pathOf(request)]!()),
    async ({ request }) => {
      for (const [kind, make] of Object.entries(KINDS)) {
        const native = make();
        const got = await request({ url: `/${kind}` });
        const { "content-length": length, ...headers } = got.headers;
        const body = await readAll(got.body);
        expect([kind, got.status, headers, body]).toEqual([
          kind,
          native.status,
          Object.fromEntries(native.headers),
          Buffer.from(await native.arrayBuffer()).toString("latin1"),
        ]);
        if (length !== undefined) expect([kind, length]).toEqual([kind, String(body.length)]);
      }
    },
  );

  behaviour(
    "of form data arrives with its boundary and its files",
    app(() => {
      const form = new FormData();
      form.set("name", "é");
      form.set("file", new File(["hello"], "a.txt", { type: "text/x" }));
      return new Response(form);
    }),
    async ({ request }) => {
      const got = await request();
      const headers = { "content-type": String(got.headers["content-type"]) };
      const form = await new Response(Buffer.from(await readAll(got.body), "latin1"), {
        headers,
      }).formData();
      const file = form.get("file") as File;
      expect([form.get("name"), file.name, file.type, await file.text()]).toEqual([
        "é",
        "a.txt",
        "text/x",
        "hello",
      ]);
    },
  );
});

describe("a Response whose body takes its time", () => {
  const gate = { opened: new Latch() };
  behaviour(
    "sends its head at once",
    {
      make: () => {
        gate.opened = new Latch();
        const { opened } = gate.opened;
        return app(() => new Response(later(opened, "late"), { headers: { "x-a": "1" } }));
      },
    },
    async ({ request }) => {
      const got = await request();
      expect([got.status, got.headers["x-a"]]).toEqual([200, "1"]);
      gate.opened.open();
      expect(await got.text()).toBe("late");
    },
  );

  const cancelled = { by: new Latch<string>() };
  behaviour(
    "is cancelled when only its head was asked for",
    {
      make: () => {
        cancelled.by = new Latch();
        const { by } = cancelled;
        const endless = (): ReadableStream =>
          new ReadableStream({ cancel: () => by.open("cancelled") }, { highWaterMark: 0 });
        return app(() => new Response(endless(), { headers: { "content-length": "5" } }));
      },
    },
    async ({ request }) => {
      const got = await request({ method: "HEAD" });
      expect([got.status, got.headers["content-length"], await got.text()]).toEqual([200, "5", ""]);
      expect(await cancelled.by.opened).toBe("cancelled");
    },
  );
});

describe("what cannot be sent", () => {
  behaviour(
    "is a 500, and onError hears why",
    app(async (request) => {
      if (pathOf(request) === "error") return Response.error();
      const response = new Response("x");
      await response.text();
      return response;
    }),
    async ({ request, stage }) => {
      expect((await request({ url: "/error" })).status).toBe(500);
      expect((await request({ url: "/used" })).status).toBe(500);
      expect(stage.errors.map(String)).toEqual([
        "TypeError: The fetch handler returned Response.error(), which has no status to send",
        "TypeError: The fetch handler returned a Response whose body was read already",
      ]);
    },
  );
});

describe("onError of a fetch handler", () => {
  const failing = app((request) => {
    if (pathOf(request) !== "body") throw new Error(pathOf(request));
    const failed = new ReadableStream({
      start: (controller) => controller.error(new Error("body")),
    });
    return new Response(failed, { headers: { "x-a": "1" } });
  });
  const told = (error: unknown, request: unknown): string =>
    `${(error as Error).message} at ${(request as Request).url}`;

  for (const [kind, onError] of [
    [
      "a Response",
      (error: unknown, request: unknown) => new Response(told(error, request), { status: 503 }),
    ],
    [
      "a promise of one",
      async (error: unknown, request: unknown) =>
        new Response(told(error, request), { status: 503 }),
    ],
  ] as const) {
    behaviour(
      `answers by returning ${kind}`,
      failing,
      async ({ request }) => {
        for (const url of ["/thrown", "/body"]) {
          const got = await request({ url, headers: { Host: "a.test" } });
          expect([got.status, got.headers["x-a"], await got.text()]).toEqual([
            503,
            undefined,
            `${url.slice(1)} at http://a.test${url}`,
          ]);
        }
      },
      { onError },
    );
  }

  const heard: string[] = [];
  behaviour(
    "that fails itself leaves the client a plain 500",
    failing,
    async ({ request }) => {
      heard.length = 0;
      const got = await request({ url: "/thrown" });
      expect([got.status, await got.text()]).toEqual([500, "500 Internal Server Error\n"]);
      expect(heard).toEqual(["thrown", "of onError"]);
    },
    {
      onError: (error) => {
        heard.push((error as Error).message);
        if (heard.length === 1) return Promise.reject(new Error("of onError"));
        return undefined;
      },
    },
  );
});
