/**
 * Bodies, both ways: every size arrives whole, streams flow as fast as the slower side, nothing is held without limit.
 * One of the behaviour suites: over each protocol and engine.
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { pause, readAll, sendSlowly } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";

const MIB = 1_048_576;
/** By these an AJP peer is taken for httpd, which is asked for several packets at once. */
const HTTPD = { REMOTE_PORT: "51234", SERVER_ADDR: "192.0.2.1" };
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("a request body", () => {
  const digest: NodeHandler = async (req, res) => {
    const hash = createHash("sha256");
    let length = 0;
    for await (const chunk of req) {
      hash.update(chunk as Buffer);
      length += (chunk as Buffer).length;
    }
    res.end(`${length} ${hash.digest("hex")} ${req.complete}`);
  };

  for (const size of [0, 1, 8_192, MIB]) {
    behaviour(`of ${size} bytes and known length arrives whole`, digest, async ({ text }) => {
      const body = randomBytes(size);
      expect(await text({ method: "POST", body })).toBe(`${size} ${sha256(body)} true`);
      expect(await text({ method: "POST", body, params: HTTPD })).toBe(
        `${size} ${sha256(body)} true`,
      );
    });
  }

  behaviour("of unknown length arrives whole", digest, async ({ text }) => {
    const pieces = Array.from({ length: 40 }, () => randomBytes(10_007));
    const body = (async function* () {
      for (const piece of pieces) yield piece;
    })();
    const whole = Buffer.concat(pieces);
    expect(await text({ method: "PUT", body })).toBe(`${whole.length} ${sha256(whole)} true`);
  });

  behaviour(
    "of unknown length has node's header for it, without which body parsers see none",
    (req, res) => {
      req.resume();
      const { "transfer-encoding": coding, "content-length": length } = req.headers;
      req.on("end", () => res.end(`${req.method} ${coding} ${length}`));
    },
    async ({ text, protocol }) => {
      const body = async function* () {
        yield Buffer.from("abc");
      };
      // SCGI has no unknown length: a web server waits for the whole body.
      const coding = protocol === "scgi" ? "undefined 3" : "chunked undefined";
      expect(await text({ method: "POST", body: body() })).toBe(`POST ${coding}`);
      expect(await text({ method: "POST", body: "abc" })).toBe("POST undefined 3");
      expect(await text({ method: "POST" })).toBe("POST undefined 0");
      for (const method of ["GET", "DELETE", "OPTIONS"])
        expect(await text({ method })).toBe(`${method} undefined undefined`);
    },
  );

  behaviour(
    "of which nginx says by an empty length that there is none has no header (D-4)",
    (req, res) => res.end(String(req.headers["transfer-encoding"])),
    async ({ text }) => {
      const params = { CONTENT_LENGTH: "" };
      expect(await text({ method: "POST", params })).toBe("undefined");
      const chunked = { ...params, HTTP_TRANSFER_ENCODING: "chunked" };
      expect(await text({ method: "POST", params: chunked })).toBe("chunked");
      expect(await text({ method: "DELETE", params: chunked })).toBe("chunked");
    },
    { only: ["fastcgi"] },
  );

  behaviour("of a GET arrives too", digest, async ({ text }) => {
    expect(await text({ body: "abc" })).toBe(`3 ${sha256(Buffer.from("abc"))} true`);
  });

  behaviour(
    "comes after the handler has run, never before (NH-3)",
    (req, res) => {
      let running = true;
      req.on("data", () => (res.statusCode = running ? 500 : 200));
      req.on("end", () => res.end(running ? "too early" : "in time"));
      running = false;
    },
    async ({ text }) => {
      expect(await text({ method: "POST", body: "abc" })).toBe("in time");
    },
  );

  behaviour(
    "waits for a handler that pauses, held up to the window only",
    {
      make: () => async (req, res) => {
        req.pause();
        await pause(150);
        const held = req.readableLength;
        res.setHeader("X-Held", String(held));
        const body = await readAll(req);
        res.end(String(body.length));
      },
    },
    async ({ request }) => {
      const response = await request({
        method: "POST",
        body: Buffer.alloc(4 * MIB),
        params: HTTPD,
      });
      expect(await response.text()).toBe(String(4 * MIB));
      // The window, and at most one read more.
      expect(Number(response.headers["x-held"])).toBeLessThanOrEqual(262_144 + 65_536);
    },
  );

  behaviour(
    "may be paused and resumed in its middle (req.pause)",
    async (req, res) => {
      let length = 0;
      req.on("data", (chunk: Buffer) => {
        length += chunk.length;
        req.pause();
        setTimeout(() => req.resume(), 1);
      });
      await once(req, "end");
      res.end(String(length));
    },
    async ({ text }) => {
      expect(await text({ method: "POST", body: Buffer.alloc(500_000), params: HTTPD })).toBe(
        "500000",
      );
    },
  );

  behaviour(
    "that nobody reads does not hold up the answer, nor the next request (NH-4, D-1)",
    (req, res) => {
      res.end(req.url);
    },
    async ({ text }) => {
      expect(await text({ method: "POST", url: "/a", body: Buffer.alloc(200_000) })).toBe("/a");
      expect(await text({ url: "/b" })).toBe("/b");
    },
  );

  behaviour(
    "read as text in pieces keeps its characters whole",
    async (req, res) => {
      req.setEncoding("utf8");
      let text = "";
      for await (const piece of req) text += piece;
      res.end(text === "あ".repeat(30_000) ? "whole" : "broken");
    },
    async ({ text }) => {
      expect(await text({ method: "POST", body: "あ".repeat(30_000) })).toBe("whole");
    },
  );
});

describe("a response body", () => {
  for (const size of [0, 1, 8_192, MIB]) {
    const body = randomBytes(size);
    behaviour(
      `of ${size} bytes arrives whole, with its length`,
      (_req, res) => void res.end(body),
      async ({ request }) => {
        const response = await request();
        expect(response.headers["content-length"]).toBe(String(size));
        expect(sha256(await response.buffer())).toBe(sha256(body));
      },
    );
  }

  behaviour(
    "streams as fast as it is taken: write says wait, drain says go",
    {
      make: () => async (_req, res) => {
        const waits = await sendSlowly(res, Buffer.alloc(65_536, "x"), 64);
        if (waits === 0) throw new Error("it never had to wait");
      },
    },
    async ({ request, stage }) => {
      const response = await request();
      await pause(100);
      let length = 0;
      for await (const chunk of response.body) length += chunk.length;
      expect(length).toBe(4 * MIB);
      expect(stage.errors).toEqual([]);
    },
  );

  behaviour(
    "is not made faster than the peer reads (X-7)",
    {
      make: () => {
        let made = 0;
        return async (req, res) => {
          if (req.url === "/made") return void res.end(String(made));
          while (made < 64 * MIB && !res.destroyed) {
            made += 65_536;
            if (!res.write(Buffer.alloc(65_536)))
              await Promise.race([once(res, "drain"), once(res, "close")]);
          }
          res.end();
        };
      },
    },
    async ({ protocol, stage, request }) => {
      const response = await request();
      expect(response.status).toBe(200);
      await pause(150);
      // On a connection of its own: the first one is busy.
      const { request: other } = await import("../../src/client/client.ts");
      const made = Number(
        await (await other({ protocol, address: stage.address, url: "/made" })).text(),
      );
      expect(made).toBeLessThan(8 * MIB);
    },
  );

  behaviour(
    "arrives piece by piece as it is written (B-8)",
    async (_req, res) => {
      for (const piece of ["one", "two", "three"]) {
        res.write(piece);
        await pause(30);
      }
      res.end();
    },
    async ({ request }) => {
      const pieces: string[] = [];
      for await (const piece of (await request()).body) pieces.push(Buffer.from(piece).toString());
      expect(pieces).toEqual(["one", "two", "three"]);
    },
  );

  behaviour(
    "written in one tick leaves together, with the length of all",
    (_req, res) => {
      res.write("one ");
      res.write(Buffer.from("two "));
      res.end("three");
    },
    async ({ request }) => {
      const response = await request();
      expect(response.headers["content-length"]).toBe("13");
      expect(await response.text()).toBe("one two three");
    },
  );

  behaviour(
    "in any encoding that write() takes",
    (_req, res) => {
      res.write("e9e8", "hex");
      res.write("\u00e9", "latin1");
      res.write("aGk=", "base64");
      res.end("\u00e9");
    },
    async ({ request }) => {
      expect((await (await request()).buffer()).toString("hex")).toBe("e9e8e96869c3a9");
    },
  );

  for (const [what, status, method] of [
    ["HEAD", 200, "HEAD"],
    ["204", 204, "GET"],
    ["304", 304, "GET"],
  ] as const) {
    behaviour(
      `of ${what} is left out, whatever is written (R-6, B-56)`,
      (_req, res) => {
        res.statusCode = status;
        res.write("not a ");
        res.end("byte");
      },
      async ({ request }) => {
        for (let i = 0; i < 2; i++) {
          const response = await request({ method });
          expect(response.status).toBe(status);
          expect(await response.text()).toBe("");
        }
      },
    );
  }
});
