/**
 * CONTENT_LENGTH against the bytes that come, and the fields about it that never arrive (reliability D-4, D-5, D-7).
 * FastCGI and SCGI; AJP's lengths are in ajp-smuggling.test.ts and ajp-hostile.test.ts.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { echo, echoed, Latch } from "../support/behaviour.ts";
import { transcript } from "../support/transcript.ts";
import {
  begin,
  netstring,
  params,
  record,
  stdin,
  Type,
  USUAL,
} from "../support/transcript-frames.ts";

/** Head of a request with this CONTENT_LENGTH; further variables behind it. */
function headOf(
  protocol: "fastcgi" | "scgi",
  length: string | undefined,
  more: Readonly<Record<string, string>> = {},
): Buffer {
  const given = length === undefined ? {} : { CONTENT_LENGTH: length };
  const variables = { ...given, SCGI: "1", ...USUAL, REQUEST_METHOD: "POST", ...more };
  if (protocol === "scgi") return netstring(variables);
  return Buffer.concat([begin(1, { keep: true }), params(1, variables)]);
}

describe.each(["fastcgi", "scgi"] as const)("over %s, CONTENT_LENGTH", (protocol) => {
  const body = (text: string): Buffer =>
    protocol === "scgi" ? Buffer.from(text) : record({ type: Type.STDIN, content: text });
  const bodyEnd = protocol === "scgi" ? "" : record({ type: Type.STDIN });

  for (const length of [
    "+5",
    "5 ",
    " 5",
    "5,5",
    "0x5",
    "5\n",
    "5.0",
    "5e0",
    "٥",
    "--5",
    "9007199254740992",
    "9223372036854775808",
    "18446744073709551621",
  ]) {
    transcript(
      `${JSON.stringify(length)} is a whole 400, and no handler is called (D-4)`,
      { protocol, handler: () => expect.unreachable() },
      async ({ peer }) => {
        const latin1 = Buffer.from(length, "utf8").toString("latin1");
        peer.sends(headOf(protocol, latin1), body("hello"), bodyEnd);
        expect(await peer.answer()).toMatchObject({ status: 400 });
        await peer.expectsClose();
      },
    );
  }

  transcript(
    "is what a handler reads: bytes beyond it are dropped (D-4)",
    { protocol, handler: echo },
    async ({ peer }) => {
      peer.sends(headOf(protocol, "5"), body("hello"), body(" and more"), bodyEnd);
      expect(echoed(await peer.answer()).body).toBe("hello");
    },
  );

  let failed = new Latch<string>();
  transcript(
    "that promises more than comes fails the body, which never just ends (D-4, S-6)",
    () => {
      failed = new Latch();
      const handler: NodeHandler = async (req, res) => {
        let seen = 0;
        try {
          for await (const chunk of req) seen += (chunk as Buffer).length;
          failed.open("ended");
        } catch {
          failed.open(`failed after ${seen}`);
        }
        res.end();
      };
      return { protocol, handler };
    },
    async ({ peer }) => {
      peer.sends(headOf(protocol, "9"), body("hello"), bodyEnd);
      if (protocol === "scgi") peer.end();
      expect(await failed.opened).toBe("failed after 5");
    },
  );

  transcript(
    "alone says how long a body is: copies, codings and hop-by-hop fields never arrive (D-5)",
    { protocol, handler: echo },
    async ({ peer }) => {
      const more = {
        HTTP_CONTENT_LENGTH: "99",
        HTTP_CONTENT_TYPE: "text/evil",
        HTTP_TRANSFER_ENCODING: "chunked",
        HTTP_CONNECTION: "keep-alive",
        HTTP_KEEP_ALIVE: "5",
        HTTP_TE: "trailers",
        HTTP_TRAILER: "X-A",
        HTTP_UPGRADE: "",
        CONTENT_TYPE: "text/plain",
      };
      peer.sends(headOf(protocol, "5", more), body("hello"), bodyEnd);
      const said = echoed(await peer.answer());
      expect(said.body).toBe("hello");
      expect(said.headers).toEqual({
        host: "example.test",
        "content-length": "5",
        "content-type": "text/plain",
      });
    },
  );

  transcript(
    "knows no trailers: what follows a body, and a variable of that name, is no header (D-7)",
    {
      protocol,
      handler: async (req, res) => {
        for await (const _chunk of req);
        res.end(JSON.stringify([req.trailers, req.rawTrailers, Object.keys(req.headers)]));
      },
    },
    async ({ peer }) => {
      const more = { HTTP_TRAILER: "X-Late", TRAILER_X_LATE: "1" };
      peer.sends(
        headOf(protocol, "5", more),
        body("hello"),
        body("\r\nX-Late: 1\r\n\r\n"),
        bodyEnd,
      );
      expect(JSON.parse((await peer.answer()).body)).toEqual([{}, [], ["host", "content-length"]]);
    },
  );
});

transcript(
  "an empty CONTENT_LENGTH over FastCGI is none: the body ends with its record (D-4, B-14)",
  { handler: echo },
  async ({ peer }) => {
    peer.sends(headOf("fastcgi", ""), stdin(1, "of any length"));
    expect(echoed(await peer.answer()).body).toBe("of any length");
    peer.sends(headOf("fastcgi", ""), stdin(1, ""));
    expect(echoed(await peer.answer()).body).toBe("");
  },
);
