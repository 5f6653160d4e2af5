/**
 * What documents and code say about each other: error tables, pages that comments name, anchors of links.
 *
 * test/tidy.test.ts knows whether a code or a file is named at all; here it is what is said of it.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CLIENT_ERRORS, ERRORS } from "../../src/errors.ts";
import { documents, projectRoot, tableOf, textOf } from "../support/documents.ts";

const rows = tableOf("docs/errors.md", "code");
const folders = ["src", "native", "scripts", "test", "bench", "examples"];
const code = folders.flatMap((folder) =>
  readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|mjs|cc|h)$/.test(name) && !name.includes("node_modules/"))
    .map((name) => `${folder}/${name}`),
);

test("docs/errors.md says of each error what its row says, in the same order or not", () => {
  const said = new Map(rows.map(([name, ...cells]) => [name, cells]));
  const wrong = Object.values(ERRORS).filter((row) => {
    const [scope, answer, seen] = said.get(row.code) ?? [];
    const status = row.status === 0 ? "" : String(row.status);
    return scope !== row.scope || answer !== status || seen !== `${row.sentence} (${row.section})`;
  });
  expect(wrong.map((row) => row.code)).toEqual([]);
  for (const [name, sentence] of Object.entries(CLIENT_ERRORS)) {
    expect(said.get(name)?.[0]).toBe(sentence);
  }
});

test("every code that postern throws stands there, and no other", () => {
  // Node's own codes, which postern passes on or imitates.
  const foreign =
    /^ERR_(STREAM_\w+|UNKNOWN_FILE_EXTENSION|UNHANDLED_\w+|INVALID_\w+|HTTP_\w+|SERVER_\w+)$/;
  const thrown = code
    .filter((path) => path.startsWith("src/"))
    .flatMap((path) => [...textOf(path).matchAll(/"(ERR_[A-Z_]+)"/g)].map((match) => match[1]!))
    .filter((name) => !foreign.test(name));
  const known = [...thrown, ...Object.values(ERRORS).map((row) => row.code)];
  const all = [...known, ...Object.keys(CLIENT_ERRORS)];
  const said = rows.map(([name]) => name!);
  expect([...new Set(all)].filter((name) => !said.includes(name))).toEqual([]);
  expect(said.filter((name) => !all.includes(name))).toEqual([]);
});

test("every page that a comment names exists", () => {
  const wrong = code.flatMap((path) =>
    [...textOf(path).matchAll(/\bdocs\/[\w./-]+\.md\b/g)]
      .map((match) => match[0])
      .filter((page) => !existsSync(join(projectRoot, page)))
      .map((page) => `${path} → ${page}`),
  );
  expect(wrong).toEqual([]);
});

test("every link to a heading finds one", () => {
  const slug = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-");
  const anchors = (path: string): string[] =>
    [...textOf(path).matchAll(/^#+ (.*)$/gm)].map((match) => slug(match[1]!));
  const wrong = documents.flatMap((path) =>
    [...textOf(path).matchAll(/\]\(([^)\s#]*)#([^)\s]+)\)/g)]
      .filter(([, target = "", anchor = ""]) => {
        const page = target === "" ? path : join(path, "..", target);
        return !anchors(page).includes(anchor);
      })
      .map(([link]) => `${path} ${link}`),
  );
  expect(wrong).toEqual([]);
});

test("docs/decisions/README.md lists every page beside it", () => {
  const pages = documents.filter((path) => /^docs\/decisions\/(?!README)/.test(path));
  const listed = [...textOf("docs/decisions/README.md").matchAll(/\]\((\S+\.md)\)/g)].map(
    (match) => `docs/decisions/${match[1]}`,
  );
  expect(listed.filter((path) => !path.includes("..")).sort()).toEqual(pages.sort());
});

test("docs/runfcgi.md has each word of runfcgi, and each has a test of its own", () => {
  const words = tableOf("docs/runfcgi.md", "word").map(([name]) => name!.replaceAll("`", ""));
  const known =
    "protocol host port socket method maxrequests minspare maxspare maxchildren daemonize workdir pidfile outlog errlog umask debug help";
  expect(words).toEqual(known.split(" "));
  const titles = ["words", "daemon"]
    .flatMap((name) => [...textOf(`test/cli/runfcgi-${name}.test.ts`).matchAll(/\("([a-z, ]+): /g)])
    .flatMap((match) => match[1]!.split(", "));
  expect(words.filter((word) => !titles.includes(word))).toEqual([]);
});
