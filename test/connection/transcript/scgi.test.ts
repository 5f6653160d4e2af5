/**
 * SCGI spoken to serve(): heads that are wrong in every way, bodies that are too long or too short.
 * Ids such as S-3 are the classes of mistakes that others made here.
 */
import { describe, expect } from "vitest";
import { ERRORS } from "../../../src/errors.ts";
import { echo, echoed, hello } from "../../support/behaviour.ts";
import { transcript } from "../../support/transcript.ts";
import { netstring, scgiRequest, USUAL } from "../../support/transcript-frames.ts";

const protocol = "scgi";

describe("a request", () => {
  transcript(
    "is answered with Status first, then the body, then a close (S-1)",
    {
      protocol,
      handler: (_req, res) => {
        res.writeHead(303, { Location: "/b" }).end("see");
      },
    },
    async ({ peer }) => {
      peer.sends(scgiRequest());
      expect((await peer.readToEnd()).toString("latin1")).toBe(
        "Status: 303 See Other\r\nLocation: /b\r\nContent-Length: 3\r\n\r\nsee",
      );
      await peer.expectsClose();
    },
  );

  transcript(
    "with a body is read to its CONTENT_LENGTH, and what follows is nobody's (S-4)",
    { protocol, handler: echo },
    async ({ peer }) => {
      peer.sends(scgiRequest({ body: "hello" }), scgiRequest({ body: "smuggled" }));
      expect(echoed(await peer.answer()).body).toBe("hello");
      await peer.expectsClose();
    },
  );

  transcript(
    "may repeat a header: joined as HTTP joins (S-3)",
    { protocol, handler: echo },
    async ({ peer }) => {
      peer.sends(
        netstring([
          ["CONTENT_LENGTH", "0"],
          ["SCGI", "1"],
          ...Object.entries(USUAL),
          ["HTTP_COOKIE", "a=1"],
          ["HTTP_COOKIE", "b=2"],
          ["HTTP_X_FORWARDED_FOR", "192.0.2.1"],
          ["HTTP_X_FORWARDED_FOR", "192.0.2.2"],
        ]),
      );
      expect(echoed(await peer.answer()).headers).toMatchObject({
        cookie: "a=1; b=2",
        "x-forwarded-for": "192.0.2.1, 192.0.2.2",
      });
    },
  );
});

describe("a refusal", () => {
  const refused: [string, string, keyof typeof ERRORS][] = [
    ["a length with a sign", "+5:", "SCGI_LENGTH"],
    ["a length with a leading zero", "05:", "SCGI_LENGTH"],
    ["no comma", "17:CONTENT_LENGTH\x000\0;", "SCGI_COMMA"],
    ["a name without a value", "20:CONTENT_LENGTH\x000\0AB\0,", "SCGI_HEADERS"],
    ["no CONTENT_LENGTH", "7:SCGI\x001\0,", "CONTENT_LENGTH"],
    [
      "two methods",
      netstring([
        ["CONTENT_LENGTH", "0"],
        ...Object.entries(USUAL),
        ["REQUEST_METHOD", "PUT"],
      ]).toString("latin1"),
      "FIELD_CONFLICT",
    ],
    ["no method", netstring({ CONTENT_LENGTH: "0", SCGI: "1" }).toString("latin1"), "METHOD"],
    [
      "two hosts",
      netstring([
        ["CONTENT_LENGTH", "0"],
        ...Object.entries(USUAL),
        ["HTTP_HOST", "other.test"],
      ]).toString("latin1"),
      "FIELD_CONFLICT",
    ],
    [
      "a line break in a header",
      scgiRequest({ params: { HTTP_X_A: "a\nb" } }).toString("latin1"),
      "FIELD_VALUE",
    ],
    [
      "a target that is none",
      scgiRequest({ params: { REQUEST_URI: "no-slash" } }).toString("latin1"),
      "TARGET",
    ],
  ];
  for (const [what, bytes, name] of refused) {
    transcript(
      `is a whole 400, then a close: ${what} (S-3)`,
      { protocol, handler: hello },
      async ({ peer }) => {
        expect(ERRORS[name].status).toBe(400);
        peer.sends(bytes);
        expect(await peer.answer()).toMatchObject({ status: 400, body: "400 Bad Request\n" });
        await peer.expectsClose();
      },
    );
  }

  const large: [string, object, Buffer, number][] = [
    ["head bytes", { headBytes: 1_000 }, Buffer.from("1001:"), ERRORS.LIMIT_HEAD_BYTES.status],
    ["fields", { fieldCount: 5 }, scgiRequest(), ERRORS.LIMIT_FIELD_COUNT.status],
    ["a name", { nameBytes: 14 }, scgiRequest(), ERRORS.LIMIT_NAME_BYTES.status],
    ["a value", { valueBytes: 11 }, scgiRequest(), ERRORS.LIMIT_VALUE_BYTES.status],
    ["a body", { bodyBytes: 4 }, scgiRequest({ body: "hello" }), ERRORS.LIMIT_BODY_BYTES.status],
  ];
  for (const [what, limits, bytes, status] of large) {
    transcript(
      `is a ${status} for too large ${what}`,
      { protocol, handler: hello, limits },
      async ({ peer }) => {
        peer.sends(bytes);
        expect(await peer.answer()).toMatchObject({ status });
        await peer.expectsClose();
      },
    );
  }

  transcript(
    "follows the specification to the letter with scgi.strict",
    { protocol, handler: hello, scgi: { strict: true } },
    async ({ peer, connect }) => {
      expect(ERRORS.SCGI_STRICT.status).toBe(400);
      peer.sends(netstring({ SCGI: "1", CONTENT_LENGTH: "0", ...USUAL }));
      expect(await peer.answer()).toMatchObject({ status: 400 });
      const other = await connect();
      other.sends(scgiRequest());
      expect(await other.answer()).toMatchObject({ status: 200 });
    },
  );
});
