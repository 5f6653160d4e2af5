/**
 * docs/options.md is what the table of options and its docstrings say; `-u` makes it again.
 *
 * The page may not differ in one letter, so nobody has to remember it.
 */
import { expect, test } from "vitest";
import { OPTIONS } from "../../src/serve/option-table.ts";
import { textOf } from "../support/documents.ts";
import { optionPage } from "../support/option-page.ts";

test("docs/options.md is up to date", async () => {
  await expect(optionPage()).toMatchFileSnapshot("../../docs/options.md");
});

test("every option stands there once, with its default", () => {
  const page = textOf("docs/options.md");
  const wrong = OPTIONS.filter((row) => {
    const parts = page.split(`### \`${row.name}\`\n`);
    const shown =
      row.default === undefined ? "- default: " : `- default: \`${String(row.default)}\``;
    return parts.length !== 2 || !parts[1]!.split("\n### ")[0]!.includes(shown);
  });
  expect(wrong.map(({ name }) => name)).toEqual([]);
});
