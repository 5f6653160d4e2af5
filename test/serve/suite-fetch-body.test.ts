/**
 * Request bodies of Web-style handlers: read as they come, no faster than they are read, left unread, broken off; and
 * the signal that tells of a client that is gone. One of the behaviour suites: over each protocol and engine.
 */
import { request as askHttp } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import type { FetchApplication } from "../../src/serve/application.ts";
import { serve } from "../../src/serve/serve.ts";
import { Latch, pause, until } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";

const app = (fetch: FetchApplication["fetch"]): FetchApplication => ({ fetch });
const PIECE = 65_536;

/** A body of many pieces that counts what was taken of it. */
class Upload {
  taken = 0;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < this.#count; i++) {
      this.taken += PIECE;
      yield Buffer.alloc(PIECE, i);
    }
  }

  get headers(): Record<string, string> {
    return { "Content-Length": String(this.#count * PIECE) };
  }
}

/** A body of which the rest never comes. */
async function* half(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("half");
  await new Promise(() => undefined);
}

describe("a request body", () => {
  const gate = { read: new Latch() };
  behaviour(
    "is taken no faster than it is read",
    {
      make: () => {
        gate.read = new Latch();
        const { opened } = gate.read;
        return app(async (request) => {
          const reader = request.body!.getReader();
          let size = (await reader.read()).value?.length ?? 0;
          await opened;
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return new Response(String(size));
            size += value.length;
          }
        });
      },
    },
    async ({ request }) => {
      const upload = new Upload(512);
      const answer = request({ method: "PUT", body: upload, headers: upload.headers });
      let before = -1;
      // Until a while has passed in which nothing more was taken.
      while (before !== upload.taken) {
        before = upload.taken;
        await pause(100);
      }
      expect(upload.taken).toBeGreaterThan(0);
      expect(upload.taken).toBeLessThan(8 * 1_048_576);
      gate.read.open();
      expect(await (await answer).text()).toBe(String(512 * PIECE));
    },
  );

  behaviour(
    "is a byte stream: a reader may bring its own buffer",
    app(async (request) => {
      const reader = request.body!.getReader({ mode: "byob" });
      const pieces: string[] = [];
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(3));
        if (done) return Response.json(pieces);
        pieces.push(Buffer.from(value).toString());
      }
    }),
    async ({ text }) => {
      const pieces = JSON.parse(await text({ method: "POST", body: "abcdefgh" }));
      expect(pieces).toEqual(["abc", "def", "gh"]);
    },
  );

  behaviour(
    "that is cancelled, or left in the middle, does not harm the answer or the next request",
    app(async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/cancel") await request.body?.cancel();
      if (pathname === "/break") for await (const _chunk of request.body!) break;
      if (pathname === "/read-then-cancel") {
        const reader = request.body!.getReader();
        await reader.read();
        await reader.cancel();
      }
      return Response.json([pathname, request.bodyUsed]);
    }),
    async ({ text }) => {
      for (const url of ["/cancel", "/break", "/read-then-cancel"]) {
        const body = Buffer.alloc(300_000);
        expect(JSON.parse(await text({ method: "POST", url, body }))).toEqual([url, true]);
      }
      expect(JSON.parse(await text({ url: "/next" }))).toEqual(["/next", false]);
    },
  );

  const seen: string[] = [];
  behaviour(
    "that breaks off rejects whoever reads it, and is no error of the handler (onError)",
    {
      make: () => {
        seen.length = 0;
        return app(async (request) => {
          const { pathname } = new URL(request.url);
          seen.push("begun");
          const read =
            pathname === "/text"
              ? request.text()
              : new Response(pathname === "/stream" ? request.body : request.clone().body).text();
          await read.catch((error: Error) => {
            seen.push(`${pathname} ${request.signal.aborted}`);
            throw error;
          });
          return new Response("?");
        });
      },
    },
    async ({ request, stage }) => {
      for (const url of ["/text", "/stream", "/clone"]) {
        const controller = new AbortController();
        const headers = { "Content-Length": "100" };
        const { signal } = controller;
        const answer = request({ method: "POST", url, headers, body: half(), signal });
        answer.catch(() => undefined);
        const before = seen.length;
        await until(() => seen.length > before);
        controller.abort();
        await until(() => seen.length > before + 1);
        expect(seen.slice(before)).toEqual(["begun", `${url} true`]);
      }
      expect(stage.errors).toEqual([]);
    },
  );
});

describe("the signal of a request", () => {
  const waiting = { begun: new Latch(), gone: new Latch<string>() };
  const make = (): FetchApplication => {
    waiting.begun = new Latch();
    waiting.gone = new Latch();
    const { begun, gone } = waiting;
    return app(async (request) => {
      const body = await request.text();
      request.signal.addEventListener("abort", () =>
        gone.open(`${body} ${(request.signal.reason as Error).name}`),
      );
      begun.open();
      await gone.opened;
      return new Response("nobody is there");
    });
  };

  behaviour(
    "aborts while the handler waits, after the body was read, within 100 ms",
    { make },
    async ({ request, stage }) => {
      const controller = new AbortController();
      const answer = request({ method: "POST", body: "read", signal: controller.signal });
      answer.catch(() => undefined);
      await waiting.begun.opened;
      const beganMs = performance.now();
      controller.abort();
      expect(await waiting.gone.opened).toBe("read AbortError");
      expect(performance.now() - beganMs).toBeLessThan(100);
      expect(stage.errors).toEqual([]);
    },
  );

  test("aborts so over plain HTTP as well, and stays quiet after an answer", async () => {
    const { fetch } = make();
    const signals: AbortSignal[] = [];
    const server = serve({
      fetch(request, info) {
        signals.push(request.signal);
        return request.url.endsWith("/quick") ? new Response("ok") : fetch(request, info);
      },
      protocol: "http",
      port: 0,
    });
    await server.ready();
    const { port } = server.address() as AddressInfo;
    const ask = (path: string): ReturnType<typeof askHttp> =>
      askHttp({ port, path, method: "POST", headers: { "Content-Length": 4 } })
        .on("error", () => undefined)
        .on("response", (response) => response.resume());
    ask("/quick").end("read");
    await until(() => signals.length === 1);
    const gone = ask("/wait");
    gone.end("read");
    await waiting.begun.opened;
    gone.destroy();
    expect(await waiting.gone.opened).toBe("read AbortError");
    await server.shutdown();
    expect(signals.map((signal) => signal.aborted)).toEqual([false, true]);
  });
});
