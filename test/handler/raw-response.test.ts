/**
 * Raw responses on the socket of an upgrade, in every cut: the same head and the same bytes however they are written.
 * What becomes of them on the wire is test/serve/suite-upgrade-refusals.test.ts.
 */
import { describe, expect, test } from "vitest";
import { RawResponse } from "../../src/handler/node/raw-response.ts";

const HEAD = "HTTP/1.1 403 No\r\nX-One:  1 \r\nConnection: close\r\n";

interface Read {
  readonly head: unknown;
  readonly body: string;
  readonly complete: boolean;
}

/** Writes pieces, then ends. */
function read(...pieces: readonly string[]): Read {
  const response = new RawResponse((status) => status === 304);
  const body: Buffer[] = [];
  for (const piece of pieces) body.push(...response.take(Buffer.from(piece, "latin1")));
  body.push(...response.finish());
  const { head, complete } = response;
  const text = Buffer.concat(body).toString("latin1");
  const seen = head && { status: head.status, reason: head.reason, fields: head.fields };
  return { head: seen, body: text, complete };
}

const COMPLETE = { head: { status: 403, reason: "No", fields: ["X-One", "1"] }, complete: true };
const LENGTH_3 = ["X-One", "1", "Content-Length", "3"];

/** What is written, and what it is. */
const CASES: readonly (readonly [string, string, Read])[] = [
  [
    "a body of a length",
    `${HEAD}Content-Length: 3\r\n\r\nabc`,
    {
      ...COMPLETE,
      head: { ...COMPLETE.head, fields: LENGTH_3 },
      body: "abc",
    },
  ],
  [
    "more bytes than its length",
    `${HEAD}Content-Length: 3\r\n\r\nabcdef`,
    {
      ...COMPLETE,
      head: { ...COMPLETE.head, fields: LENGTH_3 },
      body: "abc",
    },
  ],
  ["a body that a close ends", `${HEAD}\r\nabc\r\n\r\n`, { ...COMPLETE, body: "abc\r\n\r\n" }],
  [
    "chunks",
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A;x="y"\r\n0123456789\r\n0\r\n\r\n`,
    {
      ...COMPLETE,
      body: "abc0123456789",
    },
  ],
  [
    "chunks with trailers, and bytes behind",
    `${HEAD}transfer-encoding: gzip, Chunked\r\n\r\n1\r\na\r\n0\r\nX: 1\r\n\r\nHTTP/1.1`,
    {
      ...COMPLETE,
      body: "a",
    },
  ],
  [
    "chunks that are none, one line",
    `${HEAD}Transfer-Encoding: chunked\r\n\r\nplain`,
    {
      ...COMPLETE,
      body: "plain",
    },
  ],
  [
    "chunks that are none, two lines",
    `${HEAD}Transfer-Encoding: chunked\r\n\r\nplain\nabc\r\n`,
    {
      ...COMPLETE,
      body: "plain\nabc\r\n",
    },
  ],
  [
    "an informational answer before it",
    `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${HEAD}\r\nabc`,
    {
      ...COMPLETE,
      body: "abc",
    },
  ],
  [
    "no reason",
    "HTTP/1.1 404\r\n\r\n",
    {
      head: { status: 404, reason: "Not Found", fields: [] },
      body: "",
      complete: true,
    },
  ],
  [
    "no body by its status",
    "HTTP/1.0 304 Same\r\nContent-Length: 9\r\n\r\n",
    {
      head: { status: 304, reason: "Same", fields: ["Content-Length", "9"] },
      body: "",
      complete: true,
    },
  ],
  [
    "too few bytes",
    `${HEAD}Content-Length: 3\r\n\r\nab`,
    {
      head: { ...COMPLETE.head, fields: LENGTH_3 },
      body: "ab",
      complete: false,
    },
  ],
  [
    "chunks without their end",
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
    {
      ...COMPLETE,
      body: "abc",
      complete: false,
    },
  ],
  [
    "an accepted upgrade",
    "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nContent-Length: 3\r\nupgrade: x\r\nA: b\r\n\r\nraw\r\n\r\n",
    {
      head: {
        status: 101,
        reason: "Go",
        fields: ["Connection", "Upgrade", "upgrade", "x", "A", "b"],
      },
      body: "raw\r\n\r\n",
      complete: false,
    },
  ],
];

describe("a raw response", () => {
  for (const [what, text, expected] of CASES) {
    test(`${what}: the same in every cut`, () => {
      expect(read(text)).toEqual(expected);
      expect(read(...text)).toEqual(expected);
      for (let at = 1; at < text.length; at++) {
        expect(read(text.slice(0, at), text.slice(at))).toEqual(expected);
      }
    });
  }

  test.for([
    ["no status line", "GET / HTTP/1.1\r\n\r\n"],
    ["another version", "HTTP/2 101 x\r\n\r\n"],
    ["a status that is none", "HTTP/1.1 1o1 x\r\n\r\n"],
    ["a line that is no field", "HTTP/1.1 400 x\r\nno field\r\n\r\n"],
    ["a name that is empty", "HTTP/1.1 400 x\r\n: a\r\n\r\n"],
    ["a head without end", `HTTP/1.1 400 x\r\n${"X-A: b\r\n".repeat(9_000)}`],
  ])("%s: is a mistake that names what to write (RFC 9112 §4)", ([, text]) => {
    expect(() => read(text!)).toThrow(/write `HTTP\/1.1 101 Switching Protocols`/);
  });

  test("a chunk without a size, after good ones, is an error (RFC 9112 §7.1)", () => {
    const text = `${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n`;
    expect(() => read(text)).toThrow("no size");
  });
});
