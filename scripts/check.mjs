/**
 * Source files → one verdict a step: format, lint, types, C++ format, C++ lint.
 *
 * Changes nothing unless `--write` is given, which formats in place. The house rules that no linter knows are
 * in test/tidy.test.ts.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isMain, root, run, say, strict, tool, which } from "./house.mjs";

const node = (path, ...parameters) =>
  run(process.execPath, [tool(path), ...parameters], { quiet: true });
const biome = (...parameters) => node("@biomejs/biome/bin/biome", ...parameters, "--colors=off");

/** The C++ files, from the project's root. */
function nativeFiles() {
  if (!existsSync(join(root, "native"))) return [];
  return readdirSync(join(root, "native"), { recursive: true })
    .filter((name) => /\.(cc|h)$/.test(name))
    .map((name) => join("native", name));
}

function clangFormat(...parameters) {
  const files = nativeFiles();
  if (files.length === 0) return { code: 0, output: "" };
  return node(
    "@wasm-fmt/clang-format/clang-format-cli.cjs",
    "--style=file",
    ...parameters,
    ...files,
  );
}

function cppcheck() {
  const program = which("cppcheck");
  if (!program) return undefined;
  const files = nativeFiles().filter((path) => path.endsWith(".cc"));
  if (files.length === 0) return { code: 0, output: "" };
  const rules = [
    "--enable=warning,performance,portability",
    "--inline-suppr",
    "--error-exitcode=1",
  ];
  const language = ["--language=c++", "--std=c++17", "-I", "native", "-I", "native/core"];
  return run(program, ["--quiet", ...rules, ...language, ...files], { quiet: true });
}

/** Each step: its name, and what it says; undefined where its tool is not installed. */
const STEPS = [
  { name: "format (biome)", go: () => biome("format", "--error-on-warnings") },
  { name: "lint (biome)", go: () => biome("lint", "--error-on-warnings") },
  { name: "types (tsc)", go: () => node("typescript/bin/tsc", "--noEmit", "--pretty", "false") },
  { name: "format (clang-format)", go: () => clangFormat("--dry-run", "--Werror") },
  { name: "lint (cppcheck)", go: cppcheck },
];

/**
 * Runs all steps and prints a line for each, with what a failing one said.
 *
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>} counts of steps
 */
export async function check() {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, go } of STEPS) {
    const result = await go();
    if (result === undefined) {
      counts[strict ? "failed" : "skipped"] += 1;
      say(`check: ${name}: ${strict ? "failed" : "skipped"}, not installed`);
    } else if (result.code === 0) {
      counts.passed += 1;
      say(`check: ${name}: passed`);
    } else {
      counts.failed += 1;
      process.stderr.write(result.output);
      say(`check: ${name}: failed`);
    }
  }
  return counts;
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--write")) {
    await biome("format", "--write");
    await clangFormat("-i");
  }
  const { failed } = await check();
  if (failed > 0) process.exitCode = 1;
}
