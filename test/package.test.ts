/**
 * The built package as a user's project sees it: by `import`, by `require`, by its types and by its command.
 *
 * Needs dist/ (`npm run build`; `npm test` does it first) and says nothing about behaviour behind the names.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const run = promisify(execFile);
let project: string;

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

test("import and require give the same names and the same things", async () => {
  const program = `
    const required = require("postern");
    import("postern").then((imported) => {
      const names = Object.keys(imported);
      const differing = Object.keys(required).filter((name) => imported[name] !== required[name]);
      console.log(JSON.stringify({ names, differing, more: names.filter((name) => !(name in required)) }));
    });`;
  const { stdout } = await run(process.execPath, ["-e", program], { cwd: project });
  const { names, differing, more } = JSON.parse(stdout);
  expect(names).not.toEqual([]);
  expect({ differing, more }).toEqual({ differing: [], more: [] });
});

test("the types resolve for import and for require, and name every value", async () => {
  const { stdout } = await run(
    process.execPath,
    ["-p", 'Object.keys(require("postern")).join(",")'],
    { cwd: project },
  );
  const names = stdout.trim();
  expect(names).not.toBe("");
  const program = `import { ${names} } from "postern";\nexport const all: unknown[] = [${names}];\n`;
  writeFileSync(join(project, "user.mts"), program);
  writeFileSync(join(project, "user.cts"), program);
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022"];
  const command = [compiler, ...options, "--types", "node", "user.mts", "user.cts"];
  const result = await run(process.execPath, command, { cwd: project }).catch(
    (error: { stdout: string }) => error,
  );
  expect(result.stdout).toBe("");
});

test("the command says its version, and it is the package's", async () => {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const command = join(root, manifest.bin.postern);
  const { stdout } = await run(command, ["--version"], { cwd: project });
  expect(stdout).toContain(manifest.version);
});

test("the published files hold dist and the addon's sources, and no tests", async () => {
  const npm = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = await run("npm", npm, { cwd: root });
  const files: string[] = JSON.parse(stdout)[0].files.map((file: { path: string }) => file.path);
  for (const wanted of [
    "dist/index.cjs",
    "dist/index.mjs",
    "dist/index.d.cts",
    "dist/index.d.mts",
  ]) {
    expect(files).toContain(wanted);
  }
  for (const wanted of ["dist/cli.cjs", "binding.gyp", "LICENSE", "README.md"]) {
    expect(files).toContain(wanted);
  }
  expect(files.filter((path) => /^(test|src|bench|docs|node_modules)\//.test(path))).toEqual([]);
});
