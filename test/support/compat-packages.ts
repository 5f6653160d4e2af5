/**
 * Where the frameworks lie that compatibility is tested with: test/compat/node_modules, installed apart from our own.
 *
 * Installs nothing, and imports none of them.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { projectRoot } from "./documents.ts";

/** The folder whose packages they are. */
export const compatFolder: string = join(projectRoot, "test/compat");
/** Where they lie. */
export const compatModules: string = join(compatFolder, "node_modules");

/** Why tests with these packages cannot run here; undefined when they can. */
export function packagesObstacle(...names: readonly string[]): string | undefined {
  const missing = names.filter((name) => !existsSync(join(compatModules, name, "package.json")));
  return missing.length === 0 ? undefined : `${missing.join(", ")} not installed in test/compat`;
}

/** Loads one of them, as a program in test/compat would. */
export function loadPackage(name: string): unknown {
  return createRequire(join(compatFolder, "package.json"))(name);
}
