/**
 * native/ → build/Release/postern.node, without a download: says in one line which way was taken.
 *
 * node-gyp where Node's own headers lie beside the running Node, otherwise cmake-js with the headers of the
 * package node-api-headers. `--asan` builds build-asan/Release/postern.node with sanitizers, always by cmake-js, and
 * build-asan/guard_page_test, both only when a source is newer. Two builds at once do not meet: each works in a folder
 * of its own, and what it made is renamed into its place.
 */
import { cpSync, existsSync, mkdirSync, realpathSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  inOwnFolder,
  isFresh,
  isMain,
  root,
  run,
  say,
  stampMade,
  strict,
  tool,
  which,
} from "./house.mjs";

/** What a build makes, from the project's root. */
export const ADDON = "build/Release/postern.node";

/** What it is made from. */
export const SOURCES = ["native/core", "native/binding", "binding.gyp"];

/** What `--asan` makes: the addon and the C++ tests. */
const SANITIZED_ADDON = "build-asan/Release/postern.node";
const SANITIZED_TEST = "build-asan/guard_page_test";
const SANITIZED_SOURCES = ["native/core", "native/binding", "native/test", "native/CMakeLists.txt"];

/** Folder that holds include/node of exactly the running Node, or undefined. */
function headersFolder() {
  const folder = dirname(dirname(realpathSync(process.execPath)));
  return existsSync(join(folder, "include", "node", "node_api.h")) ? folder : undefined;
}

const anyOf = (names) => names.filter(Boolean).some((name) => which(name) ?? existsSync(name));

/** What is missing for any native build at all, as half a sentence, or undefined. */
function obstacle() {
  if (!existsSync(join(root, "binding.gyp"))) return "binding.gyp is missing";
  if (process.platform === "win32") return undefined;
  if (!anyOf([process.env.CXX?.split(" ")[0], "c++", "g++", "clang++"])) {
    return "no C++ compiler found (c++, g++ or clang++)";
  }
  if (!anyOf([process.env.MAKE, "make", "gmake"])) return "make not found";
  return undefined;
}

/** The ways to build in a folder, best first, each as far as its tools are here. */
function ways(folder) {
  const headers = headersFolder();
  const found = [];
  if (
    headers &&
    (process.platform === "win32" || anyOf([process.env.PYTHON, "python3", "python"]))
  ) {
    const program = tool("node-gyp/bin/node-gyp.js");
    found.push({
      name: `node-gyp with the headers in ${join(headers, "include", "node")}`,
      parameters: [program, "rebuild", `--nodedir=${headers}`, "--loglevel=error"],
      addon: join(folder, "build/Release/postern.node"),
    });
  }
  if (which("cmake")) {
    found.push({
      name: "cmake-js with node-api-headers",
      parameters: cmake(join(folder, "cmake"), "postern", strict ? ["--CDPOSTERN_WERROR=ON"] : []),
      addon: join(folder, "cmake/Release/postern.node"),
    });
  }
  return found;
}

/**
 * Parameters of cmake-js for one target alone, made in a folder.
 *
 * @param {string} folder where it is made
 * @param {string} target of native/CMakeLists.txt
 * @param {readonly string[]} definitions `--CDNAME=VALUE`
 */
export function cmake(folder, target, definitions) {
  const program = tool("cmake-js/bin/cmake-js");
  const places = ["-d", join(root, "native"), "-O", folder];
  return [program, "compile", ...places, "-T", target, "-l", "error", ...definitions];
}

/**
 * Puts a made file in its place at once: who has the former one loaded keeps it.
 *
 * @param {string} made where it is
 * @param {string} path its place, from the project's root
 * @param {Date} began when its making began
 */
export function takePlace(made, path, began) {
  stampMade(made, began);
  mkdirSync(dirname(join(root, path)), { recursive: true });
  renameSync(made, join(root, path));
}

/**
 * Builds the addon.
 *
 * @returns {Promise<{ built: boolean, line: string, output: string }>} line: how, or why not; output: what
 *   the last tool printed
 */
export async function buildNative() {
  const reason = obstacle();
  if (reason) return { built: false, line: reason, output: "" };
  const began = new Date();
  return inOwnFolder("native", async (folder) => {
    // node-gyp builds where binding.gyp lies.
    for (const path of SOURCES) cpSync(join(root, path), join(folder, path), { recursive: true });
    // A warning is an error where we build for ourselves, and none with a compiler that we have not seen.
    const env = { ...process.env, POSTERN_WERROR: strict ? "1" : "0" };
    let output = "neither Node's headers with Python nor cmake found";
    for (const { name, parameters, addon } of ways(folder)) {
      const result = await run(process.execPath, parameters, { quiet: true, cwd: folder, env });
      output = result.output;
      if (result.code === 0 && existsSync(addon)) {
        takePlace(addon, ADDON, began);
        return { built: true, line: name, output };
      }
    }
    const line =
      output.split("\n").find((text) => /\berror\b/i.test(text)) ?? output.split("\n")[0];
    return { built: false, line: line.trim(), output };
  });
}

/** Builds with address and undefined-behaviour sanitizers into build-asan/, what is not up to date there. */
async function buildSanitized() {
  const line = "cmake-js, with sanitizers, in build-asan/";
  const made = [SANITIZED_ADDON, ...(process.platform === "win32" ? [] : [SANITIZED_TEST])];
  if (made.every((path) => isFresh(path, SANITIZED_SOURCES)))
    return { built: true, line, output: "" };
  const began = new Date();
  return inOwnFolder("asan", async (folder) => {
    const commands = [
      [process.execPath, cmake(folder, "postern", ["--CDPOSTERN_SANITIZE=ON"])],
      ["cmake", ["--build", folder, "--target", "guard_page_test"]],
    ].slice(0, made.length);
    let output = "";
    for (const [command, parameters] of commands) {
      const result = await run(command, parameters, { quiet: true });
      output += result.output;
      if (result.code !== 0) return { built: false, line, output };
    }
    for (const path of made) takePlace(join(folder, path.slice("build-asan/".length)), path, began);
    return { built: true, line, output };
  });
}

if (isMain(import.meta.url)) {
  const sanitized = process.argv.includes("--asan");
  const { built, line, output } = await (sanitized ? buildSanitized() : buildNative());
  if (!built) process.stderr.write(output);
  say(built ? `native addon built by ${line}` : `native addon not built: ${line}`);
  if (!built) process.exitCode = 1;
}
