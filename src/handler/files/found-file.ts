/**
 * A path → the regular file that it names, if it may be sent: nothing outside the folder, by whatever name or link.
 * Looks at the real path after every symbolic link, and opens nothing. Names that begin with a dot, folders, pipes and
 * devices are no files here.
 */
import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, sep } from "node:path";

/** A regular file. */
export interface FoundFile {
  /** Absolute path without symbolic links. */
  readonly real: string;
  /** Folder of which it is sent, without symbolic links. */
  readonly root: string;
}

/** Codes that say that there is no such file. */
const ABSENT: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"]);

/** Does an error say that there is no such file? */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has((error as NodeJS.ErrnoException | null)?.code);
}

/** Does an error say that this process may not read it? */
export function isForbidden(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === "EACCES" || code === "EPERM";
}

/** Is this the name of a file, and no way to another folder, nothing hidden and nothing that cuts a name short? */
function isPlain(name: string): boolean {
  return name !== "" && !name.startsWith(".") && !/[\0\\]/.test(name);
}

/** The names from a folder to a path, both real; undefined where the path lies outside. */
export function namesBelow(folder: string, path: string): string[] | undefined {
  const rest = relative(folder, path);
  if (isAbsolute(rest)) return undefined;
  const names = rest === "" ? [] : rest.split(sep);
  return names[0] === ".." ? undefined : names;
}

/**
 * Finds a file below a folder.
 *
 * @param folder path of the folder; it may be a symbolic link itself
 * @param names  names of folders and file, decoded; anything that is not plain finds nothing
 * @returns "folder" for a folder, undefined where there is nothing that may be sent
 * @throws the system's error where that cannot be known, EACCES above all
 */
export async function findBelow(
  folder: string,
  names: readonly string[],
): Promise<FoundFile | "folder" | undefined> {
  if (!names.every(isPlain)) return undefined;
  try {
    const root = await realpath(folder);
    const real = await realpath(join(root, ...names));
    // A link inside the folder may lead out of it, or to a name that is hidden.
    if (namesBelow(root, real)?.every(isPlain) !== true) return undefined;
    const stats = await stat(real);
    if (stats.isDirectory()) return "folder";
    return stats.isFile() ? { real, root } : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/**
 * Finds a file that the application names itself, wherever it is.
 *
 * @param path absolute path
 * @throws the system's error, as {@link findBelow}
 */
export async function findFile(path: string): Promise<FoundFile | undefined> {
  try {
    const real = await realpath(path);
    return (await stat(real)).isFile() ? { real, root: dirname(real) } : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
