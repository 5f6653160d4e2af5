/**
 * native/loadgen/ → build/Release/loadgen, the load generator of the benches, by cmake-js and without a download.
 *
 * Built only when a source is newer. It needs Linux, cmake and a compiler; what is missing is said in one line.
 */
import { join } from "node:path";
import { cmake, takePlace } from "./build-native.mjs";
import { inOwnFolder, isFresh, isMain, run, say, which } from "./house.mjs";

/** What this makes, from the project's root. */
export const LOADGEN = "build/Release/loadgen";

const SOURCES = ["native/loadgen", "native/CMakeLists.txt"];

/**
 * Builds the load generator where it is not up to date.
 *
 * @returns {Promise<string | undefined>} why there is none, as half a sentence with what the last tool printed;
 *   undefined when it is there
 */
export async function buildLoadgen() {
  if (process.platform !== "linux") return "it runs on Linux only";
  if (isFresh(LOADGEN, SOURCES)) return undefined;
  if (!which("cmake")) return "cmake not found";
  const began = new Date();
  return inOwnFolder("loadgen", async (folder) => {
    const { code, output } = await run(process.execPath, cmake(folder, "loadgen", []), {
      quiet: true,
    });
    if (code !== 0) return `cmake-js failed\n${output}`;
    takePlace(join(folder, "loadgen"), LOADGEN, began);
    return undefined;
  });
}

if (isMain(import.meta.url)) {
  const reason = await buildLoadgen();
  say(reason ? `load generator not built: ${reason}` : `load generator built: ${LOADGEN}`);
  if (reason) process.exitCode = 1;
}
