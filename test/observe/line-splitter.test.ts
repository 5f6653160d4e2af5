/**
 * The line splitter: for any bytes in any pieces, the same lines; none holds a control character that a terminal obeys.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { escapeControls, LineSplitter } from "../../src/observe/line-splitter.ts";

/** The lines of a stream that comes in pieces. */
function split(pieces: readonly Uint8Array[], maxLineBytes?: number): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), maxLineBytes);
  for (const piece of pieces) splitter.add(Buffer.from(piece));
  splitter.end();
  return lines;
}

const bytes = (text: string): Buffer => Buffer.from(text);

test("lines are whole, however their bytes come; the last needs no end", () => {
  const text = bytes("one\n\ntwö\r\nthree");
  for (let at = 0; at <= text.length; at++) {
    expect(split([text.subarray(0, at), text.subarray(at)])).toEqual(["one", "", "twö", "three"]);
  }
});

test("what a terminal obeys is escaped; tabs and colours pass (reliability O-8)", () => {
  expect(escapeControls("a\tb \x1b[31mred\x1b[0m")).toBe("a\tb \x1b[31mred\x1b[0m");
  expect(escapeControls("\x1b]0;title\x07 \x1b[2J \r \x00 \x9b")).toBe(
    "\\x1b]0;title\\x07 \\x1b[2J \\x0d \\x00 \\x9b",
  );
  expect(split([Buffer.from([0x66, 0xfc, 0x72, 10])])).toEqual(["f\\xfcr"]);
});

test("a line of any length is cut and not held, and nothing of it is lost (B-97)", () => {
  for (const length of [10, 11, 20, 21, 35]) {
    const text = "x".repeat(length);
    for (const pieces of [[bytes(text)], [...text].map(bytes)]) {
      const lines = split(pieces, 10);
      expect(lines.join("")).toBe(text);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(10);
    }
  }
  expect(split([bytes("äöüß€uro\n")], 5).join("")).toBe("äöüß€uro");
});

test("for any bytes in any pieces: no control character, and as many lines as line ends ask for", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 }), (pieces) => {
      const whole = Buffer.concat(pieces);
      const lines = split(pieces);
      expect(lines).toEqual(split([whole]));
      const ends = whole.filter((byte) => byte === 10).length;
      expect(lines).toHaveLength(ends + (whole.length > 0 && whole.at(-1) !== 10 ? 1 : 0));
      for (const line of lines) {
        const plain = line.replace(/\x1b\[[0-9;:]*m/g, "");
        expect(plain).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/);
      }
    }),
  );
});
