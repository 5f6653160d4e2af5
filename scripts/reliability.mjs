/**
 * Reports of the last run of all tests → docs/reliability.md.
 *
 *     npm run reliability                       from the report of npm test
 *     npm run reliability -- REPORT...          from these reports of vitest, later ones over earlier ones
 *     npm run reliability -- --check            writes nothing; ends with 1 when the page is stale
 *     npm run reliability -- --sources          the same without a report: ids without a test, rows with other files
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, say } from "./house.mjs";
import { filesById, linesById, pageOf, rowsOf, staleness } from "./reliability-page.mjs";

const PAGE = join(root, "docs/reliability.md");
const REPORT = join(root, "node_modules/.cache/postern/results.json");

/** What the page says that the sources do not. */
function sourceStaleness(page) {
  const lines = linesById(page);
  return [...filesById()].flatMap(([id, { files, isShared }]) => {
    if (files.size === 0 && !isShared) return [`${id} stands in no test's name`];
    const line = lines.get(id);
    if (line === undefined) return [`${id} has no row`];
    const linked = [...line.matchAll(/\]\(\.\.\/(test\/[^)]+)\)/g)].map((match) => match[1]);
    const isGone = linked.some((path) => !files.has(path) && !isShared);
    const isNew = [...files].some((path) => !linked.includes(path));
    return isGone || isNew ? [`the row of ${id} names other files than those with its tests`] : [];
  });
}

const words = process.argv.slice(2);
const paths = words.filter((word) => !word.startsWith("--"));
const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const page = () => readFileSync(PAGE, "utf8");
try {
  if (words.includes("--sources") || words.includes("--check")) {
    const wrong = words.includes("--sources")
      ? sourceStaleness(page())
      : staleness(page(), rowsOf((paths.length > 0 ? paths : [REPORT]).map(read)));
    for (const line of wrong) say(`docs/reliability.md: ${line}`);
    if (wrong.length > 0) {
      say("docs/reliability.md is made again by: npm test, then npm run reliability");
      process.exitCode = 1;
    }
  } else {
    const rows = rowsOf((paths.length > 0 ? paths : [REPORT]).map(read));
    const without = [...rows].filter(([, row]) => row.files.size === 0).map(([id]) => id);
    if (without.length > 0) say(`no test in these reports: ${without.join(" ")}`);
    writeFileSync(PAGE, pageOf(rows));
    say("docs/reliability.md is written");
  }
} catch (error) {
  say(`${error.message} (npm test leaves the report that this reads)`);
  process.exitCode = 1;
}
