/**
 * Every link within the project's documents: the file is there, and so is the heading.
 *
 * The same check stops `npm run docs`; links to other hosts are nobody's.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { anchorOf, followLinks, linksOf } from "../../scripts/links.mjs";
import { documents, projectRoot, textOf } from "../support/documents.ts";

test("every link between documents leads to a file and a heading that are there", () => {
  const more = readdirSync(projectRoot).filter((name) => name.endsWith(".md"));
  const { count, dead } = followLinks(projectRoot, [
    ...new Set([...documents, ...more, "bench/README.md"]),
  ]);
  expect(dead).toEqual([]);
  expect(count).toBeGreaterThan(200);
});

test("every page of docs/ is reached from README by links", () => {
  const reached = new Set(["README.md"]);
  for (const document of reached) {
    for (const name of neighboursOf(document)) reached.add(name);
  }
  expect(documents.filter((name) => !reached.has(name))).toEqual([]);
});

test("a dead link is told with its place: a missing file, a missing heading, a path out of the project", () => {
  const folder = mkdtempSync(join(tmpdir(), "postern-links-"));
  try {
    mkdirSync(join(folder, "pages"));
    const lines = [
      "# One `code` & more",
      "[good](b.md#two) [self](#one-code--more) [again](#same-1) `[code](nowhere.md)`",
      "```text",
      "[block](nowhere.md)",
      "```",
      "## Same",
      "## Same",
      "[a](c.md) [b](b.md#three) [c](../../outside.md) [d](#same-2) [e](https://example.org/none)",
    ];
    writeFileSync(join(folder, "pages/a.md"), `${lines.join("\n")}\n`);
    writeFileSync(join(folder, "pages/b.md"), "## Two\n");
    expect(followLinks(folder, ["pages/a.md"])).toEqual({
      count: 7,
      dead: [
        "pages/a.md:8: c.md",
        "pages/a.md:8: b.md#three",
        "pages/a.md:8: ../../outside.md",
        "pages/a.md:8: #same-2",
      ],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("anchors are those that repositories' hosts make", () => {
  expect(anchorOf("`req.gateway.tls`: what & why?")).toBe("reqgatewaytls-what--why");
});

/** Paths that a document links to. */
function neighboursOf(document: string): string[] {
  const paths = linksOf(textOf(document)).map(({ target }) => target.split("#")[0]!);
  const joined = paths.map((path) => join(dirname(document), path));
  return documents.filter((name) => joined.includes(name));
}
