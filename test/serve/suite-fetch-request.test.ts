/**
 * The lazy Request of a Web-style handler, where it has to pass for a native one: all it is asked and handed to.
 * One of the behaviour suites: over each protocol and engine. Native objects of the same process are the measure.
 */
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { FetchApplication } from "../../src/serve/application.ts";
import { readAll } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";

const app = (fetch: FetchApplication["fetch"]): FetchApplication => ({ fetch });
const POST = { method: "POST", body: "a=1&b=é", headers: { "X-A": "1" } };

describe("a lazy Request", () => {
  behaviour(
    "says of itself what a native one says, member by member",
    app((request) => {
      const native = new Request("http://a.test/", { method: "POST", body: "x" });
      const { headers, body } = request;
      const members = Object.keys(Object.getOwnPropertyDescriptors(Request.prototype));
      const wrong = members.filter((name) => {
        if (["constructor", "url", "headers", "signal", "body"].includes(name)) return false;
        const [own, other] = [Reflect.get(request, name), Reflect.get(native, name)];
        return typeof own === "function" ? typeof other !== "function" : own !== other;
      });
      return Response.json([
        wrong,
        request instanceof Request,
        String(request),
        request.headers instanceof Headers,
        request.signal instanceof AbortSignal,
        headers === request.headers && body === request.body,
        inspect(request).startsWith("Request {") && inspect(request).includes("x-a"),
      ]);
    }),
    async ({ text }) => {
      expect(JSON.parse(await text(POST))).toEqual([
        [],
        true,
        "[object Request]",
        true,
        true,
        true,
        true,
      ]);
    },
  );

  behaviour(
    "can be made into another one, with its body or a new one",
    app(async (request) => {
      const headers = { "X-B": "2" };
      if (request.url.endsWith("/new")) {
        const other = new Request(request, { body: "new", headers });
        return Response.json([other.headers.get("x-a"), await other.text(), request.bodyUsed]);
      }
      const other = new Request(request, { headers });
      const read = await other.text();
      return Response.json([
        other.method,
        other.url === request.url,
        other.headers.get("x-a"),
        other.headers.get("x-b"),
        read,
        request.bodyUsed,
      ]);
    }),
    async ({ text }) => {
      const both = ["POST", true, null, "2", "a=1&b=é", true];
      expect(JSON.parse(await text(POST))).toEqual(both);
      expect(JSON.parse(await text({ ...POST, url: "/new" }))).toEqual([null, "new", false]);
    },
  );

  behaviour(
    "is the init of another one, and the base of subclasses",
    app(async (request) => {
      class Own extends Request {
        get own(): string {
          return `${this.method} ${new URL(this.url).pathname}`;
        }
      }
      const own = new Own(request);
      const moved = new Request("http://b.test/moved", own);
      return Response.json([
        own.own,
        own instanceof Own && own instanceof Request,
        request instanceof Own,
        moved.url,
        moved.headers.get("x-a"),
        await moved.text(),
      ]);
    }),
    async ({ text }) => {
      expect(JSON.parse(await text({ ...POST, url: "/x" }))).toEqual([
        "POST /x",
        true,
        false,
        "http://b.test/moved",
        "1",
        "a=1&b=é",
      ]);
    },
  );

  behaviour(
    "can be cloned before it is read, and both are read apart",
    app(async (request) => {
      request.headers.set("X-A", "changed");
      const clone = request.clone();
      const texts = [await clone.text(), request.bodyUsed, await request.text(), request.bodyUsed];
      return Response.json([...texts, clone.headers.get("x-a"), clone instanceof Request]);
    }),
    async ({ text }) => {
      expect(JSON.parse(await text(POST))).toEqual([
        "a=1&b=é",
        false,
        "a=1&b=é",
        true,
        "changed",
        true,
      ]);
    },
  );

  behaviour(
    "has headers that stay the same object when a native Request takes over",
    app((request) => {
      const { headers } = request;
      headers.set("x-new", "1");
      const before = request.clone();
      headers.set("x-new", "2");
      const after = request.clone();
      return Response.json([
        headers === request.headers,
        before.headers.get("x-new"),
        after.headers.get("x-new"),
        new Headers(headers).get("x-a"),
        new Response(null, { headers }).headers.get("x-a"),
      ]);
    }),
    async ({ text }) => {
      expect(JSON.parse(await text(POST))).toEqual([true, "1", "2", "1", "1"]);
    },
  );

  behaviour(
    "gives its body in every form, and once",
    app(async (request) => {
      const form = new URL(request.url).pathname.slice(1) as "text";
      const used = request.bodyUsed;
      const body: unknown = await request[form]();
      const size =
        body instanceof Blob
          ? `${body.type} ${await body.text()}`
          : body instanceof FormData
            ? body.get("b")
            : body instanceof ArrayBuffer
              ? Buffer.from(body).toString()
              : body instanceof Uint8Array
                ? Buffer.from(body.buffer).toString()
                : body;
      const again = await request.text().catch((error: Error) => error.name);
      const cloned = ((): string => {
        try {
          return request.clone().url;
        } catch (error) {
          return (error as Error).name;
        }
      })();
      return Response.json([used, size, again, cloned, request.bodyUsed, request.body?.locked]);
    }),
    async ({ text }) => {
      const type = { "Content-Type": "application/x-www-form-urlencoded" };
      for (const [url, size] of [
        ["/text", "a=1&b=é"],
        ["/arrayBuffer", "a=1&b=é"],
        ["/bytes", "a=1&b=é"],
        ["/blob", "application/x-www-form-urlencoded a=1&b=é"],
        ["/formData", "é"],
      ] as const) {
        const got = JSON.parse(await text({ ...POST, headers: type, url }));
        expect([url, ...got.slice(0, 5)]).toEqual([
          url,
          false,
          size,
          "TypeError",
          "TypeError",
          true,
        ]);
      }
    },
  );

  behaviour(
    "decodes text as the standard does: a byte order mark is no text, wrong bytes are replaced",
    app(async (request) => Response.json(await request.text())),
    async ({ text }) => {
      for (const bytes of [
        [0xef, 0xbb, 0xbf, 0x61],
        [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf],
        [0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0x80],
      ]) {
        const body = Uint8Array.from(bytes);
        const got = JSON.parse(await text({ method: "POST", body }));
        // Not by a Response: Node takes a second mark off as well.
        expect(got).toBe(new TextDecoder().decode(body));
      }
    },
  );

  behaviour(
    "of GET has no body, and rejects JSON as a native one does",
    app(async (request) => {
      const native = new Request(request.url);
      const errors = await Promise.all(
        [request, native].map((one) =>
          one
            .clone()
            .json()
            .catch((error: Error) => error.name),
        ),
      );
      const { body } = request;
      return Response.json([body, await request.text(), request.bodyUsed, ...errors]);
    }),
    async ({ text }) => {
      const [body, read, used, own, native] = JSON.parse(await text());
      expect([body, read, used, own]).toEqual([null, "", false, native]);
    },
  );
});

describe("a lazy Request handed to fetch()", () => {
  let far: HttpServer;
  let host = "";
  beforeAll(async () => {
    far = createHttpServer(async (req, res) => {
      res.setHeader("X-Far", "1");
      res.end(`${req.method} ${req.url} ${req.headers["x-a"]} ${await readAll(req)}`);
    });
    await new Promise<void>((resolve) => far.listen(0, "127.0.0.1", resolve));
    host = `127.0.0.1:${(far.address() as AddressInfo).port}`;
  });
  afterAll(() => far.close());

  behaviour(
    "is sent on, with its body, and the answer can be handed back",
    app((request) => fetch(request)),
    async ({ request }) => {
      const headers = { Host: host, "X-A": "1" };
      const response = await request({ method: "PUT", url: "/far", headers, body: "body" });
      expect([response.headers["x-far"], await response.text()]).toEqual(["1", "PUT /far 1 body"]);
    },
  );
});
