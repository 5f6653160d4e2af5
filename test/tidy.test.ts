/**
 * House rules, checked: each collects the places that break it, and the test expects none.
 *
 * Reads the sources as text and compiles nothing; what a linter knows is left to the linter. Add a rule here
 * before you ask for it in a second review (docs/ARCHITECTURE.md says what the layers are).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { ERRORS } from "../src/errors.ts";

/** Each layer may import itself and the layers before it. */
const LAYERS: readonly string[] = [
  "errors",
  "wire",
  "http",
  "protocols",
  "engine",
  "handler",
  "connection",
  "server",
  "observe",
  "workers",
  "serve",
  "client",
  "front",
  "cli",
];
/** Layers held to less than that, and all they may import. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  front: ["errors"],
  client: ["errors", "wire", "http", "protocols"],
};
/** Neighbours that must stay strangers, in either direction. */
const STRANGERS: readonly string[] = ["wire", "http"];
/** Modules that only some files may name. */
const DOORS: Readonly<Record<string, RegExp>> = {
  "node:net": /^src\/((connection|server|workers|observe|client)\/|handler\/node\/socket\.ts$)/,
  "node:module": /^src\/engine\/native\.ts$/,
};
/** Files that may read `process`: arguments, environment, signals. `process.nextTick` is everybody's. */
const PROCESS_DOOR: RegExp =
  /^src\/((cli|workers)\/|serve\/register\.ts$|server\/listen\.ts$|engine\/select\.ts$)/;
const LINES_MAX = 300;
/** Files allowed to be longer, each with its reason. Keep this empty. */
const LONG: Readonly<Record<string, string>> = {};

const root = resolve(import.meta.dirname, "..");

/** Paths of the files in a folder, from the root, with slashes; none where the folder is missing. */
function filesIn(folder: string, names: RegExp): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name).replaceAll("\\", "/"))
    .filter((path) => names.test(path) && !path.includes("node_modules/"));
}
const text = (path: string): string => readFileSync(join(root, path), "utf8");

const sources = filesIn("src", /\.ts$/);
const native = filesIn("native", /\.(cc|h)$/);
const scripts = filesIn("scripts", /\.mjs$/);
const tests = filesIn("test", /\.(ts|mjs|cjs)$/);
const benches = filesIn("bench", /\.(ts|mjs)$/);
const code = [...sources, ...native, ...scripts, ...tests, ...benches];
const documents = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...filesIn("docs", /\.md$/),
  ...filesIn("bench", /\.md$/),
  ...filesIn("examples", /\.md$/),
];

/** The module names a TypeScript file imports, type imports and re-exports included. */
function imports(path: string): string[] {
  return [...text(path).matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
}
/** [importing file, imported file], for imports inside src/. */
const edges = sources.flatMap((path) =>
  imports(path)
    .filter((name) => name.startsWith("."))
    .map((name) => [path, join(dirname(path), name).replaceAll("\\", "/")] as const),
);
/** "src/engine/native.ts" → "engine"; "src/errors.ts" → "errors". */
const layer = (path: string): string =>
  (relative("src", path).split(/[/\\]/)[0] ?? "").replace(/\.ts$/, "");
const protocol = (path: string): string | undefined => /protocols\/([^/]+)\//.exec(path)?.[1];
/** TypeScript without comments and texts, so that words in prose are not taken for code. */
function bare(path: string): string {
  return text(path)
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/"(?:[^"\\\n]|\\.)*"|(^|[^:])\/\/.*$/gm, "$1");
}

test("every layer has its place", () => {
  const known = [...LAYERS, "index"];
  expect(sources.filter((path) => !known.includes(layer(path)))).toEqual([]);
});

test("imports point left", () => {
  const allowed = (from: string): string[] =>
    [...(ONLY[from] ?? LAYERS.slice(0, LAYERS.indexOf(from)))]
      .filter((to) => !(STRANGERS.includes(from) && STRANGERS.includes(to)))
      .concat(from);
  const wrong = edges.filter(
    ([from, to]) => layer(from) !== "index" && !allowed(layer(from)).includes(layer(to)),
  );
  expect(wrong).toEqual([]);
});

test("imports name a file that exists, with its extension", () => {
  const wrong = edges.filter(([, to]) => !to.endsWith(".ts") || !existsSync(join(root, to)));
  expect(wrong).toEqual([]);
});

test("a protocol knows no other protocol", () => {
  const wrong = edges.filter(([from, to]) => {
    const [own, other] = [protocol(from), protocol(to)];
    return own && other && other !== "cgi" && own !== other;
  });
  expect(wrong).toEqual([]);
});

test("each outside module has one door", () => {
  const wrong = sources.filter((path) =>
    imports(path).some((name) => DOORS[name] && !DOORS[name].test(path)),
  );
  expect(wrong).toEqual([]);
  const outsideBinding = native.filter((path) => !/^native\/(binding|test|fuzz)\//.test(path));
  expect(outsideBinding.filter((path) => /napi\.h|node_api\.h/.test(text(path)))).toEqual([]);
});

test("native/core includes nothing of binding, Node or V8", () => {
  const core = native.filter((path) => path.startsWith("native/core/"));
  const wrong = core.filter((path) =>
    /#include\s*[<"][^>"]*(napi|node|v8|uv|binding)/.test(text(path)),
  );
  expect(wrong).toEqual([]);
});

test("process is read at its doors only", () => {
  const wrong = sources.filter(
    (path) =>
      !PROCESS_DOOR.test(path) && /(?<![.\w])process\s*(?:\.(?!nextTick\b)|\[)/.test(bare(path)),
  );
  const imported = sources.filter(
    (path) => !PROCESS_DOOR.test(path) && imports(path).includes("node:process"),
  );
  expect([...wrong, ...imported]).toEqual([]);
});

test("no barrel files but the public surface, no default exports", () => {
  const barrels = sources.filter((path) => /\/index\.ts$/.test(path) && path !== "src/index.ts");
  const defaults = sources.filter((path) => /^export default\b/m.test(text(path)));
  expect([...barrels, ...defaults]).toEqual([]);
});

test(`files have at most ${LINES_MAX} lines`, () => {
  const long = code.filter(
    (path) => !LONG[path] && text(path).trimEnd().split("\n").length > LINES_MAX,
  );
  expect(long).toEqual([]);
});

test("file names are nouns that say something", () => {
  const wrong = code.filter((path) => /util|helper|common|misc|manager|stuff/.test(basename(path)));
  expect(wrong).toEqual([]);
});

test("files are named in the case of their language", () => {
  const typescript = [...sources, ...scripts, ...tests, ...benches].filter(
    (path) => !/^[a-z0-9]+([-.][a-z0-9]+)*\.(ts|mjs)$/.test(basename(path)),
  );
  const cpp = native.filter((path) => !/^[a-z0-9]+(_[a-z0-9]+)*\.(cc|h)$/.test(basename(path)));
  expect([...typescript, ...cpp]).toEqual([]);
});

test("every file opens with what it turns into what", () => {
  const opens = /^(#![^\n]*\n)?(\/\*\*?\s*\n? ?\*? ?\S|\/\/ ?\S)/;
  expect(code.filter((path) => !opens.test(text(path)))).toEqual([]);
});

test("every export has a docstring", () => {
  const wrong = sources.flatMap((path) => {
    const lines = text(path).split("\n");
    return lines.flatMap((line, index) => {
      const declared =
        /^export (?:declare |abstract |async )*(?:function\*?|class|const|let|interface|type) (?!\{)(\w+)/.exec(
          line,
        );
      if (!declared) return [];
      const above = lines[index - 1] ?? "";
      // The second and later signatures of one function, and a type beside its const, share a docstring.
      const overload = new RegExp(`^export (?:function|const|type) ${declared[1]}\\b`);
      const isShared = lines.slice(0, index).some((earlier) => overload.test(earlier));
      return /\*\/\s*$/.test(above) || isShared ? [] : [`${path}:${index + 1} ${declared[1]}`];
    });
  });
  expect(wrong).toEqual([]);
});

test("every error code is documented and tested", () => {
  const written = text("src/errors.ts").match(/\bERR_[A-Z][A-Z0-9_]+\b/g) ?? [];
  const codes = [...new Set([...written, ...Object.values(ERRORS).map((row) => row.code)])];
  const documented = text("docs/errors.md");
  const proofs = filesIn("test", /\.(ts|md|json)$/).filter((path) => path !== "test/tidy.test.ts");
  const proved = proofs.map(text).join("\n");
  const inDocument = (code: string) => documented.includes(`\`${code}\``);
  // By its code, or by its row: ERRORS.FCGI_ROLE.
  const inTest = (code: string) =>
    new RegExp(`\\b(${code}|ERRORS\\.${code.slice("ERR_".length)})\\b`).test(proved);
  expect(
    codes.filter((code) => !inDocument(code)),
    "not in docs/errors.md",
  ).toEqual([]);
  expect(
    codes.filter((code) => !inTest(code)),
    "in no test",
  ).toEqual([]);
});

test("nothing is left behind", () => {
  // Put together, so that this file does not find itself.
  const marks = new RegExp(
    ["\\b(FIX", "ME|X", "XX|TO", "DO)\\b|@ts-(no", "check|ig", "nore)"].join(""),
  );
  const focus = new RegExp("\\b(test|it|describe)\\.(on" + "ly|to" + "do)\\(");
  expect(code.filter((path) => marks.test(text(path)) || focus.test(text(path)))).toEqual([]);
});

test("no file names a machine's paths or a registry's host", () => {
  const paths = new RegExp(
    [
      "(^|[\\s\"'`(=])/(wo",
      "rk|fa",
      "rm|ho",
      "me/\\w+|ro",
      "ot)/|\\.\\./sha",
      "red/|regi",
      "stry\\.\\w+\\.\\w+",
    ].join(""),
    "m",
  );
  const packages = ["package.json", "package-lock.json", ".npmrc"];
  const folders = ["test/compat", "bench"];
  const inner = folders.flatMap((folder) => packages.map((name) => `${folder}/${name}`));
  const others = [...packages, ...inner, "binding.gyp", ".ci/run"];
  const examples = filesIn("examples", /\.(mjs|cjs|js|ts|html|css|json)$/);
  const all = [
    ...code,
    ...documents,
    ...examples,
    ...others,
    ...filesIn("native", /CMakeLists\.txt$/),
  ];
  expect(all.filter((path) => existsSync(join(root, path)) && paths.test(text(path)))).toEqual([]);
});

test("installing never compiles and never runs a script", () => {
  const { gypfile, scripts: run } = JSON.parse(text("package.json"));
  expect(gypfile).toBe(false);
  expect(Object.keys(run).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual(
    [],
  );
});

test("every relative link in the documents leads somewhere", () => {
  const wrong = documents.flatMap((path) =>
    [...text(path).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] ?? "")
      .filter((target) => !/^(https?:|mailto:|#)/.test(target))
      .filter((target) => !existsSync(join(root, dirname(path), target.replace(/#.*$/, ""))))
      .map((target) => `${path} → ${target}`),
  );
  expect(wrong).toEqual([]);
});

test("the names of twins agree", () => {
  const stems = (paths: string[]) => paths.map((path) => basename(path).replace(/\.(cc|h)$/, ""));
  const wanted = sources
    .filter((path) => /^src\/protocols\/\w+\/decoder\.ts$/.test(path))
    .map((path) => `${protocol(path)}_decoder`);
  const core = stems(native.filter((path) => path.startsWith("native/core/")));
  expect(core.length === 0 ? [] : wanted.filter((name) => !core.includes(name))).toEqual([]);
});
