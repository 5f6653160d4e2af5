/**
 * The text of a program that imports from `postern-src/` → a file that Node runs by itself, in a process or a worker.
 * The addon of the tests lies beside it, so every configuration runs there. It starts nothing.
 */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build } from "rolldown";
import { loadAddon } from "../../src/engine/native.ts";
import { testAddonPaths } from "./addon.ts";

const root = resolve(import.meta.dirname, "../..");

/** Puts into a folder what a program there finds by itself: the version, and the addon where it is built. */
export function equipFolder(folder: string): void {
  copyFileSync(join(root, "package.json"), join(folder, "package.json"));
  const loaded = loadAddon(testAddonPaths());
  const addon = join(folder, "build/Release/postern.node");
  if (loaded.addon === undefined || existsSync(addon)) return;
  mkdirSync(dirname(addon), { recursive: true });
  copyFileSync(loaded.path, addon);
}

/**
 * Bundles a program.
 *
 * @param folder of the test's own; gets the addon as well
 * @param name   of the module, which ends in `.mjs` or `.cjs`
 * @returns its path
 */
export async function bundleApart(folder: string, name: string, text: string): Promise<string> {
  equipFolder(folder);
  const file = join(folder, name);
  const input = `${file}.ts`;
  writeFileSync(input, text);
  await build({
    input,
    cwd: root,
    platform: "node",
    external: /^node:/,
    resolve: { alias: { "postern-src": join(root, "src") } },
    output: { file, format: name.endsWith(".cjs") ? "cjs" : "esm", codeSplitting: false },
    logLevel: "silent",
  });
  return file;
}
