/**
 * Markdown files → the links in them that lead nowhere: files that are not there, headings that no file has.
 *
 * Anchors are counted as the hosts of repositories make them, and the site makes them the same. Links to other hosts are
 * not followed.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * A heading's anchor: lower case, blanks to hyphens, and of everything else only letters, digits, `-` and `_`.
 *
 * @param {string} heading its text as written, with or without backquotes
 * @returns {string}
 */
export function anchorOf(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}

/** A document without its fenced blocks, each replaced by as many empty lines. */
function withoutBlocks(text) {
  const fenced = /^(`{3,})[^\n]*\n[\s\S]*?^\1$/gm;
  return text.replace(fenced, (block) => "\n".repeat(block.split("\n").length - 1));
}

/** Every anchor of a document; a heading that comes again gets a number. */
function anchorsOf(text) {
  const counts = new Map();
  const anchors = new Set();
  for (const [, written] of withoutBlocks(text).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const anchor = anchorOf(written.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"));
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    anchors.add(count === 0 ? anchor : `${anchor}-${count}`);
  }
  return anchors;
}

/**
 * Every link of a document: its target and its line. Code is no link.
 *
 * @param {string} text
 * @returns {{ target: string, line: number }[]}
 */
export function linksOf(text) {
  const links = [];
  for (const [index, line] of withoutBlocks(text).split("\n").entries()) {
    const bare = line.replace(/(`+)[^`]*?\1/g, "code");
    for (const [, target] of bare.matchAll(/\]\(([^)\s]+)\)/g)) {
      links.push({ target, line: index + 1 });
    }
    for (const [, target] of bare.matchAll(/^\[[^\]]+\]: *(\S+)/g)) {
      links.push({ target, line: index + 1 });
    }
  }
  return links;
}

/**
 * Links that lead nowhere.
 *
 * @param {string} folder absolute path that the documents' names count from
 * @param {readonly string[]} documents paths of Markdown files
 * @returns {{ count: number, dead: string[] }} how many links within the folder were followed; each dead one with its place
 */
export function followLinks(folder, documents) {
  const dead = [];
  let count = 0;
  for (const document of documents) {
    for (const { target, line } of linksOf(readFileSync(join(folder, document), "utf8"))) {
      if (/^[a-z][a-z\d+.-]*:/i.test(target)) continue;
      count += 1;
      const [path, anchor] = target.split("#");
      const file = path === "" ? document : join(dirname(document), path);
      const place = join(folder, file);
      const there = !file.startsWith("..") && existsSync(place);
      const isKnown =
        there &&
        (anchor === undefined ||
          (statSync(place).isFile() && anchorsOf(readFileSync(place, "utf8")).has(anchor)));
      if (!isKnown) dead.push(`${document}:${line}: ${target}`);
    }
  }
  return { count, dead };
}
