/**
 * The documents of the project → their fenced blocks, each with the mark that says how it is proved.
 *
 * A mark is an HTML comment on the line above the fence, which readers do not see; test/docs says what each means.
 * Runs nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Absolute path of the project. */
export const projectRoot: string = resolve(import.meta.dirname, "../..");

/** What a mark can say. */
export const KINDS: readonly string[] = [
  /** `file NAME`: the block is that file, for the blocks after it. */
  "file",
  /** `run`: ends by itself with status 0. */
  "run",
  /** `prints`: text that the program above prints, whole. */
  "prints",
  /** `serves PROTOCOL ADDRESS [TEXT]`: serves there until it is ended; answers with TEXT. */
  "serves",
  /** `scripts`: commands of this project's package.json. */
  "scripts",
  /** `config SERVER [spawns|tls]`: configuration of a front server, for the gateway of the `serves` block above it. */
  "config",
];

/** Languages whose blocks have to be proved. */
export const PROVED: readonly string[] = [
  "js",
  "ts",
  "sh",
  "nginx",
  "apache",
  "lighttpd",
  "haproxy",
];

/** One fenced block. */
export interface Block {
  readonly document: string;
  /** Line of the fence, from 1. */
  readonly line: number;
  /** The word behind the fence; "" where there is none. */
  readonly language: string;
  /** First word of the mark; "" without mark. */
  readonly kind: string;
  /** The other words of the mark. */
  readonly words: readonly string[];
  readonly text: string;
}

/** Paths of the documents whose blocks are proved, from the project's root. */
export const documents: readonly string[] = [
  "README.md",
  "SECURITY.md",
  ...readdirSync(join(projectRoot, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`)
    .sort(),
];

/** Text of a file of the project. */
export function textOf(path: string): string {
  return readFileSync(join(projectRoot, path), "utf8");
}

/** Every fenced block of a document, in order. */
export function blocksOf(document: string): Block[] {
  const lines = textOf(document).split("\n");
  const blocks: Block[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const fence = /^(`{3,})(\S*)$/.exec(lines[index]!);
    if (fence === null) continue;
    const end = lines.indexOf(fence[1]!, index + 1);
    if (end < 0) throw new Error(`${document}:${index + 1}: a fence without end`);
    const mark = /^<!-- (.*) -->$/.exec(lines[index - 1] ?? "")?.[1] ?? "";
    const [kind = "", ...words] = mark.split(" ");
    const text = `${lines.slice(index + 1, end).join("\n")}\n`;
    blocks.push({ document, line: index + 1, language: fence[2]!, kind, words, text });
    index = end;
  }
  return blocks;
}

/** Where a block stands, for the name of a test: `README.md:42`. */
export function placeOf(block: Block): string {
  return `${block.document}:${block.line}`;
}

/** Rows of the tables of a document whose first header cell is `first`: the cells, without backquotes. */
export function tableOf(document: string, first: string): string[][] {
  const lines = textOf(document).split("\n");
  const cells = (line: string): string[] =>
    line
      .replace(/^\||\|$/g, "")
      .split("|")
      .map((cell) => cell.trim().replaceAll("`", ""));
  const rows: string[][] = [];
  for (const [index, line] of lines.entries()) {
    if (!/^\|[ -]*-[-| ]*\|$/.test(line) || cells(lines[index - 1] ?? "")[0] !== first) continue;
    for (let at = index + 1; lines[at]?.startsWith("|"); at += 1) rows.push(cells(lines[at]!));
  }
  return rows;
}
