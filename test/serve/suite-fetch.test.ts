/**
 * What Web-style handlers, `{ fetch }`, are given: a Request of the Fetch standard and the gateway's facts.
 * One of the behaviour suites: over each protocol and engine.
 */
import { describe, expect } from "vitest";
import type { FetchApplication } from "../../src/serve/application.ts";
import { pause } from "../support/behaviour.ts";
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
