/**
 * Heads that no handler may see: each is answered with its status, and its connection ends.
 * The same mistakes over FastCGI, SCGI and AJP; which codes they have is for test/protocols/.
 */
import { describe, expect } from "vitest";
import type { FramedProtocol } from "../../support/transcript.ts";
import { transcript } from "../../support/transcript.ts";
import {
  begin,
  forwardRequest,
  listOf,
  netstring,
  type Pairs,
  params,
  stdin,
} from "../../support/transcript-frames.ts";

interface Mistake {
  readonly what: string;
  readonly cgi: Pairs;
  readonly ajp: Parameters<typeof forwardRequest>[0];
}

const usual = (...more: readonly (readonly [string, string])[]): Pairs => [
  ["REQUEST_METHOD", "GET"],
  ["REQUEST_URI", "/"],
  ...more,
];

const MISTAKES: readonly Mistake[] = [
  {
    what: "a method that is no token",
    cgi: [
      ["REQUEST_METHOD", "GE T"],
      ["REQUEST_URI", "/"],
    ],
    ajp: { method: 255, storedMethod: "GE T" },
  },
  {
    what: "a target that is neither path, URI nor *",
    cgi: [
      ["REQUEST_METHOD", "GET"],
      ["REQUEST_URI", "a"],
    ],
    ajp: { uri: "a" },
  },
  {
    // Found by the fuzzer of fields (reliability Z4): over AJP the query comes apart from the target.
    what: "a target of * with a query",
    cgi: [
      ["REQUEST_METHOD", "OPTIONS"],
      ["REQUEST_URI", "*?a=b"],
    ],
    ajp: { method: 1, uri: "*", query: "a=b" },
  },
  {
    what: "CR LF in a header",
    cgi: usual(["HTTP_X_A", "1\r\nX-B: 2"]),
    ajp: { headers: { Host: "a.test", "X-A": "1\r\nX-B: 2" } },
  },
  {
    what: "CR LF in the host of an absolute target",
    cgi: [
      ["REQUEST_METHOD", "GET"],
      ["REQUEST_URI", "http://a.test\r\nX-B: 2/"],
    ],
    ajp: { uri: "http://a.test\r\nX-B: 2/" },
  },
  {
    what: "two different hosts",
    cgi: usual(["HTTP_HOST", "a.test"], ["HTTP_HOST", "b.test"]),
    ajp: {
      headers: [
        ["Host", "a.test"],
        ["Host", "b.test"],
      ],
    },
  },
];

function bytesOf(protocol: FramedProtocol, mistake: Mistake): Buffer {
  if (protocol === "ajp") return forwardRequest(mistake.ajp);
  if (protocol === "scgi")
    return netstring([["CONTENT_LENGTH", "0"], ["SCGI", "1"], ...listOf(mistake.cgi)]);
  return Buffer.concat([begin(1, { keep: true }), params(1, mistake.cgi), stdin(1)]);
}

describe.each(["fastcgi", "scgi", "ajp"] as const)("over %s", (protocol) => {
  for (const mistake of MISTAKES) {
    let calls = 0;
    transcript(
      `${mistake.what} is refused, and no handler is called`,
      {
        protocol,
        handler: (_req, res) => {
          calls++;
          res.end();
        },
      },
      async ({ peer }) => {
        peer.sends(bytesOf(protocol, mistake));
        expect(await peer.answer()).toMatchObject({ status: 400, body: "400 Bad Request\n" });
        await peer.expectsClose();
        expect(calls).toBe(0);
      },
    );
  }
});
