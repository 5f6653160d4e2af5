/**
 * What every script here needs: the project's root, one way to run a command, one way to say a line.
 * Starts nothing by itself. Node built-ins only, since these scripts run before anything is installed.
 */
import { spawn } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Absolute path of the project. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Whether a missing server or compiler is a failure and not merely said (`CI=true`). */
export const strict = process.env.CI === "true" || process.env.CI === "1";

/**
 * Prints one line of ours on stderr, so that what a command prints on stdout stays its own.
 *
 * @param {string} line what to say, without the line end
 */
export function say(line) {
  process.stderr.write(`postern: ${line}\n`);
}

/**
 * Runs a command to its end in the project's root.
 *
 * @param {string} command absolute path, or a name to be found in PATH
 * @param {readonly string[]} parameters
 * @param {{ quiet?: boolean, env?: NodeJS.ProcessEnv, cwd?: string }} [options] quiet: keep the output
 *   instead of showing it
 * @returns {Promise<{ code: number, output: string }>} code is 127 when the command could not be started;
 *   output is empty unless quiet
 */
export function run(command, parameters, options = {}) {
  return new Promise((done) => {
    const child = spawn(command, parameters, {
      cwd: options.cwd ?? root,
      env: options.env ?? process.env,
      stdio: options.quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    });
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => (output += text));
    child.stderr?.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", (error) => done({ code: 127, output: `${output}${error.message}\n` }));
    child.on("close", (code, signal) => done({ code: signal ? 128 : (code ?? 1), output }));
  });
}

/**
 * Finds a program as a shell would, and in the folders where servers lie that ordinary users lack in PATH.
 *
 * @param {string} name
 * @returns {string | undefined} absolute path
 */
export function which(name) {
  const folders = `${process.env.PATH ?? ""}${delimiter}/usr/local/sbin${delimiter}/usr/sbin${delimiter}/sbin`;
  for (const folder of folders.split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this folder: the next one is asked.
    }
  }
  return undefined;
}

/**
 * Path of a JavaScript program that an installed package brings, to be run with this Node.
 *
 * @param {string} path inside node_modules
 */
export function tool(path) {
  return join(root, "node_modules", path);
}

/**
 * Whether node_modules is there at all.
 *
 * @param {string} [folder] with a package.json of its own, from the project's root
 */
export function installed(folder = ".") {
  return existsSync(join(root, folder, "node_modules", ".package-lock.json"));
}

/** Newest change in milliseconds among files and folders (a folder changes when a file in it goes). */
function newest(paths) {
  let newestMs = 0;
  for (const path of paths.map((name) => join(root, name)).filter((name) => existsSync(name))) {
    const entries = statSync(path).isDirectory() ? readdirSync(path, { recursive: true }) : [];
    for (const entry of [path, ...entries.map((name) => join(path, name))]) {
      newestMs = Math.max(newestMs, statSync(entry).mtimeMs);
    }
  }
  return newestMs;
}

/**
 * Whether a made file is there and not older than what it is made from.
 *
 * @param {string} made from the project's root, as stampMade left it
 * @param {readonly string[]} sources files and folders, from the project's root
 */
export function isFresh(made, sources) {
  const path = join(root, made);
  return existsSync(path) && statSync(path).mtimeMs >= newest(sources);
}

/**
 * Dates a made file to when its making began, so that a source saved meanwhile counts as newer.
 *
 * @param {string} path
 * @param {Date} began
 */
export function stampMade(path, began) {
  utimesSync(path, began, began);
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs work with a folder in the project's root that no other process has, and removes it however the work ends.
 *
 * @template T
 * @param {string} name the folder is build-NAME-XXXXXX, which git ignores
 * @param {(folder: string) => Promise<T>} work gets the folder's absolute path; only this user can enter it
 * @returns {Promise<T>} what the work gave
 */
export async function inOwnFolder(name, work) {
  const folder = mkdtempSync(join(root, `build-${name}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  // Once: the signal sent again meets no listener of ours and ends the process as it would have.
  const giveUp = (signal) => {
    remove();
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.once(signal, giveUp);
  try {
    return await work(folder);
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, giveUp);
    remove();
  }
}

/**
 * Whether this module is the program that was started, and not imported by another one.
 *
 * @param {string} url the module's import.meta.url
 */
export function isMain(url) {
  return process.argv[1] !== undefined && url === pathToFileURL(process.argv[1]).href;
}
