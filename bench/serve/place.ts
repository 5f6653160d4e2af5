/**
 * Where the project is, for code that runs bundled as well as by vitest.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

function rootAbove(folder: string): string {
  if (existsSync(join(folder, "binding.gyp"))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error("the project's folder was not found");
  return rootAbove(above);
}

/** Absolute path of the project. */
export const root: string = rootAbove(import.meta.dirname);

/** Folder of the programs that are measured. */
export const programs: string = join(root, "bench/serve/programs");
