/**
 * src/ → dist/: one CommonJS implementation, a thin ESM wrapper over it, and types for both.
 *
 * Every entry shares the same chunks, so no state exists twice however postern is loaded. The addon is not
 * built here (see build-native.mjs), and source maps are not shipped: the bundle is readable. Two builds at once do not
 * meet: each works in a folder of its own, and the later one is what stays.
 */
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { inOwnFolder, isMain, root, stampMade } from "./house.mjs";

/** Entry name in dist/ → source file. */
const ENTRIES = {
  index: "src/index.ts",
  client: "src/client/client.ts",
  register: "src/serve/register.ts",
  cli: "src/cli/main.ts",
  worker: "src/cli/worker.ts",
};
/** Entries of which dist/ also carries types and an ESM wrapper. */
const LIBRARY = ["index", "client"];
/** Entries that are loaded for what they do: one file for import and require, and nothing to name. */
const PRELOADED = ["register"];

/** Other builds may put theirs in place between two of our calls, but not this often. */
const ATTEMPTS = 10;

/**
 * Modules of Node that few servers use and every start would pay for: crypto 1.4 ms, the others 0.6 each.
 * src/ imports them like all others; dist/ requires them at their first use.
 */
const SELDOM_USED = ["crypto", "dns/promises", "fs/promises"];

/** `let node_crypto = require("node:crypto");` → an object that requires it when it is first asked. */
function requireAtUse(code) {
  return SELDOM_USED.reduce((text, name) => {
    const held = `node_${name.replace("/", "_")}`;
    const [before, after] = text.split(`let ${held} = require("node:${name}");`);
    if (after === undefined) return text;
    const made = `let ${held} = { get module() {
\tconst value = require("node:${name}");
\tObject.defineProperty(this, "module", { value });
\treturn value;
} };`;
    return `${before}${made}${after.replaceAll(`${held}.`, `${held}.module.`)}`;
  }, code);
}

/** Bundles all entries to *.cjs. */
async function bundle(dist) {
  const { rolldown } = await import("rolldown");
  const build = await rolldown({
    input: Object.fromEntries(
      Object.entries(ENTRIES).map(([name, path]) => [name, join(root, path)]),
    ),
    cwd: root,
    platform: "node",
    // What is not ours is not bundled: runtime dependencies are installed, not copied.
    external: (id) => !id.startsWith(".") && !id.startsWith("/") && !/^[A-Za-z]:\\/.test(id),
    treeshake: true,
    onLog(level, log, handle) {
      // A circular import or a name that resolves nowhere is a mistake in src/, not a remark.
      handle(level === "warn" ? "error" : level, log);
    },
  });
  try {
    await build.write({
      dir: dist,
      format: "cjs",
      exports: "named",
      entryFileNames: "[name].cjs",
      // Flat, so that `import.meta.dirname` is dist/ whichever chunk a module lands in.
      chunkFileNames: "shared-[name].cjs",
      strict: true,
      minify: false,
      // A quarter of the bytes, which Node would read at each start; they are in the types.
      comments: { jsdoc: false },
      plugins: [{ name: "require-at-use", renderChunk: requireAtUse }],
    });
  } finally {
    await build.close();
  }
}

/** What dist/NAME.cjs exports. */
function valueNames(dist, name) {
  const implementation = createRequire(import.meta.url)(join(dist, `${name}.cjs`));
  return Object.keys(implementation).filter((key) => /^[A-Za-z_$][\w$]*$/.test(key));
}

/** Writes NAME.mjs, which names what NAME.cjs exports. */
function wrap(dist, name) {
  const names = valueNames(dist, name);
  const lines = [
    `// The names of ${name}.cjs for \`import\`; the implementation exists once.`,
    `import implementation from "./${name}.cjs";`,
    "",
    ...names.map((key) => `export const ${key} = implementation.${key};`),
  ];
  writeFileSync(join(dist, `${name}.mjs`), `${lines.join("\n")}\n`);
}

/**
 * Declarations of which an export is a value only where there is one.
 *
 * The type generator forgets that a class was exported as a type, and users would find undefined in its place.
 */
function withoutMissingValues(code, values) {
  return code.replace(/^export \{ (.+) \};$/m, (_, list) => {
    const names = list.split(", ");
    const missing = names.filter((name) => !values.includes(name));
    const lines = [`export { ${names.filter((name) => values.includes(name)).join(", ")} };`];
    if (missing.length > 0) lines.push(`export type { ${missing.join(", ")} };`);
    return lines.join("\n");
  });
}

/** Writes NAME.d.mts and NAME.d.cts, everything in one file each. */
async function types(dist, name) {
  const [{ rollup }, { dts }] = await Promise.all([import("rollup"), import("rollup-plugin-dts")]);
  const build = await rollup({
    input: join(root, ENTRIES[name]),
    external: (id) => /^node:/.test(id),
    plugins: [dts({ tsconfig: join(root, "tsconfig.json") })],
  });
  try {
    const { output } = await build.generate({ format: "es" });
    const code = withoutMissingValues(output[0].code, valueNames(dist, name));
    for (const extension of ["d.mts", "d.cts"]) {
      writeFileSync(join(dist, `${name}.${extension}`), code);
    }
  } finally {
    await build.close();
  }
}

/** The command line starts with its shebang and may be executed. */
function makeExecutable(path) {
  const code = readFileSync(path, "utf8");
  if (!code.startsWith("#!")) writeFileSync(path, `#!/usr/bin/env node\n${code}`);
  chmodSync(path, 0o755);
}

/**
 * Puts a made folder in the place of dist/ by two renames, so that no half of it is ever seen there.
 *
 * @throws {Error} when the file system refuses
 */
function takePlace(made) {
  for (let attempt = 1; ; attempt++) {
    try {
      renameSync(join(root, "dist"), `${made}-former-${attempt}`);
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
    try {
      return renameSync(made, join(root, "dist"));
    } catch (error) {
      // Another build was quicker: its dist/ is moved away in turn.
      const isTaken = ["ENOTEMPTY", "EEXIST", "EPERM"].includes(error.code);
      if (!isTaken || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * Builds dist/ anew.
 *
 * @throws {Error} what the bundler or the type generator says
 */
export async function build() {
  const absent = Object.values(ENTRIES).filter((path) => !existsSync(join(root, path)));
  if (absent.length > 0) throw new Error(`Nothing to build from: ${absent.join(", ")} missing.`);
  const began = new Date();
  await inOwnFolder("dist", async (folder) => {
    const dist = join(folder, "dist");
    const command = join(dist, "cli.cjs");
    await bundle(dist);
    makeExecutable(command);
    for (const name of LIBRARY) {
      wrap(dist, name);
      await types(dist, name);
    }
    for (const name of PRELOADED) {
      // An empty module, so that TypeScript finds the entry.
      writeFileSync(join(dist, `${name}.d.cts`), "export {};\n");
    }
    stampMade(command, began);
    takePlace(dist);
  });
}

if (isMain(import.meta.url)) await build();
