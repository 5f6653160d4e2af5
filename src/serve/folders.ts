/**
 * Options that give folders to prefixes, `static` and `sendfile` → absolute folders that exist, or one clear sentence.
 * Checks what the file system says now; a folder that goes later is a 404. Whether the text has the right form is
 * check.ts's.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import type { FolderSettings } from "../server/settings.ts";
import { variableName } from "./option-values.ts";

/** Fails unless a folder is there. */
function checkFolder(folder: string, label: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(folder).isDirectory();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new UsageError(`${label}, which does not exist; make that folder or correct its path.`);
    }
    throw new UsageError(
      `${label}, which cannot be read (${code}); give a folder that this user may read.`,
      "ERR_USAGE",
      { cause },
    );
  }
  if (!isFolder) {
    throw new UsageError(`${label}, which is no folder; give the folder that holds the files.`);
  }
}

/**
 * Reads the folders of one option.
 *
 * @param name  the option
 * @param given prefixes with their folders, in the right form
 * @returns prefixes with a slash at both ends, and absolute paths
 * @throws UsageError for a prefix that is given twice, leads elsewhere, or hides everything, and for a missing folder
 */
export function readFolders(
  name: "static" | "sendfile",
  given: readonly FolderSettings[] | undefined,
): readonly FolderSettings[] {
  const option = `${name} (${variableName(name)})`;
  const read = new Map<string, FolderSettings>();
  for (const entry of given ?? []) {
    const written = JSON.stringify(entry.prefix);
    const prefix = entry.prefix.endsWith("/") ? entry.prefix : `${entry.prefix}/`;
    if (/\/\.{0,2}\//.test(prefix)) {
      throw new UsageError(
        `${option} has the prefix ${written}; it takes a path without "//", "." and "..".`,
      );
    }
    if (prefix === "/" && name === "static") {
      throw new UsageError(
        `${option} has the prefix "/", which would hide the whole application; give a path below it.`,
      );
    }
    if (read.has(prefix)) {
      throw new UsageError(`${option} has the prefix ${written} twice; give it one folder.`);
    }
    const folder = resolve(entry.folder);
    checkFolder(folder, `${option} gives ${written} the folder ${JSON.stringify(folder)}`);
    read.set(prefix, Object.freeze({ prefix, folder }));
  }
  return Object.freeze([...read.values()]);
}
