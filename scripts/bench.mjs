/**
 * bench/*.bench.ts → plain JavaScript → one Node process each, one after the other.
 *
 * Bundled and not run through vitest, whose module loader puts a property access before each imported name.
 * Words without dashes choose files by name; the rest is handed to each bench.
 */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { root, run, say } from "./house.mjs";
import { setup } from "./setup.mjs";

/** As deep as dist/, so that paths that start at a module's own folder mean the same in both. */
const made = join(root, "build-bench");

async function bundle(file) {
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

const words = process.argv.slice(2);
const names = words.filter((word) => !word.startsWith("-"));
const flags = words.filter((word) => word.startsWith("-"));
await setup();
const files = (existsSync(join(root, "bench")) ? readdirSync(join(root, "bench")) : [])
  .filter((file) => file.endsWith(".bench.ts"))
  .filter((file) => names.length === 0 || names.some((name) => file.startsWith(name)));
if (files.length === 0) {
  say(`no bench is called ${names.join(" or ") || "*.bench.ts"}`);
  process.exitCode = 1;
}
for (const file of files) {
  say(`bench ${file}`);
  const path = await bundle(file);
  const { code } = await run(process.execPath, ["--expose-gc", path, ...flags]);
  if (code !== 0) process.exitCode = 1;
}
