/**
 * Request and response heads as a handler sees and sets them; what is dropped, joined or refused on the way.
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
    "Proxy is dropped, as header and as variable (CVE-2016-5385)",
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
    "two different hosts are 400, two equal ones are one",
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

describe("a response head", () => {
  behaviour(
    "carries status, reason, repeated headers and latin1 bytes (NH-24)",
    (_req, res) => {
      res.statusCode = 418;
      res.statusMessage = "Short and stout";
      res.setHeader("X-One", "1");
      res.setHeader("Set-Cookie", ["a=1", "b=2"]);
      res.appendHeader("X-Many", "1");
      res.appendHeader("X-Many", "2");
      res.setHeader("X-Latin1", "caf\xe9");
      res.end();
    },
    async ({ request }) => {
      const response = await request();
      expect([response.status, response.reason]).toEqual([418, "Short and stout"]);
      expect(response.headers).toMatchObject({
        "x-one": "1",
        "set-cookie": ["a=1", "b=2"],
        "x-many": "1, 2",
        "x-latin1": "caf\xe9",
      });
    },
  );

  behaviour(
    "may be given to writeHead in each of its forms",
    (req, res) => {
      if (req.url === "/object")
        res.writeHead(201, "Made", { "X-A": "1", "Set-Cookie": ["a", "b"] });
      else if (req.url === "/flat")
        res.writeHead(201, "Made", ["X-A", "1", "Set-Cookie", "a", "Set-Cookie", "b"]);
      else if (req.url === "/over")
        res
          .setHeader("X-A", "0")
          .setHeader("Set-Cookie", ["a", "b"])
          .writeHead(201, "Made", { "x-a": "1" });
      res.end("whole");
    },
    async ({ request }) => {
      for (const url of ["/object", "/flat", "/over"]) {
        const response = await request({ url });
        expect([
          response.status,
          response.reason,
          response.headers["x-a"],
          response.headers["set-cookie"],
        ]).toEqual([201, "Made", "1", ["a", "b"]]);
        expect(response.headers["content-length"]).toBe("5");
        await response.text();
      }
    },
  );

  behaviour(
    "has no field of the connection, no Status, no Variable- of a responder (R-2, R-5)",
    (_req, res) => {
      const dropped = [
        "Connection",
        "Keep-Alive",
        "Transfer-Encoding",
        "Upgrade",
        "Trailer",
        "TE",
        "Status",
        "Script-Control",
        "Variable-X",
      ];
      for (const name of dropped)
        res.setHeader(name, name === "Transfer-Encoding" ? "chunked" : "500 x");
      res.setHeader("X-Kept", "1");
      res.end("hi");
    },
    async ({ request }) => {
      const response = await request();
      expect(response.status).toBe(200);
      expect(Object.keys(response.headers).sort()).toEqual(["content-length", "x-kept"]);
      expect(await response.text()).toBe("hi");
    },
  );

  behaviour(
    "refuses line breaks and other impossible values as node does (R-1)",
    (_req, res) => {
      const codes: unknown[] = [];
      const tries: (() => unknown)[] = [
        () => res.setHeader("X-A", "a\r\nb"),
        () => res.setHeader("X A", "1"),
        () => res.appendHeader("X-A", "a\0"),
        () => res.setHeader("X-A", "\u0100"),
        () => res.writeHead(200, { "X-A": "a\nb" }),
        () => res.writeHead(200, ["X-A", "a\nb"]),
        () => res.writeHead(200, "O\nK"),
      ];
      for (const attempt of tries) {
        try {
          attempt();
          codes.push("none");
        } catch (error) {
          codes.push((error as { code: string }).code);
        }
      }
      res.statusMessage = "OK";
      res.end(codes.join());
    },
    async ({ text }) => {
      const char = "ERR_INVALID_CHAR";
      expect(await text()).toBe(
        [char, "ERR_INVALID_HTTP_TOKEN", char, char, char, char, char].join(),
      );
    },
  );

  behaviour(
    "leaves with flushHeaders, before any body",
    (_req, res) => {
      res.setHeader("X-A", "1");
      res.flushHeaders();
      setTimeout(() => res.end("later"), 50);
    },
    async ({ request }) => {
      const response = await request();
      expect(response.headers["x-a"]).toBe("1");
      expect(await response.text()).toBe("later");
    },
  );

  behaviour(
    "is final: 1xx responses are swallowed, their callbacks called (NH-9, R-9)",
    async (_req, res) => {
      res.writeContinue();
      res.writeProcessing();
      await new Promise<void>((resolve) =>
        res.writeEarlyHints({ link: "</a.css>; rel=preload" }, resolve),
      );
      res.end("final");
    },
    async ({ request }) => {
      const response = await request();
      expect([response.status, await response.text()]).toEqual([200, "final"]);
    },
  );

  behaviour(
    "with a status below 200 is the handler's mistake: 500",
    (_req, res) => {
      res.writeHead(103);
      res.end();
    },
    async ({ request, stage }) => {
      expect((await request()).status).toBe(500);
      expect(String(stage.errors[0])).toContain("103");
    },
  );

  behaviour(
    "has no Date and no Content-Type that nobody set (R-7)",
    (_req, res) => res.end("hi"),
    async ({ request }) => {
      expect(Object.keys((await request()).headers)).toEqual(["content-length"]);
    },
  );

  behaviour(
    "without the length that its handler took away",
    (_req, res) => {
      res.removeHeader("Content-Length");
      res.end("hi");
    },
    async ({ request }) => {
      const response = await request();
      expect(response.headers["content-length"]).toBeUndefined();
      expect(await response.text()).toBe("hi");
    },
  );
});
