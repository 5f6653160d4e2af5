/**
 * The option `static`: files below a prefix. What plain HTTP shows of them, every protocol shows.
 * One of the behaviour suites: over each protocol and engine. `sendFile` is in suite-send-file.test.ts, real web servers
 * in test/conformance/files.test.ts.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { RequestOptions } from "../../src/client/client.ts";
import { serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { hello, until } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";
import { BIG, FileRoom, TRAVERSALS } from "../support/file-room.ts";
import { askPlain, see } from "../support/seen.ts";

const room = new FileRoom();
const options = { static: { "/media": room.files, "/media/deep/": join(room.files, "docs") } };
let plain: Server;
beforeAll(async () => {
  plain = await serve(hello, { protocol: "http", port: 0, ...options }).ready();
});
afterAll(async () => {
  await plain.shutdown();
  room.remove();
});

describe("static: a file", () => {
  const QUESTIONS: readonly (readonly [rule: string, question: RequestOptions, status: number])[] =
    [
      ["is sent whole", { url: "/media/hello.txt" }, 200],
      ["is sent whole, whatever the query", { url: "/media/hello.txt?v=1" }, 200],
      ["is sent whole when it is large", { url: "/media/big.bin" }, 200],
      ["may be empty", { url: "/media/empty.txt" }, 200],
      ["has a name in UTF-8", { url: "/media/gr%C3%BCn%20%26%20100%25%3F.html" }, 200],
      ["without an extension has a type all the same", { url: "/media/noname" }, 200],
      ["is found through a link inside", { url: "/media/link-in.txt" }, 200],
      ["is described by HEAD", { url: "/media/hello.txt", method: "HEAD" }, 200],
      ["is the index of its folder", { url: "/media/docs/" }, 200],
      ["of the longer prefix wins", { url: "/media/deep/" }, 200],
      ["in a folder without slash is a redirect", { url: "/media/docs?q=1" }, 301],
      ["in the prefix without slash is a redirect", { url: "/media/deep" }, 301],
      ["is cut by a range", { url: "/media/big.bin", headers: { Range: "bytes=10-19" } }, 206],
      [
        "is cut by a range at its end",
        { url: "/media/big.bin", headers: { Range: "bytes=-5" } },
        206,
      ],
      [
        "refuses a range beyond it",
        { url: "/media/big.bin", headers: { Range: "bytes=9999999-" } },
        416,
      ],
      [
        "by HEAD is cut as well",
        { url: "/media/big.bin", method: "HEAD", headers: { Range: "bytes=1-2" } },
        206,
      ],
      [
        "not changed since a date is 304",
        {
          url: "/media/hello.txt",
          headers: { "If-Modified-Since": "Tue, 01 Jan 2199 00:00:00 GMT" },
        },
        304,
      ],
      [
        "changed since a date is 412",
        {
          url: "/media/hello.txt",
          headers: { "If-Unmodified-Since": "Tue, 01 Jan 1991 00:00:00 GMT" },
        },
        412,
      ],
      [
        "with another ETag is sent",
        { url: "/media/hello.txt", headers: { "If-None-Match": '"x"' } },
        200,
      ],
      ["of any ETag is 304", { url: "/media/hello.txt", headers: { "If-None-Match": "*" } }, 304],
      ["that is not there is 404", { url: "/media/none.txt" }, 404],
      ["takes no POST", { url: "/media/hello.txt", method: "POST" }, 405],
      [
        "takes no OPTIONS, and a missing one neither",
        { url: "/media/none.txt", method: "OPTIONS" },
        405,
      ],
    ];
  for (const [rule, question, status] of QUESTIONS) {
    behaviour(
      `${rule} (as over HTTP)`,
      hello,
      async (act) => {
        const seen = await see(act, question);
        expect(seen.status).toBe(status);
        expect(seen).toEqual(await askPlain(plain, question));
      },
      options,
    );
  }
});

describe("static", () => {
  behaviour(
    "says type, length, date, ETag and that ranges are taken",
    hello,
    async (act) => {
      const { headers, body } = await see(act, { url: "/media/hello.txt" });
      expect(body.toString()).toBe("hello, file\n");
      expect(headers).toMatchObject({
        "content-type": "text/plain; charset=utf-8",
        "content-length": "12",
        "cache-control": "no-cache",
        "accept-ranges": "bytes",
        "last-modified": expect.stringMatching(/ GMT$/),
        etag: expect.stringMatching(/^(W\/)?"[^"]+"$/),
      });
      const again = { "If-None-Match": String(headers["etag"]) };
      const second = await see(act, { url: "/media/hello.txt", headers: again });
      expect([second.status, second.body.length]).toEqual([304, 0]);
      const range = { Range: "bytes=100000-199999", "If-Range": String(headers["last-modified"]) };
      const part = await see(act, { url: "/media/big.bin", headers: range });
      expect(part.headers["content-range"]).toBe("bytes 100000-199999/300000");
      expect(part.body.equals(BIG.subarray(100_000, 200_000))).toBe(true);
      // Tags made of size and time are weak, and a weak one does not say that the bytes are the same (RFC 9110 §13.1.5).
      const weak = { Range: "bytes=0-0", "If-Range": String(headers["etag"]) };
      expect((await see(act, { url: "/media/hello.txt", headers: weak })).status).toBe(200);
    },
    options,
  );

  behaviour(
    "sends a browser from a folder to its slash, wherever the application is mounted",
    hello,
    async (act) => {
      const { status, headers } = await see(act, { url: "/shop/media/docs?q=1" });
      const target = new URL(String(headers["location"]), "http://x/shop/media/docs?q=1");
      expect([status, target.href]).toEqual([301, "http://x/shop/media/docs/?q=1"]);
    },
    { ...options, scriptName: "/shop" },
  );

  for (const stripScriptName of [false, true]) {
    for (const [prefix, status] of [
      ["/media", 200],
      ["/shop/media", 200],
      ["/hop/media", 404],
    ] as const) {
      behaviour(
        `below the mount /shop with stripScriptName ${stripScriptName}, prefix ${prefix}: ${status}`,
        (_req, res) => {
          res.statusCode = 404;
          res.end("the application's");
        },
        async (act) => {
          const seen = await see(act, { url: "/shop/media/hello.txt" });
          expect(seen.status).toBe(status);
          expect(seen.body.toString()).toBe(status === 200 ? "hello, file\n" : "the application's");
        },
        { scriptName: "/shop", stripScriptName, static: [`${prefix}=${room.files}`] },
      );
    }
  }

  behaviour(
    "counts from the mount prefix that the web server names, or from the root",
    hello,
    async (act) => {
      const params = { SCRIPT_NAME: "/shop", PATH_INFO: "/media/hello.txt" };
      const seen = await see(act, { url: "/shop/media/hello.txt", params });
      expect(seen.body.toString()).toBe("hello, file\n");
      const whole = { SCRIPT_NAME: "/media", PATH_INFO: "/hello.txt" };
      const root = await see(act, { url: "/media/hello.txt", params: whole });
      expect(root.body.toString()).toBe("hello, file\n");
    },
    { ...options, only: ["fastcgi", "scgi"] },
  );

  behaviour(
    "leaves every other path to the application",
    (req, res) => res.end(req.url),
    async ({ text }) => {
      for (const url of [
        "/",
        "/medi",
        "/mediax/hello.txt",
        "/media.txt",
        "/x/media/hello.txt",
        "/x?/media/",
      ]) {
        expect(await text({ url })).toBe(url);
      }
      expect(await text({ url: "*", method: "OPTIONS" })).toBe("*");
    },
    options,
  );

  behaviour(
    "serves nothing outside its folder, nothing hidden and no list of a folder",
    (_req, res) => res.end("the application's"),
    async (act) => {
      for (const path of TRAVERSALS) {
        const seen = await see(act, { url: `/media/${path}` });
        expect({ path, status: seen.status }).toEqual({ path, status: 404 });
        expect(seen.body.toString()).toBe("404 Not Found\n");
        expect(seen).toEqual(await askPlain(plain, { url: `/media/${path}` }));
      }
      // A NUL in a path: where it cannot be carried, the request is refused before.
      for (const path of ["hello.txt%00", "%00/hello.txt", "hello.txt%00.png"]) {
        expect((await see(act, { url: `/media/${path}` })).status).toBeGreaterThanOrEqual(400);
      }
    },
    options,
  );

  behaviour(
    "answers no Authorizer, whose 200 would let a request pass",
    (_req, res) => {
      res.statusCode = 403;
      res.end();
    },
    async (act) => {
      const question = { url: "/media/hello.txt", role: "authorizer" } as const;
      expect((await see(act, question)).status).toBe(403);
    },
    { ...options, only: ["fastcgi"] },
  );

  behaviour(
    "lets go of a file whose client is gone",
    hello,
    async ({ request, text, stage }) => {
      for await (const _piece of (await request({ url: "/media/big.bin" })).body) break;
      expect(await text({ url: "/media/hello.txt" })).toBe("hello, file\n");
      await until(() => room.openFiles().length === 0);
      expect(stage.errors).toEqual([]);
    },
    options,
  );
});
