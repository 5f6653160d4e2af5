/**
 * package.json → the version that the start line and `--version` show.
 *
 * Reads the file once, from wherever this code was bundled to. Knows nothing of engines.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The manifest of a folder when it is postern's own. */
function versionIn(folder: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const { name, version } = manifest as { name?: unknown; version?: unknown };
    return name === "postern" && typeof version === "string" ? version : undefined;
  } catch {
    // No manifest here, or one that is not ours to judge: the folder above is asked.
    return undefined;
  }
}

/** The version of this package, such as `0.1.0`; "unknown" where the package was taken apart. */
export function readVersion(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const version = versionIn(folder);
    if (version !== undefined) return version;
    if (folder === dirname(folder)) return "unknown";
  }
}
