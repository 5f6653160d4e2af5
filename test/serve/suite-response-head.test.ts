/**
 * Response heads as a handler sets them and a client gets them: what is dropped, joined or refused on the way.
 * One of the behaviour suites: over each protocol and engine. Ids such as H-2 are the classes of mistakes of others.
 */
import { describe, expect } from "vitest";
import { behaviour } from "../support/behaviour-suite.ts";

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
    "of a status that nobody knows has node's word for it",
    (_req, res) => {
      res.writeHead(299);
      res.end();
    },
    async ({ request }) => {
      const { status, reason } = await request();
      expect([status, reason]).toEqual([299, "unknown"]);
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
        () => res.writeHead(200, ["X-A"]),
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
        [
          ...[char, "ERR_INVALID_HTTP_TOKEN", char, char, char, char],
          ...["ERR_INVALID_ARG_VALUE", char],
        ].join(),
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
