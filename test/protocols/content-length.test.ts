/** CONTENT_LENGTH by its bytes: digits or nothing (RFC 3875 §4.1.2). */
import { expect, test } from "vitest";
import {
  ContentLengthField,
  equalBytes,
  LENGTH_INVALID,
  readContentLength,
} from "../../src/protocols/content-length.ts";
import { latin1 } from "../support/frames.ts";

const read = (text: string): number => readContentLength(latin1(`x${text}x`), 1, text.length);

test.each([
  ["0", 0],
  ["5", 5],
  ["05", 5],
  ["0000000000000005", 5],
  ["65536", 65_536],
  ["2147483648", 2_147_483_648],
  ["9007199254740991", 9_007_199_254_740_991],
])("reads %s (RFC 3875 §4.1.2)", (text, value) => {
  expect(read(text)).toBe(value);
});

test.each([
  "",
  "-1",
  "+5",
  " 5",
  "5 ",
  "5x",
  "5:",
  "/5",
  "0x10",
  "1e3",
  "5.0",
  "\u0665",
  "9007199254740992",
  "9007199254740993",
  "9999999999999999",
  "00000000000000005",
  "99999999999999999999",
])("takes %j for no length: not digits, or more than 2^53 − 1 (RFC 3875 §4.1.2)", (text) => {
  expect(read(text)).toBe(LENGTH_INVALID);
});

test("a length given twice with equal bytes is one, with others none (decisions: repeated meta-variables)", () => {
  const bytes = latin1("55x05");
  const field = new ContentLengthField();
  expect(field.length).toBe(-1);
  field.add(bytes, 0, 1);
  field.add(bytes, 1, 1);
  expect([field.start, field.length, field.conflicting]).toEqual([0, 1, false]);
  field.add(bytes, 3, 2);
  expect(field.conflicting).toBe(true);
  field.clear();
  expect([field.length, field.conflicting]).toEqual([-1, false]);
  expect(equalBytes(bytes, 0, 1, 1, 1)).toBe(true);
  expect(equalBytes(bytes, 0, 1, 2, 1)).toBe(false);
});
