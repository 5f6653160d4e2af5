/**
 * bench/*.bench.ts → plain JavaScript → one Node process each, one after the other.
 *
 * Bundled and not run through vitest, whose module loader puts a property access before each imported name.
 * Words before the first dash choose files by name; everything from there on is handed to each bench.
 */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { buildLoadgen } from "./build-loadgen.mjs";
import { isMain, root, run, say } from "./house.mjs";
import { setup, setupBench } from "./setup.mjs";

/** As deep as dist/, so that paths that start at a module's own folder mean the same in both. */
const made = join(root, "build-bench");

/** Words that ask for what is not installed unless somebody wants it. */
const LARGE = /^--(full|node|peer)\b/;

/**
 * Bundles one file of bench/.
 *
 * @param {string} file from bench/
 * @returns {Promise<string>} absolute path of the bundle
 */
export async function bundle(file) {
  const { rolldown } = await import("rolldown");
  const build = await rolldown({
    input: join(root, "bench", file),
    platform: "node",
    external: (id) => !id.startsWith(".") && !id.startsWith("/") && !/^[A-Za-z]:\\/.test(id),
  });
  const path = join(made, `${basename(file, ".ts")}.mjs`);
  await build.write({ file: path, format: "esm", codeSplitting: false });
  await build.close();
  return path;
}

/**
 * Makes ready what the benches of sockets need.
 *
 * @param {readonly string[]} flags of the command line
 * @returns {Promise<string | undefined>} why they cannot run, as half a sentence
 */
export async function readyForSockets(flags) {
  const missing = await buildLoadgen();
  // A blink takes what is there.
  if (missing === undefined && process.env.POSTERN_BENCH_BLINK !== "1") {
    await setupBench(flags.some((flag) => LARGE.test(flag)));
  }
  return missing;
}

/** Runs one bench; its exit status. */
async function runBench(file, flags) {
  say(`bench ${file}`);
  if (file === "serve.bench.ts") {
    const missing = await readyForSockets(flags);
    if (missing !== undefined) {
      say(`bench ${file} skipped, there is no load generator: ${missing}`);
      return 0;
    }
  }
  const path = await bundle(file);
  return (await run(process.execPath, ["--expose-gc", path, ...flags])).code;
}

async function main() {
  const words = process.argv.slice(2);
  const dash = words.findIndex((word) => word.startsWith("-"));
  const names = dash < 0 ? words : words.slice(0, dash);
  const flags = dash < 0 ? [] : words.slice(dash);
  await setup();
  const files = (existsSync(join(root, "bench")) ? readdirSync(join(root, "bench")) : [])
    .filter((file) => file.endsWith(".bench.ts"))
    .filter((file) => names.length === 0 || names.some((name) => file.startsWith(name)));
  if (files.length === 0) {
    say(`no bench is called ${names.join(" or ") || "*.bench.ts"}`);
    process.exitCode = 1;
  }
  for (const file of files) {
    if ((await runBench(file, flags)) !== 0) process.exitCode = 1;
  }
}

if (isMain(import.meta.url)) await main();
