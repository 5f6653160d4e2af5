/**
 * The options `static` and `sendfile` → prefixes and absolute folders, or one sentence that says what is wrong.
 * Their values' types are in options.test.ts, the command line's spelling in test/cli; no file is served here.
 */
import { join, relative } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { normalizeOptions } from "../../src/serve/options.ts";
import { FileRoom } from "../support/file-room.ts";
import { refusal } from "./refusal.ts";

const room = new FileRoom();
afterAll(() => room.remove());
const docs = join(room.files, "docs");

describe.each(["static", "sendfile"] as const)("%s", (name) => {
  const read = (value: Record<string, string> | string[]): unknown =>
    normalizeOptions({ [name]: value })[name];

  test("takes an object, a list and, in the environment, text", () => {
    const both = [
      { prefix: "/media/", folder: room.files },
      { prefix: "/a/b/", folder: docs },
    ];
    expect(read({ "/media": room.files, "/a/b/": docs })).toEqual(both);
    expect(read([`/media/=${room.files}`, `/a/b=${docs}`])).toEqual(both);
    const variable = `POSTERN_${name.toUpperCase()}`;
    const env = { [variable]: `/media=${room.files},/a/b=${docs}` };
    expect(normalizeOptions({}, env)[name]).toEqual(both);
    expect(normalizeOptions({ [name]: [] }, env)[name]).toEqual([]);
  });

  test("takes a folder from the current one, and a prefix of hidden names", () => {
    const read = normalizeOptions({
      [name]: { "/.well-known/x": relative(process.cwd(), docs) },
    })[name];
    expect(read).toEqual([{ prefix: "/.well-known/x/", folder: docs }]);
    expect(Object.isFrozen(read)).toBe(true);
  });

  test.each([
    ["media", `media=${docs}`],
    ["no equals sign", docs],
    ["no folder", "/media="],
  ])("refuses text with %s, in the environment by its variable", (_what, text) => {
    const sentence = /is ".*"; it takes PREFIX=DIR with a PREFIX that begins with "\/"/;
    const variable = `POSTERN_${name.toUpperCase()}`;
    const said = refusal({}, { [variable]: text });
    expect(said).toMatch(sentence);
    expect(said.startsWith(`${variable} is`)).toBe(true);
    expect(refusal({ [name]: [text] })).toMatch(sentence);
  });

  test("refuses a folder that does not exist, or is a file, or lies below one", () => {
    const label = `${name} (POSTERN_${name.toUpperCase()}) gives "/m" the folder`;
    const missing = join(room.path, "none");
    expect(refusal({ [name]: { "/m": missing } })).toBe(
      `${label} "${missing}", which does not exist; make that folder or correct its path.`,
    );
    const file = join(room.files, "hello.txt");
    expect(refusal({ [name]: { "/m": file } })).toBe(
      `${label} "${file}", which is no folder; give the folder that holds the files.`,
    );
    expect(refusal({ [name]: { "/m": `${file}/x` } })).toMatch(/which does not exist; make/);
    const long = join(room.files, "x".repeat(300));
    expect(refusal({ [name]: { "/m": long } })).toMatch(/cannot be read \(ENAMETOOLONG\); give/);
  });

  test("refuses a prefix that leads elsewhere, or is there twice", () => {
    for (const prefix of ["/a/../b", "/./a", "//a", "/a//b", "/a/..", "//"]) {
      expect(refusal({ [name]: { [prefix]: docs } })).toMatch(
        /has the prefix ".*"; it takes a path without "\/\/", "\." and "\.\."\.$/,
      );
    }
    expect(refusal({ [name]: { "/a": docs, "/a/": docs } })).toMatch(
      /has the prefix "\/a\/" twice; give it one folder\.$/,
    );
  });
});

test("the prefix / would hide the application, and is refused for static alone", () => {
  expect(refusal({ static: { "/": docs } })).toBe(
    'static (POSTERN_STATIC) has the prefix "/", which would hide the whole application; give a path below it.',
  );
  expect(normalizeOptions({ sendfile: { "/": docs } }).sendfile).toHaveLength(1);
});
