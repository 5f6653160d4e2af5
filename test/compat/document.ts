/**
 * Rows of counts → docs/compatibility.md, and back: the row that a framework has there.
 * It runs no test. `npm run compat` has every framework leave its row in a cache and then writes the document.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Configuration } from "../support/engines.ts";
import { ALLOWED, type Allowed } from "./comparison.ts";

/** What the document says of a framework beside counts. */
export interface Title {
  readonly name: string;
  /** How it is given to a server. */
  readonly way: string;
  /** Packages whose versions are named. */
  readonly packages: readonly string[];
}

/** What a run of one framework gave. */
export interface Row extends Title {
  readonly count: number;
  /** Scenarios without a difference that is not allowed, by "protocol configuration". */
  readonly equal: Readonly<Record<string, number>>;
  readonly allowed: readonly Allowed[];
}

const root = resolve(import.meta.dirname, "../..");
const DOCUMENT = join(root, "docs/compatibility.md");
const ROWS = join(root, "node_modules/.cache/postern/compat");

const CONFIGURATION_NAMES: readonly Configuration[] = ["typescript", "native", "native transport"];
/** The columns of counts, whatever can run here. */
export const COLUMNS: readonly string[] = ["fastcgi", "scgi", "ajp"].flatMap((protocol) =>
  CONFIGURATION_NAMES.map((name) => `${protocol} ${name}`),
);

/** Name and version of a package of test/compat/. */
function version(name: string): string {
  const path = join(import.meta.dirname, "node_modules", name, "package.json");
  const found = JSON.parse(readFileSync(path, "utf8")) as { name: string; version: string };
  return `${found.name} ${found.version}`;
}

/** A row of the table. */
export function rowText({ name, way, packages, count, equal, allowed }: Row): string {
  const cells = COLUMNS.map((column) => `${equal[column] ?? 0}/${count}`);
  const versions = packages.map(version).join(", ") || "";
  return `| ${[name, versions, `\`${way}\``, ...cells, allowed.join(", ")].join(" | ")} |`;
}

/** Every package that takes part, with its version: frameworks, plugins, middleware. */
function packages(): string {
  const path = join(import.meta.dirname, "package.json");
  const { dependencies } = JSON.parse(readFileSync(path, "utf8")) as {
    dependencies: Record<string, string>;
  };
  const list = Object.entries(dependencies).map(([name, range]) => `${name} ${range}`);
  return list.map((one) => one.replace(/^\S+ npm:(.*)@/, "$1 ")).join(", ");
}

/** The committed document. */
export function committed(): string {
  return readFileSync(DOCUMENT, "utf8");
}

/** The committed row of a framework, or "". */
export function committedRow(name: string): string {
  const lines = committed().split("\n");
  return lines.find((line) => line.startsWith(`| ${name} |`)) ?? "";
}

/** Leaves a row for {@link savedRows}. */
export function saveRow(row: Row): void {
  mkdirSync(ROWS, { recursive: true });
  writeFileSync(join(ROWS, `${encodeURIComponent(row.name)}.json`), JSON.stringify(row));
}

/** Rows that frameworks have left since {@link forgetRows}. */
export function savedRows(): Row[] {
  return readdirSync(ROWS).map((name) => JSON.parse(readFileSync(join(ROWS, name), "utf8")) as Row);
}

/** Removes what was saved. */
export function forgetRows(): void {
  rmSync(ROWS, { recursive: true, force: true });
}

/** Writes the document. */
export function writeDocument(text: string): void {
  writeFileSync(DOCUMENT, text);
}

/**
 * The whole document.
 *
 * @param rows rows of the table as text, in the order of the frameworks
 */
export function documentText(rows: readonly string[], scenarios: readonly string[]): string {
  const header = ["framework", "versions", "given as", ...COLUMNS, "differences"];
  const rules = header.map((_, index) => (index > 2 && index < header.length - 1 ? "---:" : "---"));
  const reasons = Object.entries(ALLOWED).map(([name, reason]) => `| ${name} | ${reason} |`);
  return `# Compatibility

Written by \`npm run compat\`; \`npm test\` fails when it is not what a run gives. Do not edit it.

Each framework's application is served by node:http and by postern in one process, over each protocol in each
configuration: "typescript" and "native" are the engines over sockets of node:net, "native transport" is the native engine
on the addon's own transport.
A client asks the same things of all, and what it sees is compared: status and reason, every header field (names in
lower case, repeated lines kept), the bytes of the body, how the answer ends; and what the application noticed itself,
such as events, their order and logged lines. Nothing is compared with stored expectations.

A cell is *scenarios without a difference / scenarios*. What stands under "differences" is allowed, for the reasons
[below](#what-may-differ); everything else would be a mistake of postern.

| ${header.join(" | ")} |
| ${rules.join(" | ")} |
${rows.join("\n")}

Frameworks, plugins and middleware that take part: ${packages()}.

## What may differ

| difference | reason |
| --- | --- |
${reasons.join("\n")}

## Scenarios

A framework runs those for which it has the words: a Web handler has no \`res\`, and Connect no routes.

${scenarios.map((name) => `- ${name}`).join("\n")}
`;
}
