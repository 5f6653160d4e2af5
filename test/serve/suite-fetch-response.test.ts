/**
 * What Web-style handlers, `{ fetch }`, answer: responses of the Fetch standard, and failures before and in them.
 * One of the behaviour suites: over each protocol and engine.
 */
import { describe, expect } from "vitest";
import type { FetchApplication } from "../../src/serve/application.ts";
import { pause, until } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";

const app = (fetch: FetchApplication["fetch"]): FetchApplication => ({ fetch });

describe("a Response", () => {
  behaviour(
    "of text, bytes or a Blob leaves whole, with its length",
    app(async (request) => {
      if (request.url.endsWith("/text")) return new Response("hé");
      if (request.url.endsWith("/bytes")) return new Response(Buffer.from("h\xe9", "utf8"));
      return new Response(new Blob(["h", "é"], { type: "text/x" }));
    }),
    async ({ request }) => {
      for (const url of ["/text", "/bytes", "/blob"]) {
        const response = await request({ url });
        expect([url, await response.text(), response.headers["content-length"]]).toEqual([
          url,
          "hé",
          "3",
        ]);
        expect(response.headers["content-type"]).toBe(
          { "/text": "text/plain;charset=UTF-8", "/blob": "text/x" }[url],
        );
      }
    },
  );

  behaviour(
    "that is light, as srvx makes them, has the type that its text brings",
    app(() => {
      // Its headers know of the type once the body was asked for, and only then.
      let whole: Response | undefined;
      const init = { headers: { "X-A": "1" } };
      return {
        status: 200,
        statusText: "",
        get body() {
          whole ??= new Response("light", init);
          return whole.body;
        },
        get headers() {
          return whole?.headers ?? new Headers(init.headers);
        },
      } as Response;
    }),
    async ({ request }) => {
      const response = await request();
      expect(response.headers["content-type"]).toBe("text/plain;charset=UTF-8");
      expect([response.headers["x-a"], await response.text()]).toEqual(["1", "light"]);
    },
  );

  behaviour(
    "has status, reason, headers and each Set-Cookie apart",
    app(() => {
      const headers = new Headers({ "X-A": "1" });
      headers.append("Set-Cookie", "a=1");
      headers.append("Set-Cookie", "b=2");
      return new Response(null, { status: 201, statusText: "Made", headers });
    }),
    async ({ request }) => {
      const { status, reason, headers } = await request();
      expect([status, reason, headers["x-a"], headers["set-cookie"]]).toEqual([
        201,
        "Made",
        "1",
        ["a=1", "b=2"],
      ]);
    },
  );

  behaviour(
    "streams as it is made",
    app(() => {
      const pieces = ["one", "two", "three"];
      return new Response(
        new ReadableStream({
          async pull(controller) {
            await pause(20);
            const piece = pieces.shift();
            if (piece === undefined) controller.close();
            else controller.enqueue(Buffer.from(piece));
          },
        }),
      );
    }),
    async ({ request }) => {
      const pieces: string[] = [];
      for await (const piece of (await request()).body) pieces.push(Buffer.from(piece).toString());
      expect(pieces).toEqual(["one", "two", "three"]);
    },
  );

  behaviour(
    "is made no faster than it is taken, and cancelled when the client goes away",
    {
      make: () => {
        let made = 0;
        let cancelled = 0;
        return app((request) => {
          if (request.url.endsWith("/facts")) return Response.json([made, cancelled]);
          return new Response(
            new ReadableStream({
              pull(controller) {
                made += 65_536;
                controller.enqueue(new Uint8Array(65_536));
              },
              cancel() {
                cancelled++;
              },
            }),
          );
        });
      },
    },
    async ({ request, text }) => {
      const response = await request();
      await pause(100);
      for await (const _piece of response.body) break;
      let facts: number[] = [];
      await until(() => true);
      for (let i = 0; i < 50 && facts[1] !== 1; i++) {
        await pause(10);
        facts = JSON.parse(await text({ url: "/facts" }));
      }
      expect(facts[1]).toBe(1);
      expect(facts[0]).toBeLessThan(8 * 1_048_576);
    },
  );

  behaviour(
    "to HEAD, 204 and 304 has no body",
    app((request) => {
      if (request.method === "HEAD") return new Response("left out");
      return new Response(null, { status: request.url.endsWith("/204") ? 204 : 304 });
    }),
    async ({ request }) => {
      for (const [method, url, status] of [
        ["HEAD", "/", 200],
        ["GET", "/204", 204],
        ["GET", "/304", 304],
      ] as const) {
        const response = await request({ method, url });
        expect([response.status, await response.text()]).toEqual([status, ""]);
      }
    },
  );
});

describe("a fetch handler that fails", () => {
  behaviour(
    "is answered 500, and onError hears of it",
    app((request) => {
      if (request.url.endsWith("/throws")) throw new Error("on purpose");
      if (request.url.endsWith("/rejects")) return Promise.reject(new Error("on purpose"));
      return "no response" as unknown as Response;
    }),
    async ({ request, stage }) => {
      for (const url of ["/throws", "/rejects", "/nothing"]) {
        expect((await request({ url })).status).toBe(500);
      }
      expect(stage.errors.map(String)).toEqual([
        "Error: on purpose",
        "Error: on purpose",
        "TypeError: The fetch handler returned no Response",
      ]);
    },
  );

  behaviour(
    "in the middle of its stream breaks the answer",
    app(() => {
      let pulls = 0;
      return new Response(
        new ReadableStream({
          async pull(controller) {
            await pause(20);
            if (pulls++ === 0) controller.enqueue(Buffer.from("half"));
            else throw new Error("on purpose");
          },
        }),
      );
    }),
    async ({ request, stage }) => {
      await expect((await request()).text()).rejects.toMatchObject({ name: "ClientError" });
      expect(stage.errors.map(String)).toEqual(["Error: on purpose"]);
    },
    { only: ["fastcgi", "ajp"] },
  );

  behaviour(
    "before its first byte is a 500",
    app(() => {
      return new Response(
        new ReadableStream({
          pull() {
            throw new Error("on purpose");
          },
        }),
      );
    }),
    async ({ request }) => {
      expect((await request()).status).toBe(500);
    },
  );
});
