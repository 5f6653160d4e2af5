/**
 * A fresh clone → a project that runs: dependencies, dist/, and the native addon where it can be built.
 *
 * Does only what is not up to date, so that a second call costs nothing and needs no network. A missing
 * compiler is said in one line and is no error: the TypeScript engine serves without the addon.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ADDON, buildNative, SOURCES } from "./build-native.mjs";
import { installed, isFresh, isMain, root, run, say, which } from "./house.mjs";

/** Whether a folder's node_modules holds what its package-lock.json names, by version; optional packages may be absent. */
function dependenciesFresh(folder) {
  if (!installed(folder)) return false;
  const read = (path) => JSON.parse(readFileSync(join(root, folder, path), "utf8")).packages;
  const wanted = Object.entries(read("package-lock.json")).filter(([path]) => path !== "");
  const present = read("node_modules/.package-lock.json");
  return wanted.every(([path, { version, optional }]) =>
    path in present ? present[path].version === version : optional === true,
  );
}

/** Installs a folder's dependencies with the npm that runs us, or the one in PATH. */
async function installDependencies(folder, what, ...more) {
  if (dependenciesFresh(folder)) return;
  say(`installing ${what} (npm ci)`);
  const npm = process.env.npm_execpath ?? which("npm");
  if (!npm) throw new Error("npm was not found; install Node.js with npm and try again.");
  const parameters = ["ci", "--include=dev", "--loglevel=error", ...more];
  const options = { cwd: join(root, folder) };
  const { code } = /\.[cm]?js$/.test(npm)
    ? await run(process.execPath, [npm, ...parameters], options)
    : await run(npm, parameters, options);
  if (code !== 0) {
    throw new Error(
      `npm ci failed (exit status ${code}); its lines above say why. Then try again.`,
    );
  }
}

/** Builds dist/ when src/ is newer. */
async function buildLibrary() {
  const sources = ["src", "package.json", "tsconfig.json", "scripts/build.mjs"];
  if (isFresh("dist/cli.cjs", sources)) return;
  say("building dist/");
  const { code } = await run(process.execPath, [join(root, "scripts/build.mjs")]);
  if (code !== 0) throw new Error("dist/ could not be built; the lines above say why.");
}

/** Builds the addon when native/ is newer; failing is not an error. */
async function buildAddon() {
  if (isFresh(ADDON, SOURCES)) return;
  const { built, line } = await buildNative();
  say(
    built
      ? `native addon built by ${line}`
      : `native addon not built, the TypeScript engine is used: ${line}`,
  );
}

/**
 * Makes the project ready to run.
 *
 * @throws {Error} one sentence, when dependencies cannot be installed or dist/ cannot be built
 */
export async function setup() {
  // No dependency needs a script of its own to be installed (test/docs/supply-chain.test.ts).
  await installDependencies(".", "dependencies", "--ignore-scripts");
  await buildLibrary();
  await buildAddon();
}

/**
 * Installs the frameworks that test/compat/ serves: much, and nothing that postern itself needs.
 *
 * @throws {Error} one sentence, when they cannot be installed
 */
export async function setupFrameworks() {
  await installDependencies("test/compat", "the frameworks of test/compat/", "--ignore-scripts");
}

/**
 * Installs what the documentation site is made with.
 *
 * @throws {Error} one sentence, when it cannot be installed
 */
export async function setupSite() {
  await installDependencies("site", "what the site is made with", "--ignore-scripts");
}

/**
 * Installs what bench/serve/ measures postern against.
 *
 * @param {boolean} all Bun and newer versions of Node, too: 300 MB
 * @throws {Error} one sentence, when they cannot be installed
 */
export async function setupBench(all) {
  const omit = all ? [] : ["--omit=optional"];
  if (all && !existsSync(join(root, "bench/node_modules/bun"))) {
    rmSync(join(root, "bench/node_modules/.package-lock.json"), { force: true });
  }
  await installDependencies("bench", "what the bench compares with", "--ignore-scripts", ...omit);
}

if (isMain(import.meta.url)) {
  try {
    await setup();
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
