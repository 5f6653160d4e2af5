/**
 * How an encoder hands on a response: in how many pieces, and that text and bytes, the first response and the tenth,
 * become the same frames. What the frames have to be is for test/connection/transcript/ and the vectors.
 */
import { describe, expect, test } from "vitest";
import type { BodyPiece, ResponseHead } from "../../src/http/head.ts";
import { ajp } from "../../src/protocols/ajp/protocol.ts";
import { fastcgi } from "../../src/protocols/fastcgi/protocol.ts";
import { LineMemo } from "../../src/protocols/line-memo.ts";
import type { ResponseEnd } from "../../src/protocols/protocol.ts";
import { scgi } from "../../src/protocols/scgi/protocol.ts";

const OPTIONS = { ajpPacketBytes: 8_192, maxConnections: 1, maxRequests: 1, multiplex: false };
const END: ResponseEnd = {
  appStatus: 0,
  protocolStatus: 0,
  reuse: true,
  stdout: true,
  stderr: false,
};

function headOf(...fields: string[]): ResponseHead {
  return { status: 200, reason: "OK", fields, contentLength: -1 };
}

describe.each([fastcgi, scgi, ajp])("$name", ({ createEncoder }) => {
  const encoder = createEncoder(OPTIONS);

  /** The pieces of one response. */
  function encoded(
    head: ResponseHead | undefined,
    body: BodyPiece | undefined,
    end: ResponseEnd | undefined = END,
    id = 1,
  ): Buffer[] {
    const pieces: Buffer[] = [];
    const out = {
      text: (latin1: string): void => void pieces.push(Buffer.from(latin1, "latin1")),
      bytes: (chunk: Uint8Array): void => void pieces.push(Buffer.from(chunk)),
    };
    encoder.response(out, id, head, body, end);
    return pieces;
  }

  test("head, text and end are one piece; so are head, a few bytes and end", () => {
    const head = headOf("Content-Type", "text/plain");
    expect(encoded(head, "x".repeat(5_000))).toHaveLength(1);
    expect(encoded(head, Buffer.alloc(512))).toHaveLength(1);
    expect(encoded(head, new Uint8Array(13))).toHaveLength(1);
    expect(encoded(head, undefined)).toHaveLength(1);
    expect(encoded(undefined, "x", undefined)).toHaveLength(1);
  });

  test("many bytes go out where they lie", () => {
    const body = Buffer.alloc(5_000, "x");
    const seen: unknown[] = [];
    const out = { text: (): void => {}, bytes: (chunk: Uint8Array): void => void seen.push(chunk) };
    encoder.response(out, 1, headOf("A", "b"), body, END);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBe(body);
  });

  test.each([1, 13, 512, 513, 8_183, 8_184, 8_185, 65_400, 65_520, 65_536, 200_000])(
    "a body of %i bytes is the same as text and as bytes",
    (length) => {
      const text = Array.from({ length }, (_, i) => String.fromCharCode(i & 255)).join("");
      const head = headOf("Content-Type", "text/plain");
      for (const end of [undefined, END]) {
        const asText = Buffer.concat(encoded(head, text, end));
        const asBytes = Buffer.concat(encoded(head, Buffer.from(text, "latin1"), end));
        expect(asText.equals(asBytes)).toBe(true);
      }
    },
  );

  test("a field is encoded as the first time, however often, and a new value at once", () => {
    const responses = ["a", "a", "a", "b", "a", "a", "b", "b", "b"].map((value) => {
      const head = headOf("X-Once", value, "Content-Type", value);
      return Buffer.concat(encoded(head, undefined)).toString("latin1");
    });
    expect(new Set(responses).size).toBe(2);
    expect(responses[3]).toBe(responses[0]!.replaceAll(/(?<=: |\0\x01)a/g, "b"));
    expect(responses[8]).toBe(responses[3]);
  });

  test("statuses keep the reason that they come with", () => {
    for (const reason of ["OK", "Fine", "Fine", "OK"]) {
      const pieces = encoded({ ...headOf(), reason }, undefined);
      expect(Buffer.concat(pieces).toString("latin1")).toContain(`${reason}`);
    }
  });

  test.each([1, 255, 256, 2_047, 2_048, 65_535])("request id %i ends as itself", (id) => {
    const first = Buffer.concat(encoded(headOf(), "b", END, id));
    expect(Buffer.concat(encoded(headOf(), "b", END, id)).equals(first)).toBe(true);
    if (createEncoder === fastcgi.createEncoder) {
      expect([first.readUInt16BE(2), first.readUInt16BE(first.length - 14)]).toEqual([id, id]);
    }
  });
});

test("a memo of fields encodes each value right, and a repeated one no more than twice", () => {
  let made = 0;
  const memo = new LineMemo((name, value) => {
    made++;
    return `${name}=${value}`;
  });
  for (const value of ["a", "a", "a", "a", "b", "a", "", "", "\xff"]) {
    expect(memo.line("N", value)).toBe(`N=${value}`);
  }
  expect(made).toBe(2 + 1 + 1 + 2 + 1);
  const long = "l".repeat(10_000);
  for (let i = 0; i < 3; i++) expect(memo.line("N", long)).toBe(`N=${long}`);
  for (let i = 0; i < 5_000; i++) expect(memo.line(`N${i}`, "v")).toBe(`N${i}=v`);
});
