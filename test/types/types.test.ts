/**
 * The type tests beside this file, compiled against the built declarations as a user's project has them: for import
 * and for require, with the frameworks where they are installed. Against src/ the compiler runs in `npm run check`.
 */
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compatModules, packagesObstacle } from "../support/compat-packages.ts";
import { projectRoot, textOf } from "../support/documents.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { Room } from "../support/front/ports.ts";

const COMPILE_MS = 180_000;
const FRAMEWORKS = ["express", "koa", "fastify", "hono", "h3", "@nestjs/common"].concat([
  "@nestjs/platform-express",
  "@nestjs/platform-fastify",
  "@types/express",
  "@types/koa",
]);

const run = promisify(execFile);
const room = new Room("types");
beforeAll(() => {
  if (!existsSync(join(projectRoot, "dist/index.d.mts")))
    throw new Error("dist/ is missing; run npm run build first.");
});
afterAll(() => room.remove());

/** A user's project with postern and the packages of a folder; its path. */
function makeProject(name: string, packages: string): string {
  const folder = room.folder(name);
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  for (const found of readdirSync(packages).filter((one) => !one.startsWith("."))) {
    symlinkSync(join(packages, found), join(modules, found));
  }
  symlinkSync(projectRoot, join(modules, "postern"));
  return folder;
}

/** One of the tests beside this file, as a user of the package writes it. */
function userText(name: string): string {
  return textOf(`test/types/${name}`)
    .replaceAll("../../src/index.ts", "postern")
    .replaceAll("../../src/client/client.ts", "postern/client");
}

/** What the compiler says about a text in a project, as ESM and as CommonJS; "" when nothing. */
async function compile(folder: string, text: string, ...more: string[]): Promise<string> {
  for (const kind of ["mts", "cts"]) {
    const expectations = textOf("test/types/expectations.ts");
    writeFileSync(join(folder, `expectations.${kind}`), expectations);
    const name = `./expectations.${kind.replace("ts", "js")}`;
    writeFileSync(join(folder, `test.${kind}`), text.replaceAll("./expectations.ts", name));
  }
  const options = ["--noEmit", "--strict", "--esModuleInterop", "--types", "node", ...more];
  const language = [
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--lib",
    "es2023,esnext.disposable",
  ];
  const compiler = join(projectRoot, "node_modules/typescript/bin/tsc");
  const words = [compiler, ...options, ...language, "--pretty", "false", "test.mts", "test.cts"];
  return run(process.execPath, words, { cwd: folder }).then(
    () => "",
    (error: { stdout: string }) => error.stdout,
  );
}

/** Names that a module's source exports, in whatever way. */
function exported(path: string): string[] {
  const text = readFileSync(join(projectRoot, path), "utf8");
  const listed = [...text.matchAll(/^export (?:type )?\{([^}]+)\}/gm)].flatMap((match) =>
    match[1]!.split(",").map((name) => name.replace(/^\s*type /, "").trim()),
  );
  const declared = [...text.matchAll(/^export (?:async )?(?:function|class|const) (\w+)/gm)];
  return [...listed, ...declared.map((match) => match[1]!)].filter((name) => name !== "");
}

test("every public name has its place in the type tests", () => {
  const names = ["src/index.ts", "src/client/client.ts"].flatMap(exported);
  expect(names.length).toBeGreaterThan(30);
  const text = textOf("test/types/public.test-d.ts");
  const used = (name: string): number => text.match(new RegExp(`\\b${name}\\b`, "g"))?.length ?? 0;
  // Once where it is imported, and once where it is used.
  expect(names.filter((name) => used(name) < 2)).toEqual([]);
});

test(
  "public types hold in the built package, for import and for require",
  async () => {
    const folder = makeProject("public", join(projectRoot, "node_modules"));
    expect(await compile(folder, userText("public.test-d.ts"))).toBe("");
  },
  COMPILE_MS,
);

test(
  "a wrong use is seen by the same way of compiling",
  async () => {
    const folder = makeProject("wrong", join(projectRoot, "node_modules"));
    const text = 'import { serve } from "postern";\nserve(5);\n';
    expect(await compile(folder, text)).toMatch(
      /^test\.cts\(2,7\): error .*\n(.*\n)*test\.mts\(2,7\): error/,
    );
  },
  COMPILE_MS,
);

test(
  "applications of Express, Koa, Fastify, Hono, h3 and NestJS need no cast",
  async (context) => {
    unlessObstacle(context, packagesObstacle(...FRAMEWORKS));
    const folder = makeProject("frameworks", compatModules);
    expect(await compile(folder, userText("frameworks.test-d.ts"), "--skipLibCheck")).toBe("");
  },
  COMPILE_MS,
);
