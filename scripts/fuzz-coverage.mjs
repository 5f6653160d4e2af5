/**
 * The corpus of native/fuzz, replayed → how many lines and branches of native/core it reaches, by gcov.
 *
 * Counts what can be reached: the checks of bytes.h that end the process instead of reading out of bounds are mistakes
 * of ours and have no input. Exit status 1 below the wanted shares.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { compileFuzzer, compiler } from "./build-fuzz.mjs";
import { inOwnFolder, root, run, say, which } from "./house.mjs";

const LINES_WANTED = 0.98;
const BRANCHES_WANTED = 0.95;
const TARGETS = ["fastcgi", "scgi", "ajp"];

/** gcov's words for the branches and lines of all objects in a folder, as parsed JSON. */
async function readGcov(folder) {
  const notes = readdirSync(folder).filter((name) => name.endsWith(".gcda"));
  const parameters = ["--json-format", "--branch-probabilities", "--stdout", ...notes];
  const { output } = await run("gcov", parameters, { quiet: true, cwd: folder });
  return output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

/** Lines whose other branch is the end of the process, by file. */
function deadLines(file) {
  const lines = readFileSync(join(root, "native/core", file), "utf8").split("\n");
  return new Set(
    lines.flatMap((line, index) => (/std::abort\(\)|\bRequire\(/.test(line) ? [index + 1] : [])),
  );
}

/** Sums of one file: line → was it run; `line:branch` → was it taken. Headers are in several objects. */
class FileFigures {
  lines = new Map();
  branches = new Map();

  add(line, dead) {
    const number = line.line_number;
    this.lines.set(number, (this.lines.get(number) ?? 0) + line.count);
    if (dead.has(number)) return;
    for (const [index, branch] of line.branches.entries()) {
      if (branch.throw) continue;
      const key = `${number}:${index}`;
      this.branches.set(key, (this.branches.get(key) ?? 0) + branch.count);
    }
  }

  missing(counts) {
    return [...counts].filter(([, count]) => count === 0).map(([key]) => key);
  }
}

function collect(reports) {
  const figures = new Map();
  for (const file of reports.flatMap((report) => report.files)) {
    if (!/native\/core\/[^/]+$/.test(file.file)) continue;
    const name = basename(file.file);
    if (!figures.has(name)) figures.set(name, new FileFigures());
    const dead = deadLines(name);
    for (const line of file.lines) figures.get(name).add(line, dead);
  }
  return figures;
}

const share = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;

/** Prints a line a file and the sums; 0 when both shares are as wanted. */
function report(figures) {
  const sums = { lines: 0, lineHits: 0, branches: 0, branchHits: 0 };
  for (const [name, one] of [...figures].sort()) {
    const lines = one.missing(one.lines);
    const branches = one.missing(one.branches);
    sums.lines += one.lines.size;
    sums.lineHits += one.lines.size - lines.length;
    sums.branches += one.branches.size;
    sums.branchHits += one.branches.size - branches.length;
    const unseen = branches.length > 0 ? `  not taken: ${branches.join(" ")}` : "";
    const unrun = lines.length > 0 ? `  not run: ${lines.join(" ")}` : "";
    process.stdout.write(`${name.padEnd(26)}${unrun}${unseen}\n`);
  }
  const lineShare = sums.lineHits / sums.lines;
  const branchShare = sums.branchHits / sums.branches;
  process.stdout.write(
    `native/core: lines ${share(sums.lineHits, sums.lines)} of ${sums.lines}, ` +
      `branches ${share(sums.branchHits, sums.branches)} of ${sums.branches}\n`,
  );
  return lineShare >= LINES_WANTED && branchShare >= BRANCHES_WANTED ? 0 : 1;
}

/**
 * Builds with counters, replays the corpus and reports.
 *
 * @returns {Promise<number>} exit status
 */
export async function coverage() {
  const cxx = compiler();
  if (cxx === undefined || which("gcov") === undefined) {
    say("coverage needs g++ and its gcov");
    return 1;
  }
  return inOwnFolder("coverage", async (folder) => {
    const failed = await compileFuzzer({ kind: "coverage", cxx, folder });
    if (failed !== undefined) {
      process.stderr.write(failed);
      return 1;
    }
    for (const target of TARGETS) {
      const corpus = join(root, `native/fuzz/corpus/${target}.txt`);
      const parameters = [target, corpus, "--time-ms", "0", "--findings", folder];
      const { code, output } = await run(join(folder, "coverage"), parameters, { quiet: true });
      process.stdout.write(output);
      if (code !== 0) return 1;
    }
    return report(collect(await readGcov(folder)));
  });
}
