/**
 * native/ → prebuilds/NAME/postern.node, the addon of this machine as a release carries it.
 *
 * NAME is what src/engine/platform.ts looks for. Builds twice and takes nothing that differs between the two, or that
 * asks for a newer C library than the oldest Node does; it publishes nothing (.github/workflows/release.yml).
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { ADDON, buildNative } from "./build-native.mjs";
import { isMain, root, run, say } from "./house.mjs";

/** Minor version of glibc 2 that a released addon may ask for: Node 20 itself asks for 2.28. */
const GLIBC_MINOR = 28;

/** Platform, architecture and C library; by node's report, where platform.ts reads the program file. */
function prebuildName() {
  const name = `${process.platform}-${process.arch}`;
  const isGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
  return process.platform === "linux" && !isGlibc ? `${name}-musl` : name;
}

/** The newest glibc 2 that a binary asks for, as its minor version; 0 where it asks for none. */
function glibcMinor(binary) {
  const versions = [...binary.toString("latin1").matchAll(/GLIBC_2\.(\d+)/g)];
  return Math.max(0, ...versions.map(([, minor]) => Number(minor)));
}

/** Builds the addon and reads it. */
async function build() {
  const { built, line, output } = await buildNative();
  if (!built) throw new Error(`The addon could not be built: ${line}.\n${output}`.trimEnd());
  return readFileSync(join(root, ADDON));
}

/** The line with which the command says that it runs on the addon of this path, or why not. */
async function loads(path) {
  const parameters = [join(root, "dist/cli.cjs"), "--version"];
  const env = { ...process.env, POSTERN_ENGINE: "auto" };
  const { output } = await run(process.execPath, parameters, { quiet: true, env });
  if (!output.includes("engine native")) throw new Error(`${path} does not run: ${output.trim()}`);
  return output.trim();
}

/**
 * Makes the addon of this machine.
 *
 * @param {{ oldest: boolean }} wish oldest: refuse an addon that asks for a newer glibc than the oldest Node does
 * @returns {Promise<string>} its path, from the project's root
 * @throws {Error} one sentence, when it cannot be built, differs between builds or cannot be used
 */
async function prebuild({ oldest }) {
  if (!existsSync(join(root, "dist/cli.cjs"))) {
    throw new Error("dist/ is missing; run npm run build first.");
  }
  const first = await build();
  const second = await build();
  if (!first.equals(second)) throw new Error("Two builds of the addon differ; they must not.");
  const minor = glibcMinor(second);
  if (oldest && minor > GLIBC_MINOR) {
    throw new Error(
      `The addon asks for glibc 2.${minor}, and Node for 2.${GLIBC_MINOR}; build it on an older system.`,
    );
  }
  const path = `prebuilds/${prebuildName()}/postern.node`;
  const line = await loads(ADDON);
  mkdirSync(join(root, path, ".."), { recursive: true });
  // Beside it first: who has the former one loaded keeps it.
  copyFileSync(join(root, ADDON), join(root, `${path}.new`));
  renameSync(join(root, `${path}.new`), join(root, path));
  say(`${line}; asks for ${minor === 0 ? "no glibc" : `glibc 2.${minor}`}`);
  return path;
}

if (isMain(import.meta.url)) {
  try {
    say(`${await prebuild({ oldest: process.argv.includes("--oldest") })} made, twice the same`);
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
