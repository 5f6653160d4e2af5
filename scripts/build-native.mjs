/**
 * native/ → build/Release/postern.node, without a download: says in one line which way was taken.
 *
 * node-gyp where Node's own headers lie beside the running Node, otherwise cmake-js with the headers of the
 * package node-api-headers. `--asan` builds build-asan/Release/postern.node with sanitizers, always by cmake-js.
 */
import { existsSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { isMain, root, run, say, tool, which } from "./house.mjs";

/** What a build makes, from the project's root. */
export const ADDON = "build/Release/postern.node";

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

/** The ways to build, best first, each as far as its tools are here. */
function ways() {
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
    });
  }
  if (which("cmake")) {
    found.push({ name: "cmake-js with node-api-headers", parameters: cmake("build", []) });
  }
  return found;
}

/** Parameters of cmake-js for the addon alone. */
function cmake(folder, definitions) {
  const program = tool("cmake-js/bin/cmake-js");
  const places = ["-d", join(root, "native"), "-O", join(root, folder)];
  return [program, "compile", ...places, "-T", "postern", "-l", "error", ...definitions];
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
  let output = "neither Node's headers with Python nor cmake found";
  for (const { name, parameters } of ways()) {
    rmSync(join(root, "build"), { recursive: true, force: true });
    const result = await run(process.execPath, parameters, { quiet: true });
    output = result.output;
    if (result.code === 0 && existsSync(join(root, ADDON)))
      return { built: true, line: name, output };
  }
  const line = output.split("\n").find((text) => /error/i.test(text)) ?? output.split("\n")[0];
  return { built: false, line: line.trim(), output };
}

/** Builds with address and undefined-behaviour sanitizers into build-asan/. */
async function buildSanitized() {
  const result = await run(process.execPath, cmake("build-asan", ["--CDPOSTERN_SANITIZE=ON"]), {
    quiet: true,
  });
  const built = result.code === 0 && existsSync(join(root, "build-asan/Release/postern.node"));
  return { built, line: "cmake-js, with sanitizers, in build-asan/", output: result.output };
}

if (isMain(import.meta.url)) {
  const sanitized = process.argv.includes("--asan");
  const { built, line, output } = await (sanitized ? buildSanitized() : buildNative());
  if (!built) process.stderr.write(output);
  say(built ? `native addon built by ${line}` : `native addon not built: ${line}`);
  if (!built) process.exitCode = 1;
}
