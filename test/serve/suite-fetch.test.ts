/**
 * Web-style handlers, `{ fetch }`: requests and responses of the Fetch standard over each protocol and engine.
 * One of the behaviour suites.
 */
import { describe, expect } from "vitest";
import type { FetchApplication } from "../../src/serve/application.ts";
import { pause, until } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";

const app = (fetch: FetchApplication["fetch"]): FetchApplication => ({ fetch });

describe("a Request", () => {
  behaviour(
    "has method, absolute URL and headers",
    app(async (request) => {
      const { method, url, headers } = request;
      return Response.json({ method, url, a: headers.get("x-a"), cookie: headers.get("cookie") });
    }),
    async ({ text }) => {
      const headers = [
        ["Host", "example.test:8080"],
        ["X-A", "1"],
        ["X-A", "2"],
        ["Cookie", "a=1; b=2"],
      ] as const;
      expect(JSON.parse(await text({ url: "/a%20b?c=d", headers }))).toEqual({
        method: "GET",
        url: "http://example.test:8080/a%20b?c=d",
        a: "1, 2",
        cookie: "a=1; b=2",
      });
    },
  );

  behaviour(
    "has a body that streams",
    app(async (request) => {
      let length = 0;
      for await (const chunk of request.body!) length += chunk.length;
      return new Response(String(length));
    }),
    async ({ text }) => {
      expect(await text({ method: "POST", body: Buffer.alloc(1_048_576) })).toBe("1048576");
    },
  );

  behaviour(
    "gives text, JSON and forms with files",
    app(async (request) => {
      const type = request.headers.get("content-type") ?? "";
      if (type.startsWith("application/json")) return Response.json(await request.json());
      const form = await request.formData();
      const file = form.get("file") as File;
      return new Response(`${form.get("name")} ${file.name} ${file.size} ${await file.text()}`);
    }),
    async ({ text }) => {
      const headers = { "Content-Type": "application/json" };
      expect(await text({ method: "POST", headers, body: '{"a":[1]}' })).toBe('{"a":[1]}');
      const form = new FormData();
      form.set("name", "x");
      form.set("file", new File(["hello"], "a.txt"));
      const upload = new Response(form);
      const body = Buffer.from(await upload.arrayBuffer());
      const type = upload.headers.get("content-type")!;
      expect(await text({ method: "POST", headers: { "Content-Type": type }, body })).toBe(
        "x a.txt 5 hello",
      );
    },
  );

  behaviour(
    "whose body is not read does not hold up anything",
    app(() => new Response("ok")),
    async ({ text }) => {
      expect(await text({ method: "POST", body: Buffer.alloc(300_000) })).toBe("ok");
      expect(await text()).toBe("ok");
    },
  );

  behaviour(
    "has a signal that aborts when the client goes away",
    {
      make: () => {
        const reasons: unknown[] = [];
        return app(async (request) => {
          if (request.url.endsWith("/reasons")) return Response.json(reasons);
          request.signal.addEventListener("abort", () =>
            reasons.push((request.signal.reason as Error).name),
          );
          return new Response(
            new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("begun")) }),
          );
        });
      },
    },
    async ({ request, text }) => {
      for await (const _piece of (await request()).body) break;
      await pause(30);
      expect(await text({ url: "/reasons" })).toBe('["AbortError"]');
    },
  );

  behaviour(
    "of TRACE gets 501, since the standard knows no such Request",
    app(() => new Response("?")),
    async ({ request }) => {
      expect((await request({ method: "TRACE" })).status).toBe(501);
    },
  );
});

describe("the second argument", () => {
  behaviour(
    "holds the gateway's facts, the client's address and node's objects",
    app(async (_request, info) => {
      const { gateway, remoteAddr, node } = info;
      return Response.json([
        gateway.protocol,
        remoteAddr.hostname,
        node.req.url,
        typeof node.res.end,
      ]);
    }),
    async ({ text, protocol }) => {
      const [name, address, url, end] = JSON.parse(await text({ url: "/x" })) as string[];
      expect([name, url, end]).toEqual([protocol, "/x", "function"]);
      expect(address).toMatch(/^127\.0\.0\.1$/);
    },
  );

  behaviour(
    "tells when the answer is complete, and takes work for later",
    {
      make: () => {
        const done: string[] = [];
        return app((request, info) => {
          if (request.url.endsWith("/done")) return Response.json(done);
          info.completed.then(
            () => done.push("completed"),
            () => done.push("failed"),
          );
          info.waitUntil(pause(5).then(() => void done.push("later")));
          info.waitUntil(Promise.reject(new Error("on purpose")));
          return new Response("ok");
        });
      },
    },
    async ({ text, stage }) => {
      await text();
      await pause(40);
      expect(JSON.parse(await text({ url: "/done" })).sort()).toEqual(["completed", "later"]);
      expect(stage.errors.map(String)).toEqual(["Error: on purpose"]);
    },
  );
});

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
