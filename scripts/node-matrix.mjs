/**
 * The unit and engine tests, once with every Node line that postern promises to run on.
 *
 * The binaries come from the npm packages node-PLATFORM-ARCH and are kept in node_modules/.cache; a second run
 * needs no network. Says a line a version; other platforms than those packages know are an error.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run, say, tool, which } from "./house.mjs";
import { setup } from "./setup.mjs";

/** Node lines, oldest first; the first is engines.node of package.json. */
const LINES = [20, 22, 24, 26];

const cache = join(root, "node_modules/.cache/nodes");
const binary = (line) => {
  const folder = join(cache, "node_modules", `node${line}`, "bin");
  return join(folder, process.platform === "win32" ? "node.exe" : "node");
};

/** Installs the binaries that are not in the cache yet. */
async function installNodes() {
  const wanted = LINES.filter((line) => !existsSync(binary(line)));
  if (wanted.length === 0) return;
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, "package.json"), `${JSON.stringify({ private: true })}\n`);
  const packages = LINES.map(
    (line) => `node${line}@npm:node-${process.platform}-${process.arch}@${line}`,
  );
  const npm = process.env.npm_execpath ?? which("npm");
  const parameters = ["install", "--loglevel=error", "--prefix", cache, ...packages];
  const { code } = /\.[cm]?js$/.test(npm)
    ? await run(process.execPath, [npm, ...parameters], { cwd: cache })
    : await run(npm, parameters, { cwd: cache });
  if (code !== 0) throw new Error(`Node ${wanted.join(", ")} could not be installed by npm.`);
}

await setup();
await installNodes();
const failed = [];
for (const line of LINES) {
  const { output } = await run(binary(line), ["--version"], { quiet: true });
  say(`unit and engine tests on Node ${output.trim()}`);
  const projects = ["--project", "unit", "--project", "engine", "--reporter=dot"];
  const parameters = [tool("vitest/vitest.mjs"), "run", ...projects, ...process.argv.slice(2)];
  const { code } = await run(binary(line), parameters);
  if (code !== 0) failed.push(line);
}
const passed = LINES.length - failed.length;
if (failed.length > 0) say(`failed on Node ${failed.join(", ")}`);
process.stdout.write(`${passed} passed, ${failed.length} failed\n`);
if (failed.length > 0) process.exitCode = 1;
