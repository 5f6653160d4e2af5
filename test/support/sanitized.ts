/**
 * native/ → the addon and the C++ tests with sanitizers, in build-asan/, or the reason why not here.
 * It runs no test. Nothing is built when no source is newer than what was built before.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const folder = join(root, "build-asan");

/** What was built. */
export interface SanitizedBuild {
  readonly addon: string;
  readonly guardPageTest: string;
  /** Sanitizer libraries that must be loaded before node's own, as LD_PRELOAD wants them. */
  readonly preload: string;
}

/** How one program ended. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** Runs a program to its end; its output is standard output and error together. */
export function runProgram(
  command: string,
  parameters: readonly string[],
  options: { env?: NodeJS.ProcessEnv; input?: string } = {},
): Outcome {
  const { status, signal, stdout, stderr, error } = spawnSync(command, parameters, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...options.env },
    input: options.input ?? "",
    maxBuffer: 256 * 1024 * 1024,
  });
  return { code: status, signal, output: `${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}` };
}

/** The compiler that CMake takes, or undefined. */
function compiler(): string | undefined {
  const names = [process.env["CXX"], "c++", "g++", "clang++"];
  return names.find((name) => name && runProgram(name, ["--version"]).code === 0);
}

/** The full path of a library of the compiler, or undefined when it has none. */
function library(cxx: string, name: string): string | undefined {
  const path = runProgram(cxx, [`-print-file-name=${name}`]).output.trim();
  return path !== name && existsSync(path) ? path : undefined;
}

/**
 * Builds with AddressSanitizer and UndefinedBehaviorSanitizer.
 *
 * @returns the build; or the tool that is missing here, as one clause
 * @throws Error with the compiler's output when the tools are there and the build fails
 */
export function buildSanitized(): SanitizedBuild | { readonly missing: string } {
  if (process.platform !== "linux") return { missing: "sanitizers are preloaded on Linux only" };
  const cxx = compiler();
  if (cxx === undefined) return { missing: "there is no C++ compiler" };
  if (runProgram("cmake", ["--version"]).code !== 0) return { missing: "there is no cmake" };
  const asan = library(cxx, "libasan.so");
  const ubsan = library(cxx, "libubsan.so");
  if (asan === undefined || ubsan === undefined) return { missing: "there is no libasan" };
  const build = [join(root, "scripts/build-native.mjs"), "--asan"];
  const { code, output } = runProgram(process.execPath, build);
  if (code !== 0) throw new Error(`The sanitizer build failed:\n${output}`);
  return {
    addon: join(folder, "Release/postern.node"),
    guardPageTest: join(folder, "guard_page_test"),
    preload: `${asan} ${ubsan}`,
  };
}
