/**
 * Answers that a handler gets wrong, or that a front server could: bodies against their length, odd values, types that
 * are not set (reliability, B-2, B-3, B-9, B-83, B-105, B-108).
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { behaviour } from "../support/behaviour-suite.ts";
import { transcript } from "../support/transcript.ts";
import { headerOf } from "../support/transcript-answers.ts";
import {
  bodyPacket,
  fastcgiRequest,
  forwardRequest,
  scgiRequest,
} from "../support/transcript-frames.ts";

const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;
const get = (protocol: (typeof PROTOCOLS)[number], method = "GET", uri = "/"): Buffer => {
  const variables = { REQUEST_METHOD: method, REQUEST_URI: uri };
  if (protocol === "ajp") return forwardRequest({ method: method === "HEAD" ? 3 : 2, uri });
  if (protocol === "scgi") return scgiRequest({ params: variables });
  return fastcgiRequest({ params: variables });
};

/** Declared length, written bytes; whether all of it is known when the head leaves, or written in two pieces. */
const writes =
  (declared: number, written: number, streamed: boolean): NodeHandler =>
  (_req, res) => {
    res.setHeader("Content-Length", String(declared));
    if (!streamed) return void res.end("x".repeat(written));
    res.flushHeaders();
    if (written > 0) res.write("x".repeat(written));
    res.end();
  };

describe.each(PROTOCOLS)("over %s, a declared length", (protocol) => {
  for (const [declared, written] of [
    [8, 8],
    [8, 22],
    [0, 9],
  ] as const) {
    for (const streamed of [false, true]) {
      transcript(
        `of ${declared} with ${written} bytes${streamed ? ", streamed" : ""}: never more than declared (B-9, R-6)`,
        { protocol, handler: writes(declared, written, streamed) },
        async ({ peer }) => {
          peer.sends(get(protocol));
          const answer = await peer.answer();
          expect(answer).toMatchObject({ status: 200, body: "x".repeat(declared) });
          expect(headerOf(answer, "content-length")).toBe(String(declared));
        },
      );
    }
  }

  for (const written of [0, 28]) {
    transcript(
      `of 100 with ${written} bytes, streamed: the connection is reset, never ended (B-9, R-6)`,
      () => ({
        protocol,
        transport: "tcp",
        ...(protocol === "ajp" ? { ajp: { secret: "sixteen bytes and more" } } : {}),
        handler: (_req, res) => {
          res.setHeader("Content-Length", "100");
          res.flushHeaders();
          if (written > 0) res.write("x".repeat(written));
          // Data and reset would meet: libuv tells a client of the first alone.
          setTimeout(() => res.end(), 30);
        },
      }),
      async ({ peer }) => {
        const secret = "sixteen bytes and more";
        peer.sends(protocol === "ajp" ? forwardRequest({ secret }) : get(protocol));
        await peer.readSome();
        await peer.expectsReset();
      },
    );
  }

  for (const [declared, written] of [
    [8, 8],
    [8, 0],
    [100, 28],
    [0, 9],
  ] as const) {
    transcript(
      `of ${declared} with ${written} bytes for HEAD: the head alone, and no failure (B-3, B-9, R-6)`,
      { protocol, handler: writes(declared, written, false) },
      async ({ peer, errors }) => {
        peer.sends(get(protocol, "HEAD"));
        const answer = await peer.answer();
        expect(answer).toMatchObject({ status: 200, body: "" });
        expect(headerOf(answer, "content-length")).toBe(String(declared));
        expect(errors).toEqual([]);
      },
    );
  }
});

describe("a type that the handler does not set", () => {
  const bodies: Readonly<Record<string, string>> = {
    "/empty": "",
    "/html": "<!DOCTYPE html><html><body>x</body></html>",
    "/text": "only text",
    "/jpeg": "\xff\xd8\xff\xe0\0\x10JFIF",
  };
  for (const protocol of PROTOCOLS) {
    transcript(
      `is not guessed over ${protocol}, whatever the body looks like (B-83, R-7)`,
      { protocol, handler: (req, res) => res.end(bodies[req.url!], "latin1") },
      async ({ connect }) => {
        for (const [uri, body] of Object.entries(bodies)) {
          const peer = await connect();
          peer.sends(get(protocol, "GET", uri));
          const answer = await peer.answer();
          expect(answer.body).toBe(body);
          expect(headerOf(answer, "content-type")).toBeUndefined();
        }
      },
    );
  }
});

behaviour(
  "a status is written beside any Location, relative or not (R-3, B-2)",
  (req, res) => {
    const [, status, where] = /^\/(\d+)\/(.*)$/.exec(req.url!)!;
    res.writeHead(Number(status), { Location: where === "far" ? "http://b.test/x" : "/near" });
    res.end("body");
  },
  async ({ request }) => {
    for (const status of [200, 201, 301, 302, 303, 307]) {
      for (const where of ["far", "near"]) {
        const response = await request({ url: `/${status}/${where}` });
        expect(response.status).toBe(status);
        expect(response.headers["location"]).toBe(where === "far" ? "http://b.test/x" : "/near");
        expect(await response.text()).toBe("body");
      }
    }
  },
);

behaviour(
  "X-Accel-Redirect and X-Sendfile are the handler's own to set, and pass unchanged (R-4)",
  (_req, res) => {
    res.setHeader("X-Accel-Redirect", "/internal/x");
    res.setHeader("X-Sendfile", "/srv/x");
    res.end();
  },
  async ({ request }) => {
    const { headers } = await request();
    expect([headers["x-accel-redirect"], headers["x-sendfile"]]).toEqual(["/internal/x", "/srv/x"]);
  },
);

behaviour(
  "no header of a request makes us serve a file (R-4)",
  (_req, res) => res.end("mine"),
  async ({ request }) => {
    const headers = { "X-Accel-Redirect": "/x", "X-Sendfile": "/etc/passwd", Range: "bytes=0-1" };
    const response = await request({ headers });
    expect([response.status, await response.text()]).toEqual([200, "mine"]);
    expect(Object.keys(response.headers)).toEqual(["content-length"]);
  },
);

behaviour(
  "blanks and tabs around a value arrive, but for those that HTTP trims; a line feed is refused (B-105, R-1)",
  (_req, res) => {
    let code = "none";
    try {
      res.setHeader("X-Bad", "a\nb");
    } catch (error) {
      code = (error as { code: string }).code;
    }
    res.setHeader("X-Before", " \tvalue");
    res.setHeader("X-After", "value \t");
    res.setHeader("X-Inside", "a \t b");
    res.end(code);
  },
  async ({ request }) => {
    const response = await request();
    const { headers } = response;
    const trimmed = ["x-before", "x-after", "x-inside"].map((name) => String(headers[name]).trim());
    expect(trimmed).toEqual(["value", "value", "a \t b"]);
    expect(headers["x-bad"]).toBeUndefined();
    expect(await response.text()).toBe("ERR_INVALID_CHAR");
  },
);

describe("an answer while an upload is under way", () => {
  for (const protocol of PROTOCOLS) {
    transcript(
      `begins with our head, and nothing of the upload is in it, over ${protocol} (B-108, B-17, B-21)`,
      { protocol, handler: (req, res) => void req.pipe(res) },
      async ({ peer }) => {
        const body = "HTTP/1.1 200 OK\r\n\r\nBAD";
        const uploads = {
          fastcgi: fastcgiRequest({ body }),
          scgi: scgiRequest({ body }),
          ajp: Buffer.concat([
            forwardRequest({ method: 4, headers: { "Content-Length": String(body.length) } }),
            bodyPacket(body),
          ]),
        };
        peer.sends(uploads[protocol]);
        expect(await peer.answer()).toMatchObject({ status: 200, body });
      },
    );
  }
});
