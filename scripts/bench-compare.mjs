/**
 * A commit → whether this tree costs less CPU a request than it, or more: `npm run bench:compare REF`.
 *
 * REF is built in a work tree of its own under node_modules/.cache and kept there for the next time. Programs, load
 * generator and scenarios are this tree's on both sides. Exit status 1: something is slower past the margin.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { bundle, readyForSockets } from "./bench.mjs";
import { isMain, root, run, say } from "./house.mjs";
import { setup } from "./setup.mjs";

const CACHE = join(root, "node_modules/.cache/bench-compare");
/** Builds that are kept, the newest. */
const KEPT_COUNT = 5;

/** Runs a command that must go well; its output. */
async function must(command, parameters, cwd = root) {
  const { code, output } = await run(command, parameters, { quiet: true, cwd });
  if (code !== 0) throw new Error(`${[command, ...parameters].join(" ")} failed:\n${output}`);
  return output.trim();
}

/** Removes the oldest builds, so that there is room for one more. */
function makeRoom() {
  mkdirSync(CACHE, { recursive: true });
  const age = (name) => statSync(join(CACHE, name)).mtimeMs;
  const builds = readdirSync(CACHE).sort((a, b) => age(b) - age(a));
  for (const name of builds.slice(KEPT_COUNT - 1)) {
    rmSync(join(CACHE, name), { recursive: true, force: true });
  }
}

/** The packages of another work tree: ours where the lock file is the same. */
async function installInto(folder) {
  const lock = (place) => readFileSync(join(place, "package-lock.json"), "utf8");
  if (lock(folder) === lock(root)) {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  } else {
    await must("npm", ["ci", "--ignore-scripts", "--loglevel=error"], folder);
  }
}

/**
 * Builds a commit.
 *
 * @param {string} ref anything that git knows
 * @returns {Promise<string>} absolute path of its folder
 */
export async function buildRef(ref) {
  let sha;
  try {
    sha = await must("git", ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`]);
  } catch {
    throw new Error(`git knows no commit ${JSON.stringify(ref)}`);
  }
  const folder = join(CACHE, sha);
  if (existsSync(join(folder, "dist/index.mjs"))) return folder;
  say(`building ${ref} (${sha.slice(0, 9)})`);
  rmSync(folder, { recursive: true, force: true });
  makeRoom();
  await must("git", ["worktree", "prune"]);
  await must("git", ["worktree", "add", "--detach", "--force", folder, sha]);
  await installInto(folder);
  // The addon first: dist/ says that the whole is done. Without a compiler both sides run TypeScript.
  const native = await run(process.execPath, ["scripts/build-native.mjs"], {
    quiet: true,
    cwd: folder,
  });
  if (native.code !== 0) say("its native addon was not built");
  await must(process.execPath, ["scripts/build.mjs"], folder);
  return folder;
}

async function main() {
  const [ref, ...flags] = process.argv.slice(2);
  if (ref === undefined || ref.startsWith("-")) {
    throw new Error("say which commit to compare with: npm run bench:compare HEAD~1");
  }
  await setup();
  const missing = await readyForSockets(flags);
  if (missing !== undefined) throw new Error(`there is no load generator: ${missing}`);
  const other = await buildRef(ref);
  const path = await bundle("serve/compare.ts");
  const sides = [`--before=${join(other, "dist")}`, `--after=${join(root, "dist")}`];
  const { code } = await run(process.execPath, [path, ...sides, `--ref=${ref}`, ...flags]);
  process.exitCode = code;
}

if (isMain(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    say(error.message);
    process.exitCode = 2;
  }
}
