/**
 * The tarball that a release publishes, installed by npm into an empty project and used there.
 *
 * With and without the prebuilt addon, without a compiler and with one, as this user and as nobody; by CommonJS, by ESM
 * and by TypeScript. Names and types of the entries are package.test.ts's; other Nodes are `npm run test:nodes`'s.
 */
import { execFile, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addonPaths } from "../src/engine/native.ts";
import { platformName } from "../src/engine/platform.ts";

const root = resolve(import.meta.dirname, "..");
const run = promisify(execFile);
const room = realpathSync(mkdtempSync(join(tmpdir(), "postern-installed-")));
const platform = platformName(process.platform, process.arch, process.execPath);
const addon = addonPaths(platform).find((path) => existsSync(path));

/** User and group that own nothing, on every system with users. */
const NOBODY = 65_534;
/** Why nothing can be done as another user here; "" where it can. */
const alone = whyAlone();

function whyAlone(): string {
  if (process.getuid?.() !== 0) return ": not root here";
  const tried = spawnSync(process.execPath, ["--version"], { uid: NOBODY, gid: NOBODY });
  return tried.status === 0 ? "" : ": nobody cannot run this Node";
}

/** A PATH on which there is Node and nothing else: no compiler, no make, no Python. */
const onlyNode = join(room, "bin");

/** npm's own program, so that it runs on this very Node and needs no shell. */
function npmProgram(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = folders.map((folder) => join(folder, "npm")).find((path) => existsSync(path));
  if (found === undefined) throw new Error("npm is not in PATH.");
  return realpathSync(found);
}

/** An environment without what npm and the tests themselves have put into ours. */
function environment(path: string, home?: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|POSTERN_|NODE_)/.test(name));
  return { ...Object.fromEntries(own), PATH: path, ...(home === undefined ? {} : { HOME: home }) };
}

/** Packs the folder that the tarball of `npm pack` holds, as it is now. */
async function pack(name: string): Promise<string> {
  const path = join(room, name);
  await run("tar", ["-czf", path, "package"], { cwd: room });
  return path;
}

let carrying: string;
let plain: string;

beforeAll(async () => {
  chmodSync(room, 0o755);
  mkdirSync(onlyNode);
  symlinkSync(process.execPath, join(onlyNode, "node"));
  const words = ["pack", "--ignore-scripts", "--json", "--pack-destination", room];
  const { stdout } = await run(process.execPath, [npmProgram(), ...words], { cwd: root });
  await run("tar", ["-xzf", JSON.parse(stdout)[0].filename], { cwd: room });
  rmSync(join(room, "package/prebuilds"), { recursive: true, force: true });
  plain = await pack("plain.tgz");
  if (addon === undefined) return;
  const folder = join(room, "package/prebuilds", platform);
  mkdirSync(folder, { recursive: true });
  copyFileSync(addon, join(folder, "postern.node"));
  carrying = await pack("carrying.tgz");
}, 60_000);

afterAll(() => rmSync(room, { recursive: true, force: true }));

/** A project and who works in it. */
interface Project {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly user: { readonly uid?: number; readonly gid?: number };
}

/** An empty project of this user, who has no compiler. */
function emptyProject(name: string): Project {
  const folder = join(room, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  return { folder, environment: environment(onlyNode), user: {} };
}

/** Runs a program of Node in a project; what it printed. */
async function node(project: Project, ...words: string[]): Promise<string> {
  const options = { cwd: project.folder, env: project.environment, ...project.user };
  return (await run(process.execPath, words, options)).stdout;
}

async function install(project: Project, tarball: string, ...words: string[]): Promise<void> {
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier"];
  await node(project, npmProgram(), "install", ...quiet, ...words, tarball);
}

/** The files of a folder and of those in it. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

/** Serves one request over each protocol and prints engine and answers as JSON. */
const SERVING = `
  async function main() {
    const answers = [];
    let engine;
    for (const protocol of ["fastcgi", "scgi", "ajp"] as const) {
      const socket = "./" + protocol + ".sock";
      const server = serve((req, res) => res.end("Hello over " + req.gateway.protocol), {
        protocol,
        socket,
      });
      await server.ready();
      engine = server.engine;
      const response = await request({ protocol, address: { socket } });
      for await (const piece of response.body) answers.push(Buffer.from(piece).toString());
      await server.shutdown();
    }
    console.log(JSON.stringify({ engine, answers }));
  }
  main();`;
const IMPORTS = `
  import { serve } from "postern";
  import { request } from "postern/client";`;
const REQUIRES = `
  const { serve } = require("postern");
  const { request } = require("postern/client");`;
const ANSWERS = ["Hello over fastcgi", "Hello over scgi", "Hello over ajp"];

/** Writes the program that serves, in one of the three languages, and runs it. */
async function served(project: Project, kind: "cjs" | "mjs" | "mts"): Promise<unknown> {
  const head = kind === "cjs" ? REQUIRES : IMPORTS;
  const path = join(project.folder, `serving.${kind}`);
  writeFileSync(path, head + (kind === "mts" ? SERVING : SERVING.replace(" as const", "")));
  if (kind === "mts") {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
    const language = ["--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"];
    await node(project, compiler, ...language, ...types, path);
  }
  return JSON.parse(await node(project, path.replace(/\.mts$/, ".mjs")));
}

/** What `postern --version` prints there, by the name that npm gave the command. */
async function versionOf(project: Project): Promise<string> {
  const command = join(project.folder, "node_modules/.bin/postern");
  const options = { cwd: project.folder, env: project.environment, ...project.user };
  return (await run(command, ["--version"], options)).stdout;
}

const FROM_PACKAGE = {
  name: "native",
  reason: `the addon loads from prebuilds/${platform}/postern.node`,
};
const unbuilt = addon === undefined ? ": the addon is not built" : "";

test.skipIf(addon === undefined)(
  `without compiler and without scripts, the installed package serves on the addon that it carries${unbuilt}`,
  async () => {
    const project = emptyProject("carrying");
    await install(project, carrying, "--ignore-scripts");
    const folder = join(project.folder, "node_modules/postern");
    expect(filesIn(folder)).toEqual(filesIn(join(room, "package")));
    for (const kind of ["cjs", "mts", "mjs"] as const) {
      expect(await served(project, kind)).toEqual({ engine: FROM_PACKAGE, answers: ANSWERS });
    }
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    expect(await versionOf(project)).toBe(
      `postern ${version}, engine native (${FROM_PACKAGE.reason}), node ${process.version}\n`,
    );
  },
  60_000,
);

test("an installed package without an addon, or with one that does not load, serves on TypeScript and says why", async () => {
  const project = emptyProject("plain");
  await install(project, plain, "--ignore-scripts");
  const engine = { name: "typescript", reason: "the addon is not built" };
  expect(await served(project, "cjs")).toEqual({ engine, answers: ANSWERS });
  expect(await versionOf(project)).toContain("engine typescript (the addon is not built), node");
  const folder = join(project.folder, "node_modules/postern/prebuilds", platform);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "postern.node"), "This is no addon.");
  expect(await versionOf(project)).toContain("engine typescript (the addon does not load: ");
}, 60_000);

test.skipIf(alone !== "" || addon === undefined)(
  `as another user, with a compiler and with scripts allowed, the same is installed and nothing is built${alone || unbuilt}`,
  async () => {
    // Dependencies as npm installed them: this user has none of npm's cache.
    const first = emptyProject("before");
    await install(first, carrying);
    const folder = join(room, "nobody");
    cpSync(first.folder, folder, { recursive: true, verbatimSymlinks: true });
    rmSync(join(folder, "node_modules/postern"), { recursive: true });
    for (const name of [".", ...readdirSync(folder, { recursive: true, encoding: "utf8" })]) {
      if (existsSync(join(folder, name))) chownSync(join(folder, name), NOBODY, NOBODY);
    }
    const path = process.env["PATH"] ?? "";
    const project: Project = {
      folder,
      environment: environment(onlyNode + delimiter + path, folder),
      user: { uid: NOBODY, gid: NOBODY },
    };
    await install(project, carrying);
    const installed = join(folder, "node_modules/postern");
    expect(filesIn(installed)).toEqual(filesIn(join(room, "package")));
    expect(statSync(join(installed, "package.json")).uid).toBe(NOBODY);
    expect(await served(project, "cjs")).toEqual({ engine: FROM_PACKAGE, answers: ANSWERS });
    expect(await versionOf(project)).toContain(`engine native (${FROM_PACKAGE.reason})`);
  },
  60_000,
);
