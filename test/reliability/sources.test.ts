/**
 * What the sources must not have, since no test of behaviour can show that it is absent (reliability A-2, H-6, X-12).
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const source = resolve(import.meta.dirname, "../../src");
const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({
    name,
    code: readFileSync(join(source, name), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ""),
  }));

/** Names of the files in which something stands. */
const having = (what: RegExp): string[] =>
  files.filter(({ code }) => what.test(code)).map(({ name }) => name);

test("secrets are compared by timingSafeEqual alone, in one place (A-2)", () => {
  expect(having(/timingSafeEqual\(/)).toHaveLength(1);
  expect(
    having(/\b\w*[sS]ecret(Hash)?\b\s*[!=]==?\s*(?!undefined|"")[\w"`]|Buffer\.compare\(/),
  ).toEqual([]);
});

test("nothing is decompressed, and no multipart body is parsed (X-12)", () => {
  expect(having(/node:zlib|gunzip|inflate|brotliDecompress/i)).toEqual([]);
  expect(having(/multipart/i)).toEqual([]);
});

test("a module is loaded by the path that the operator wrote, or by a name that stands there (H-6)", () => {
  // The application's module; the addon beside the package; the one dependency.
  expect(having(/\bimport\((?!")/)).toEqual(["cli/load-app.ts"]);
  expect(having(/(?<![.\w])require\((?!")/)).toEqual(["engine/native.ts"]);
  expect(having(/\beval: true/)).toEqual(["observe/watchdog.ts"]);
});

test("a program is started by workers, by the command and for accounts, never by what handles requests (H-6)", () => {
  const starters = having(/"node:child_process"/).filter((name) => !/^(workers|cli)\//.test(name));
  expect(starters).toEqual(["server/accounts.ts"]);
  // None of them by a shell, which would read the words again.
  expect(having(/shell: (?!false)|\bexec(Sync)?\(["`]/)).toEqual([]);
});

test("maps of a peer are neither spread nor assigned, which would make __proto__ a prototype", () => {
  const maps = "(params|attributes|headers|headersDistinct|trailers)";
  const spread = new RegExp(`\\{[^{}[\\]]*\\.\\.\\.[\\w.#]*\\b${maps}\\b`);
  const assigned = new RegExp(`Object\\.assign\\([^()]*\\b${maps}\\b`);
  expect(having(spread)).toEqual([]);
  expect(having(assigned)).toEqual([]);
  expect(spread.test("const copy = { ...req.params };")).toBe(true);
  expect(assigned.test("Object.assign({}, head.headers)")).toBe(true);
});

test("no code is made from text, and params are copied into no environment (H-6)", () => {
  expect(having(/\beval\(|new Function\(|node:vm\b/)).toEqual([]);
  expect(having(/process\.env\[[^"'\]]+\]\s*=[^=]|Object\.assign\(process\.env/)).toEqual([]);
});
