/**
 * Application modules in every form that is taken. Each is a real file, imported as Node does.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type * as loader from "../../src/cli/load-app.ts";
import { request } from "../../src/client/client.ts";
import { serve } from "../../src/serve/serve.ts";
import { bundle } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "postern-app-"));
let loadApp: typeof loader.loadApp;
beforeAll(async () => {
  // The test runner has an import() of its own; what is tested here is Node's.
  const file = join(folder, "load-app.cjs");
  await bundle("cli/load-app.ts", file);
  ({ loadApp } = createRequire(import.meta.url)(file) as typeof loader);
});
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;

/** Writes a module of its own name and returns its path. */
function module(name: string, source: string): string {
  count += 1;
  const path = join(folder, String(count), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, source);
  return path;
}

const codeOf = (error: unknown): string => (error as { code: string }).code;

describe("a module that exports a function (req, res)", () => {
  test.each([
    ["as default, ESM", "a.mjs", "export default function marked(req, res) {}"],
    ["as app", "a.mjs", "export const app = function marked(req, res) {};"],
    ["as handler", "a.mjs", "export function handler(req, res) {}; export { handler as marked };"],
    ["as a promise", "a.mjs", "export default Promise.resolve(function marked(req, res) {});"],
    ["by top-level await", "a.mjs", "await null; export default function marked(req, res) {}"],
    [
      "from a function without parameters",
      "a.mjs",
      "export default () => function marked(req, res) {};",
    ],
    ["from an async one", "a.mjs", "export const app = async () => function marked(req, res) {};"],
    ["as module.exports", "a.cjs", "module.exports = function marked(req, res) {};"],
    ["as exports.app", "a.cjs", "exports.app = function marked(req, res) {};"],
    [
      "as exports.handler, hidden from the lexer",
      "a.cjs",
      "module.exports = Object.assign({}, { ['hand' + 'ler'](req, res) {} });",
    ],
    [
      "as transpiled exports.default",
      "a.cjs",
      "exports.__esModule = true; exports['def' + 'ault'] = function marked(req, res) {};",
    ],
    [
      "as a class of its own with call parameters",
      "a.mjs",
      "export default async function marked(req, res, next) {}",
    ],
  ])("%s", async (_, name, source) => {
    const handler = await loadApp(module(name, source));
    expect(handler).toBeTypeOf("function");
    expect((handler as { name: string }).name).toMatch(/^(marked|handler)$/);
  });
});

describe("a module that exports something else to serve", () => {
  test("an object with fetch", async () => {
    const handler = await loadApp(
      module("a.mjs", "export default { fetch() { return 'mine'; } };"),
    );
    expect((handler as unknown as { fetch(): string }).fetch()).toBe("mine");
  });

  test("an object with fetch and options: the handler alone is served, elsewhere is said where", async () => {
    const source = "export default { port: 'x', tls: 1, fetch: () => new Response('mine') };";
    const socket = join(folder, "options.sock");
    const server = await serve(await loadApp(module("a.mjs", source)), { socket }).ready();
    expect(server.where).toBe(`unix:${socket}`);
    const response = await request({ protocol: "fastcgi", address: { socket } });
    expect(await response.text()).toBe("mine");
    await server.shutdown();
  });

  test("an object with fetch, from a promise from a function", async () => {
    const source = "export const app = async () => ({ fetch: (request) => new Response() });";
    expect(await loadApp(module("a.mjs", source))).toHaveProperty("fetch");
  });

  test.each([
    ["Koa's", "callback() {}"],
    ["Fastify's", "ready() {}, routing() {}, close() {}"],
    ["NestJS's", "init() {}, getHttpAdapter() {}, close() {}"],
  ])("an object of %s shape, and a promise of one", async (_, methods) => {
    for (const source of [
      `export default { ${methods} };`,
      `exports.app = (async () => ({ ${methods} }))();`,
    ]) {
      const path = module(source.startsWith("export ") ? "a.mjs" : "a.cjs", source);
      expect(await loadApp(path)).toBeTypeOf("object");
    }
  });

  test("an http.Server", async () => {
    const source = "import { createServer } from 'node:http'; export default createServer();";
    expect(await loadApp(module("a.mjs", source))).toBeInstanceOf(Server);
  });

  test("the first that can be served wins", async () => {
    const source =
      "export default { title: 'x' }; export const app = 5; export function handler(req, res) {}";
    expect(await loadApp(module("a.mjs", source))).toHaveProperty("name", "handler");
  });
});

describe("paths", () => {
  const source = "export default function marked(req, res) {}";
  test("may leave out the extension, or name a folder", async () => {
    const path = module("a.mjs", source);
    expect(await loadApp(path.slice(0, -4))).toHaveProperty("name", "marked");
    const index = module("index.mjs", source);
    expect(await loadApp(dirname(index))).toHaveProperty("name", "marked");
    const main = module("lib/start.mjs", source);
    writeFileSync(join(dirname(dirname(main)), "package.json"), '{"main":"lib/start.mjs"}');
    expect(await loadApp(dirname(dirname(main)))).toHaveProperty("name", "marked");
  });

  test("may have signs that mean something in URLs", async () => {
    expect(await loadApp(module("a b#c?d%41.mjs", source))).toHaveProperty("name", "marked");
  });
});

describe("mistakes", () => {
  const failure = (path: string): Promise<unknown> =>
    loadApp(path).then(
      () => "none",
      (error: unknown) => error,
    );

  test("a module that is missing (ERR_APP_MISSING)", async () => {
    const error = await failure(join(folder, "nowhere"));
    expect(error).toHaveProperty("name", "UsageError");
    expect(codeOf(error)).toBe("ERR_APP_MISSING");
  });

  test.each([
    "export default 5;",
    "export const application = (req, res) => {};",
    "export default {};",
    "export default null;",
    "export default () => 5;",
    "export default () => {};",
    "export default Promise.resolve();",
  ])("no handler in %j (ERR_APP_HANDLER)", async (source) => {
    const error = await failure(module("a.mjs", source));
    expect(error).toHaveProperty("name", "UsageError");
    expect(codeOf(error)).toBe("ERR_APP_HANDLER");
  });

  test("a kind of file that Node does not load (ERR_APP_KIND)", async () => {
    const error = await failure(module("a.wat", "x"));
    expect(error).toHaveProperty("name", "UsageError");
    expect(codeOf(error)).toBe("ERR_APP_KIND");
  });

  test.each([
    ["a.mjs", "throw new RangeError('mine');", RangeError],
    ["a.mjs", "export default Promise.reject(new RangeError('mine'));", RangeError],
    ["a.mjs", "export default () => { throw new RangeError('mine'); };", RangeError],
    ["a.mjs", "import './missing.mjs';", Error],
    ["a.cjs", "require('no-such-package');", Error],
    ["a.cjs", "function (", SyntaxError],
  ])("the application's own in %s %j", async (name, source, kind) => {
    const error = await failure(module(name, source));
    expect(error).toHaveProperty("name", "AppFailure");
    const { cause } = error as Error;
    expect((cause as Error).name).toBe(kind.name);
  });
});
