/**
 * The built package as a user's project sees it: by `import`, by `require`, by its types and by its command.
 *
 * Needs dist/ (`npm run build`; `npm test` does it first) and says nothing about behaviour behind the names.
 */
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const run = promisify(execFile);
let project: string;

/** What a user may import, and the values that it has. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  postern: [
    "AbortError",
    "InternalError",
    "ProtocolError",
    "Server",
    "UsageError",
    "createServer",
    "httpAttributes",
    "reopenLogs",
    "sendFile",
    "serve",
  ],
  "postern/client": ["ClientConnection", "ClientError", "request"],
};

/** What is loaded for what it does, and has no names. */
const PRELOADED = "postern/register";

beforeAll(async () => {
  const built = existsSync(join(root, "dist/index.cjs"));
  if (!built) throw new Error("dist/ is missing; run npm run build first.");
  project = mkdtempSync(join(tmpdir(), "postern-user-"));
  await mkdir(join(project, "node_modules/@types"), { recursive: true });
  symlinkSync(root, join(project, "node_modules/postern"));
  symlinkSync(join(root, "node_modules/@types/node"), join(project, "node_modules/@types/node"));
});

afterAll(() => {
  if (project) rmSync(project, { recursive: true, force: true });
});

/** Runs a CommonJS program in the user's project; what it printed, as JSON. */
async function evaluate(program: string): Promise<unknown> {
  const { stdout } = await run(process.execPath, ["-e", program], { cwd: project });
  return JSON.parse(stdout);
}

test("the package has these entries and no other", async () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = [...Object.keys(ENTRIES), PRELOADED].map((name) => name.replace("postern", "."));
  expect(Object.keys(exports)).toEqual([...entries, "./package.json"]);
  const inner = `
    try {
      require("postern/dist/index.cjs");
    } catch ({ code }) {
      console.log(JSON.stringify(code));
    }`;
  expect(await evaluate(inner)).toBe("ERR_PACKAGE_PATH_NOT_EXPORTED");
});

test.each(Object.entries(ENTRIES))(
  "import and require of %s give the same names and the same things",
  async (entry, names) => {
    const program = `
      const required = require("${entry}");
      import("${entry}").then((imported) => {
        const differing = Object.keys(required).filter((name) => imported[name] !== required[name]);
        const [names, requiredNames] = [imported, required].map((module) => Object.keys(module).sort());
        console.log(JSON.stringify({ names, requiredNames, differing }));
      });`;
    const sorted = [...names].sort();
    expect(await evaluate(program)).toEqual({
      names: sorted,
      requiredNames: sorted,
      differing: [],
    });
  },
);

test("the preload is one module, whether import or require asks, and does nothing by itself", async () => {
  const program = `
    const { Server } = require("node:http");
    require("${PRELOADED}");
    const { listen } = Server.prototype;
    import("${PRELOADED}").then(({ default: names }) => {
      console.log(JSON.stringify([listen === Server.prototype.listen, Object.keys(names)]));
    });`;
  expect(await evaluate(program)).toEqual([true, []]);
  for (const word of ["--import", "--require"]) {
    const words = [word, PRELOADED, "-e", "console.log(1)"];
    expect((await run(process.execPath, words, { cwd: project })).stdout).toBe("1\n");
  }
});

test("the entries share their errors, since nothing is there twice", async () => {
  const program = `
    const { UsageError } = require("postern");
    require("postern/client").request({ protocol: "gopher", address: { port: 1 } }).catch((error) => {
      console.log(JSON.stringify([error.name, error instanceof UsageError]));
    });`;
  expect(await evaluate(program)).toEqual(["UsageError", true]);
});

/** A program that compiles when the entry's types have these values and no other. */
function typedUser(entry: string, names: readonly string[]): string {
  return `
    import * as all from "${entry}";
    import { ${names.join(", ")} } from "${entry}";
    type Names = ${names.map((name) => JSON.stringify(name)).join(" | ")};
    type Others = Exclude<keyof typeof all, Names>;
    export const others: [Others] extends [never] ? true : Others = true;
    export const values: Record<Names, unknown> = { ${names.join(", ")} };`;
}

/** Two calls with a wrong option each, on lines 4 and 5. */
const WRONG_CALLS = `
    import { serve } from "postern";
    import { request } from "postern/client";
    serve(() => undefined, { protocol: "gopher" });
    request({ protocol: "scgi", address: 5 });`;

test("one dependency reads files, and nothing loads it before a file is sent", async () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(Object.keys(dependencies)).toEqual(["@fastify/send"]);
  const program = `
    const { createServer } = require("postern");
    createServer({ port: 0, static: { "/x": "." }, sendfile: { "/y": "." } });
    const foreign = Object.keys(require.cache).filter((path) => path.includes("fastify"));
    console.log(JSON.stringify(foreign));`;
  expect(await evaluate(program)).toEqual([]);
});

test("the types resolve for import and for require, name the values and no other, and refuse wrong calls", async () => {
  const programs = Object.entries(ENTRIES).map(([entry, names]) => typedUser(entry, names));
  programs.push(`import "${PRELOADED}";`);
  const files = [...programs, WRONG_CALLS].flatMap((program, index) =>
    ["mts", "cts"].map((extension) => {
      const file = `${program === WRONG_CALLS ? "wrong" : `user-${index}`}.${extension}`;
      writeFileSync(join(project, file), program);
      return file;
    }),
  );
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const options = [
    "--noEmit",
    "--strict",
    "--noUncheckedSideEffectImports",
    "--module",
    "nodenext",
    "--target",
    "es2022",
  ];
  const command = [compiler, ...options, "--pretty", "false", "--types", "node", ...files];
  const { stdout } = await run(process.execPath, command, { cwd: project }).catch(
    (error: { stdout: string }) => error,
  );
  const places = stdout.match(/^\S+\.[mc]ts\(\d+/gm) ?? [];
  expect(places.sort(), stdout).toEqual([
    "wrong.cts(4",
    "wrong.cts(5",
    "wrong.mts(4",
    "wrong.mts(5",
  ]);
}, 60_000);

test("the command says its version, and it is the package's", async () => {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const command = join(root, manifest.bin.postern);
  const { stdout } = await run(command, ["--version"], { cwd: project });
  expect(stdout).toContain(manifest.version);
});

/** The modules of dist/ that the entries load, themselves included. */
function loaded(name: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  const code = readFileSync(join(root, "dist", name), "utf8");
  for (const [, other] of code.matchAll(/\brequire\("\.\/([^"]+)"\)/g)) loaded(other!, found);
  return found;
}

test("the published files are dist/, the addon's sources and the documents, exactly", async () => {
  const npm = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = await run("npm", npm, { cwd: root });
  const files: string[] = JSON.parse(stdout)[0].files.map((file: { path: string }) => file.path);
  const modules = ["index.cjs", "client.cjs", "register.cjs", "cli.cjs", "worker.cjs"].flatMap(
    (name) => [...loaded(name)],
  );
  const beside = ["index", "client"].flatMap((name) => [
    `${name}.mjs`,
    `${name}.d.mts`,
    `${name}.d.cts`,
  ]);
  beside.push("register.d.cts");
  const native = ["native/binding", "native/core"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => /\.(cc|h|map)$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  // There when a release is made.
  const isPrebuilt = (path: string): boolean => /^prebuilds\/[a-z0-9-]+\/postern\.node$/.test(path);
  const documents = ["CHANGELOG.md", "LICENSE", "README.md", "binding.gyp", "package.json"];
  const dist = [...new Set([...modules, ...beside])].map((name) => `dist/${name}`);
  expect(files.filter((path) => !isPrebuilt(path)).sort()).toEqual(
    [...documents, ...dist, ...native].sort(),
  );
});

test("a server listens without having loaded modules of Node that few servers use", async () => {
  const seldom = ["crypto", "dns/promises", "fs/promises"];
  const program = `
    const seldom = ${JSON.stringify(seldom)};
    const loaded = () => seldom.filter((name) => process.moduleLoadList.includes("NativeModule " + name));
    // Newer Nodes have loaded some of them for themselves.
    const before = loaded();
    const { serve } = require("postern");
    serve((req, res) => res.end(), { socket: "./start.sock" }).ready().then((server) => {
      const atStart = loaded().filter((name) => !before.includes(name));
      for (const name of seldom) require("node:" + name);
      console.log(JSON.stringify([atStart, loaded()]));
      server.close();
    });`;
  // Not by -e, for which Node loads them all.
  const path = join(project, "start.cjs");
  writeFileSync(path, program);
  const { stdout } = await run(process.execPath, [path], { cwd: project });
  expect(JSON.parse(stdout)).toEqual([[], seldom]);
});
