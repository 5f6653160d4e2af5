/**
 * src/ → dist/: one CommonJS implementation, a thin ESM wrapper over it, and types for both.
 *
 * Every entry shares the same chunks, so no state exists twice however postern is loaded. The addon is not
 * built here (see build-native.mjs), and source maps are not shipped: the bundle is readable.
 */
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isMain, root } from "./house.mjs";

/** Entry name in dist/ → source file. */
const ENTRIES = {
  index: "src/index.ts",
  client: "src/client/client.ts",
  cli: "src/cli/main.ts",
};
/** Entries of which dist/ also carries types and an ESM wrapper. */
const LIBRARY = ["index", "client"];

/** Where everything is made before it takes the place of dist/ at once. */
const dist = join(root, "build-dist");

/** Bundles all entries to *.cjs. */
async function bundle() {
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
    });
  } finally {
    await build.close();
  }
}

/** Writes NAME.mjs, which names what dist/NAME.cjs exports. */
function wrap(name) {
  const implementation = createRequire(import.meta.url)(join(dist, `${name}.cjs`));
  const names = Object.keys(implementation).filter((key) => /^[A-Za-z_$][\w$]*$/.test(key));
  const lines = [
    `// The names of ${name}.cjs for \`import\`; the implementation exists once.`,
    `import implementation from "./${name}.cjs";`,
    "",
    ...names.map((key) => `export const ${key} = implementation.${key};`),
  ];
  writeFileSync(join(dist, `${name}.mjs`), `${lines.join("\n")}\n`);
}

/** Writes NAME.d.mts and NAME.d.cts, everything in one file each. */
async function types(name) {
  const [{ rollup }, { dts }] = await Promise.all([import("rollup"), import("rollup-plugin-dts")]);
  const build = await rollup({
    input: join(root, ENTRIES[name]),
    external: (id) => /^node:/.test(id),
    plugins: [dts({ tsconfig: join(root, "tsconfig.json") })],
  });
  try {
    const { output } = await build.generate({ format: "es" });
    for (const extension of ["d.mts", "d.cts"]) {
      writeFileSync(join(dist, `${name}.${extension}`), output[0].code);
    }
  } finally {
    await build.close();
  }
}

/** The command line starts with its shebang and may be executed. */
function makeExecutable(name) {
  const path = join(dist, `${name}.cjs`);
  const code = readFileSync(path, "utf8");
  if (!code.startsWith("#!")) writeFileSync(path, `#!/usr/bin/env node\n${code}`);
  chmodSync(path, 0o755);
}

/**
 * Builds dist/ anew.
 *
 * @throws {Error} what the bundler or the type generator says
 */
export async function build() {
  const absent = Object.values(ENTRIES).filter((path) => !existsSync(join(root, path)));
  if (absent.length > 0) throw new Error(`Nothing to build from: ${absent.join(", ")} missing.`);
  rmSync(dist, { recursive: true, force: true });
  await bundle();
  makeExecutable("cli");
  for (const name of LIBRARY) {
    wrap(name);
    await types(name);
  }
  rmSync(join(root, "dist"), { recursive: true, force: true });
  renameSync(dist, join(root, "dist"));
}

if (isMain(import.meta.url)) await build();
