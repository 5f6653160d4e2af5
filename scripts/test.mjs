/**
 * Everything that can be proved here, in one command: set-up, servers, checks, tests, and one line of counts.
 *
 * The last line is `N passed, N failed, N skipped`; each check step, and the comparison of
 * docs/reliability.md with the run, counts as one test. `--full` runs the
 * heavy grids at full size, `--engine=NAME` runs the tests alone on that engine; what is left goes to vitest.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { check } from "./check.mjs";
import { root, run, say, strict, tool } from "./house.mjs";
import { servers } from "./servers.mjs";
import { setup, setupFrameworks } from "./setup.mjs";

const RESULTS = join(root, "node_modules/.cache/postern/results.json");

/** Our own parameters taken out of the command line; the rest is vitest's. */
function readCommandLine(parameters) {
  const isOurs = (word) => word === "--full" || word.startsWith("--engine=");
  const engine = parameters.find((word) => word.startsWith("--engine="))?.slice("--engine=".length);
  const rest = parameters.filter((word) => !isOurs(word));
  return { full: parameters.includes("--full"), engine, rest };
}

/**
 * Counts of one vitest run, from its JSON report.
 *
 * A file that could not be loaded has no tests to count, and an error outside of tests none either: each is
 * a failure all the same.
 */
function countTests(code) {
  let report;
  try {
    report = JSON.parse(readFileSync(RESULTS, "utf8"));
  } catch {
    say("vitest ended without a report");
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  const failed = report.numFailedTests + broken.length;
  return {
    passed: report.numPassedTests,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

async function vitest({ full, engine, rest }) {
  mkdirSync(dirname(RESULTS), { recursive: true });
  rmSync(RESULTS, { force: true });
  const env = { ...process.env };
  if (full) env.POSTERN_TEST_FULL = "1";
  if (engine) env.POSTERN_ENGINE = engine;
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${RESULTS}`];
  const parameters = [tool("vitest/vitest.mjs"), "run", ...reporters, ...rest];
  const { code } = await run(process.execPath, parameters, { env });
  return countTests(code);
}

/** Is docs/reliability.md what this run has shown? */
async function reliability() {
  const script = join(root, "scripts/reliability.mjs");
  const { code } = await run(process.execPath, [script, "--check", RESULTS]);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

async function test() {
  const choice = readCommandLine(process.argv.slice(2));
  const parts = [];
  await setup();
  await setupFrameworks();
  if (!choice.engine) {
    const missing = await servers();
    parts.push({ passed: 0, failed: strict ? missing.length : 0, skipped: 0 });
    parts.push(await check());
  }
  parts.push(await vitest(choice));
  // Of a part of the tests the page says nothing.
  if (!choice.engine && choice.rest.length === 0) parts.push(await reliability());
  const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

let counts;
try {
  counts = await test();
} catch (error) {
  say(error.message);
  counts = { passed: 0, failed: 1, skipped: 0 };
}
if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
process.stdout.write(
  `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`,
);
