/**
 * The list of reliability ids, and reports of vitest → docs/reliability.md: which tests prove what, over which protocols,
 * front servers, engines and transports, and with which result.
 *
 * Ids are found in the tests' own names; nothing is said of a test anywhere else. Runs and writes nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "./house.mjs";

/** The groups of ids: `{ title, demands }`, demands by id. */
export const GROUPS = JSON.parse(readFileSync(join(root, "test/reliability/ids.json"), "utf8"));

const IDS = new Set(GROUPS.flatMap(({ demands }) => Object.keys(demands)));
const ID = /(?<![\w-])[A-Z]-\d{1,3}(?![\w-])/g;

const HEAD = `# What can go wrong, and the tests that prove it does not

<!-- Made from test/reliability/ids.json, the names of the tests and the report of their last run; do not edit. To make it
     again: npm test, then npm run reliability -->

Gateways of these protocols had the same mistakes for twenty years. Each class of them has an id here, and so has each
behaviour that a front server or its operator relies on. An id stands in the names of the tests that prove it:
\`npx vitest run -t "F-12"\` runs one.

- **over**: protocols, and real front servers where the test has one between client and postern.
- **engines**: \`ts\` and \`native\` are the engines over Node's sockets, \`transport\` is the addon's own transport; a dash
  means that the test does not depend on them.
- **result**: of the last run of all tests. A test that cannot run somewhere is skipped by name, with its reason in it.
`;

const TAIL = `## Elsewhere

| what | where |
|---|---|
| random input: harnesses Z1 to Z9, invariants I-1 to I-8, properties P-1 to P-9 | [docs/fuzzing.md](fuzzing.md), [test/fuzz](../test/fuzz), [test/engine](../test/engine) |
| faults injected at every byte, load and soak | [test/faults](../test/faults), and the commands in [CONTRIBUTING.md](../CONTRIBUTING.md) |
`;

/** The ids of the list in a text. */
export function idsIn(text) {
  return new Set((text.match(ID) ?? []).filter((id) => IDS.has(id)));
}

/** TypeScript without the lines that are comments; texts may hold what begins or ends one. */
function withoutComments(text) {
  return text.replace(/^\s*(\/\*|\*|\/\/).*$/gm, "");
}

/**
 * Test files by id, by what stands in them outside of comments; files that tests share count as `shared`.
 *
 * @returns {Map<string, { files: Set<string>, isShared: boolean }>}
 */
export function filesById() {
  const found = new Map([...IDS].map((id) => [id, { files: new Set(), isShared: false }]));
  for (const name of readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name.includes("node_modules")) continue;
    const path = join("test", name).replaceAll("\\", "/");
    const text = withoutComments(readFileSync(join(root, path), "utf8"));
    for (const id of idsIn(text)) {
      if (path.endsWith(".test.ts")) found.get(id).files.add(path);
      else found.get(id).isShared = true;
    }
  }
  return found;
}

/** Words of a test's name and path, and what they mean. */
const OVER = {
  FastCGI: /fastcgi|fcgi/i,
  SCGI: /scgi/i,
  AJP: /ajp/i,
  nginx: /nginx/i,
  Apache: /apache|mod_proxy|mod_fcgid/i,
  lighttpd: /lighttpd/i,
  HAProxy: /haproxy/i,
};
const ENGINES = {
  ts: /typescript/,
  native: /\bnative\b(?! transport)/,
  transport: /native transport/,
};

function named(table, text) {
  return Object.keys(table).filter((word) => table[word].test(text));
}

/** What tests with one id showed. */
class Row {
  files = new Set();
  over = new Set();
  engines = new Set();
  counts = { passed: 0, failed: 0, skipped: 0 };
  /** Names of the tests that did not run; each says why. */
  skipped = new Set();

  add(path, name, status) {
    this.files.add(path);
    const kind = status === "passed" || status === "failed" ? status : "skipped";
    this.counts[kind]++;
    if (kind === "skipped") {
      this.skipped.add(name);
      return;
    }
    const inName = named(OVER, name);
    const isSaid = inName.some((word) => word === "FastCGI" || word === "SCGI" || word === "AJP");
    const inPath = named(OVER, path).filter((word) => !isSaid || !/FastCGI|SCGI|AJP/.test(word));
    for (const word of [...inName, ...inPath]) this.over.add(word);
    for (const word of named(ENGINES, name)) this.engines.add(word);
  }

  get result() {
    const { passed, failed, skipped } = this.counts;
    if (failed > 0) return "**failed**";
    if (passed === 0) return "**skipped**";
    return skipped > 0 ? "passed, some skipped" : "passed";
  }
}

/**
 * Rows by id.
 *
 * @param {readonly object[]} reports of vitest's JSON reporter; of a file in several the last one counts
 */
export function rowsOf(reports) {
  const files = new Map();
  for (const report of reports) {
    for (const file of report.testResults) files.set(relative(root, file.name), file);
  }
  const rows = new Map([...IDS].map((id) => [id, new Row()]));
  for (const [path, file] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const { fullName, status } of file.assertionResults) {
      for (const id of idsIn(fullName)) rows.get(id).add(path, fullName, status);
    }
  }
  return rows;
}

const inOrder = (table, set) => Object.keys(table).filter((word) => set.has(word));
const linkOf = (path) => `[${path.slice("test/".length, -".test.ts".length)}](../${path})`;

function lineOf(id, demand, row) {
  const cells = [
    id,
    demand,
    [...row.files].map(linkOf).join("<br>"),
    inOrder(OVER, row.over).join(", ") || "–",
    inOrder(ENGINES, row.engines).join(", ") || "–",
    row.result,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The tests that did not run, by their names. */
function skippedSection(rows) {
  const names = [...new Set([...rows.values()].flatMap((row) => [...row.skipped]))].sort();
  if (names.length === 0) return "";
  return ["## Skipped in that run", "", ...names.map((name) => `- ${name}`), ""].join("\n");
}

/** The whole page. */
export function pageOf(rows) {
  const sections = GROUPS.map(({ title, demands }) => {
    const lines = Object.entries(demands).map(([id, demand]) => lineOf(id, demand, rows.get(id)));
    const head = [
      "| id | demands | tests | over | engines | result |",
      "|---|---|---|---|---|---|",
    ];
    return [`## ${title}`, "", ...head, ...lines, ""].join("\n");
  });
  return [HEAD, ...sections, skippedSection(rows), TAIL].filter(Boolean).join("\n");
}

/** Lines of a page's tables by id. */
export function linesById(page) {
  const lines = page.split("\n").map((line) => [/^\| ([A-Z]-\d+) \|/.exec(line)?.[1], line]);
  return new Map(lines.filter(([id]) => id !== undefined));
}

/**
 * What of a page is not what these rows show, in sentences; none where it is. A row of which a test was skipped here is
 * held to its files alone.
 */
export function staleness(page, rows) {
  const lines = linesById(page);
  const wrong = [];
  for (const { demands } of GROUPS) {
    for (const [id, demand] of Object.entries(demands)) {
      const row = rows.get(id);
      const line = lines.get(id) ?? "";
      if (row.files.size === 0) wrong.push(`${id} has no test`);
      else if (row.counts.skipped > 0) {
        if (![...row.files].every((path) => line.includes(linkOf(path))))
          wrong.push(`${id} has other tests than its row says`);
      } else if (line !== lineOf(id, demand, row)) wrong.push(`the row of ${id} is stale`);
    }
  }
  return wrong;
}
