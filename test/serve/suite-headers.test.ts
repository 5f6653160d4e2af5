/**
 * Request heads as a handler sees them: what is dropped, joined or refused on the way.
 * One of the behaviour suites: over each protocol and engine. Ids such as H-2 are the classes of mistakes of others.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { echo, echoed } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";

describe("request headers", () => {
  behaviour("have node's names, values and joins", echo, async ({ text }) => {
    const said = echoed({
      body: await text({
        method: "POST",
        url: "/a%20b?q=%41&r=\xe9",
        headers: [
          ["Host", "example.test:8080"],
          ["X-Dup", "1"],
          ["X-Dup", "2"],
          ["Cookie", "a=1"],
          ["Content-Type", "text/x"],
          ["X-Latin1", "caf\xe9"],
          ["Accept-Encoding", "gzip"],
        ],
        body: "abc",
      }),
    });
    expect(said.method).toBe("POST");
    expect(said.url).toBe("/a%20b?q=%41&r=%E9");
    expect(said.headers).toEqual({
      host: "example.test:8080",
      "x-dup": "1, 2",
      cookie: "a=1",
      "content-type": "text/x",
      "content-length": "3",
      "x-latin1": "caf\xe9",
      "accept-encoding": "gzip",
    });
    expect(said.rawHeaders).toContain("Accept-Encoding");
  });

  behaviour("64 of them arrive", echo, async ({ text }) => {
    const headers = Object.fromEntries(
      Array.from({ length: 64 }, (_, i) => [`X-Header-${i}`, `value ${i}`]),
    );
    const said = echoed({ body: await text({ headers }) });
    for (let i = 0; i < 64; i++) expect(said.headers[`x-header-${i}`]).toBe(`value ${i}`);
  });

  behaviour(
    "that belong to the front server's connections never arrive (D-5)",
    echo,
    async ({ text }) => {
      const dropped = {
        Connection: "close",
        "Keep-Alive": "5",
        TE: "gzip",
        Trailer: "x",
        Upgrade: "h2c",
        "Proxy-Connection": "x",
        Expect: "100-continue",
      };
      const said = echoed({ body: await text({ headers: { ...dropped, "X-Kept": "1" } }) });
      expect(Object.keys(said.headers).filter((name) => name !== "host")).toEqual(["x-kept"]);
    },
  );

  behaviour(
    "Proxy is dropped, as header and as variable (CVE-2016-5385, H-1, B-101)",
    (req, res) => {
      const { params } = req.gateway;
      res.end(
        JSON.stringify([
          req.headers["proxy"] ?? null,
          "HTTP_PROXY" in params,
          process.env["HTTP_PROXY"] ?? null,
        ]),
      );
    },
    async ({ text }) => {
      expect(JSON.parse(await text({ headers: { Proxy: "http://evil.test" } }))).toEqual([
        null,
        false,
        null,
      ]);
    },
  );

  behaviour(
    "named like members of every object are only names (H-2)",
    (req, res) => {
      const copy = { ...req.headers };
      res.end(
        JSON.stringify([
          req.headers["constructor"] ?? null,
          Object.getPrototypeOf(copy) === Object.prototype,
          ({} as Record<string, unknown>)["polluted"] ?? null,
          Object.getPrototypeOf(req.gateway.params),
        ]),
      );
    },
    async ({ text }) => {
      const headers = {
        __proto__x: "1",
        constructor: "mine",
        hasOwnProperty: "2",
        toString: "3",
        ["__proto__"]: "polluted",
      };
      expect(JSON.parse(await text({ headers: Object.entries(headers) }))).toEqual([
        "mine",
        true,
        null,
        null,
      ]);
    },
  );

  behaviour(
    "two different hosts are 400, two equal ones are one (H-3)",
    echo,
    async ({ request, protocol }) => {
      const twice =
        protocol === "ajp"
          ? ([
              ["Host", "a.test"],
              ["Host", "b.test"],
            ] as const)
          : ([["Host", "a.test, b.test"]] as const);
      if (protocol === "ajp") expect((await request({ headers: twice })).status).toBe(400);
      else expect((await request({ headers: twice })).status).toBe(200);
    },
  );

  behaviour(
    "named Remote-User say nothing about the user (H-4)",
    (req, res) => res.end(String(req.gateway.remoteUser)),
    async ({ text }) => {
      expect(await text({ headers: { "Remote-User": "root" } })).toBe("undefined");
    },
  );
});

describe("req.url", () => {
  const url: NodeHandler = (req, res) => res.end(req.url);

  behaviour("is the target as the client sent it", url, async ({ text }) => {
    for (const target of ["/", "/a//b/../c", "/%E3%81%82?x=%2F&y", "/a;b=c?d", "/?"]) {
      // AJP carries path and query apart, and an empty query is none there.
      const seen = await text({ url: target });
      if (target === "/?") expect(["/", "/?"]).toContain(seen);
      else expect(seen).toBe(target);
    }
  });

  behaviour(
    "loses the mount prefix with stripScriptName only",
    (req, res) => {
      res.end([req.url, req.gateway.scriptName, req.gateway.pathInfo].join(" "));
    },
    async ({ text }) => {
      expect(await text({ url: "/app/a%20b?x" })).toBe("/a%20b?x /app /a b");
      expect(await text({ url: "/app" })).toBe("/ /app ");
      expect(await text({ url: "/other" })).toBe("/other /app /other");
    },
    { scriptName: "/app", stripScriptName: true },
  );
});
