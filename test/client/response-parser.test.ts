/** Response heads as applications write them, whole and cut at every byte. */
import { describe, expect, test } from "vitest";
import { ResponseParser } from "../../src/client/response-parser.ts";

/** Parses `text` in pieces of `size` bytes; the head and what stands behind it. */
function parse(text: string, size: number) {
  const parser = new ResponseParser();
  const bytes = Buffer.from(text, "latin1");
  let rest = "";
  for (let i = 0; i < bytes.length; i += size) {
    const piece = bytes.subarray(i, i + size);
    if (parser.head !== undefined) rest += piece.toString("latin1");
    else rest += Buffer.from(parser.push(piece) ?? []).toString("latin1");
  }
  return { head: parser.head, rest };
}

const heads: [string, string, object][] = [
  [
    "CRLF, Status first",
    "Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nbody\r\n\r\n",
    { status: 404, reason: "Not Found", rawHeaders: ["Content-Type", "text/plain"] },
  ],
  [
    "LF alone, Status last",
    "Content-Type: text/plain\nstatus:201 Made\n\nbody\r\n\r\n",
    { status: 201, reason: "Made", rawHeaders: ["Content-Type", "text/plain"] },
  ],
  [
    "both line ends mixed, repeated names kept apart",
    "Set-Cookie: a=1\nSet-Cookie: b=2\r\n\nbody\r\n\r\n",
    { status: 200, reason: "OK", rawHeaders: ["Set-Cookie", "a=1", "Set-Cookie", "b=2"] },
  ],
  [
    "HTTP status line",
    "HTTP/1.1 503 Later\r\nRetry-After: 1\r\n\r\nbody\r\n\r\n",
    { status: 503, reason: "Later", rawHeaders: ["Retry-After", "1"] },
  ],
  [
    "Location alone is a 302 (RFC 3875 §6.2.3)",
    "Location: /elsewhere\r\n\r\nbody\r\n\r\n",
    { status: 302, reason: "Found", rawHeaders: ["Location", "/elsewhere"] },
  ],
  [
    "Location with Status keeps it",
    "Location: /elsewhere\r\nStatus: 201\r\n\r\nbody\r\n\r\n",
    { status: 201, reason: "", rawHeaders: ["Location", "/elsewhere"] },
  ],
  [
    "Status alone, values trimmed and empty",
    "Status: 204  \r\nX-Empty:\r\nX-Wide: \t a  b \r\n\r\nbody\r\n\r\n",
    { status: 204, reason: "", rawHeaders: ["X-Empty", "", "X-Wide", "a  b"] },
  ],
];

describe("a response head", () => {
  test.each(heads)("is read in pieces of any size: %s (B-30)", (_, text, want) => {
    for (let size = 1; size <= text.length; size++) {
      expect(parse(text, size)).toEqual({ head: want, rest: "body\r\n\r\n" });
    }
  });

  test("is incomplete in every strict prefix", () => {
    const text = "Status: 200 OK\r\nA: b\r\n\r\n";
    for (let length = 0; length < text.length; length++) {
      expect(parse(text.slice(0, length), 1).head, `${length} bytes`).toBeUndefined();
    }
  });

  test.each([
    ["empty", "\r\n"],
    ["a line without a colon", "nonsense\r\n\r\n"],
    ["a folded line", "A: b\r\n c\r\n\r\n"],
    ["an empty name", ": b\r\n\r\n"],
    ["a blank in the name", "A b: c\r\n\r\n"],
    ["NUL in a value", "A: b\0c\r\n\r\n"],
    ["CR in a value", "A: b\rc\r\n\r\n"],
    ["a status of two digits", "Status: 20\r\n\r\n"],
    ["a status of four digits", "Status: 2000 OK\r\n\r\n"],
    ["two statuses", "Status: 200 OK\r\nStatus: 404 No\r\n\r\n"],
  ])("is refused when it has %s", (_, text) => {
    expect(() => parse(text, 1)).toThrow(expect.objectContaining({ code: "ERR_CLIENT_RESPONSE" }));
  });

  test("is refused when it does not end", () => {
    expect(() => parse("A: b\r\n".repeat(200_000), 65_536)).toThrow(/larger than 1048576/);
  });
});
