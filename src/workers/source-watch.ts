/**
 * A folder of code → a word, some time after the last of several changes, for reloads while somebody writes (`--watch`).
 *
 * Files that are no code are not heard, or a log in the folder would reload for ever; nor is what others wrote
 * (node_modules) or hides (dot folders).
 */
import * as fs from "node:fs";
import { extname, join } from "node:path";

/** An editor that saves, or a tool that builds, makes several changes in a row, in milliseconds. */
const SETTLE_MS = 120;
/** More folders than that are no application, but a home. */
const FOLDERS_MAX = 2_000;
const CODE: ReadonlySet<string> = new Set([
  ".js",
  ".mjs",
  ".cjs",
  ".ts",
  ".mts",
  ".cts",
  ".jsx",
  ".tsx",
  ".json",
  ".node",
  ".wasm",
]);

/** Watches a folder and those in it until it is closed; keeps no process alive. */
export class SourceWatch {
  readonly #watchers = new Map<string, fs.FSWatcher>();
  readonly #changed: (path: string) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param changed hears of the last change of each group */
  constructor(folder: string, changed: (path: string) => void) {
    this.#changed = changed;
    this.#watch(folder);
  }

  #watch(folder: string): void {
    if (this.#watchers.has(folder) || this.#watchers.size >= FOLDERS_MAX) return;
    let inside: fs.Dirent[];
    try {
      const watcher = fs.watch(folder, { persistent: false }, (_event, name) => {
        if (name !== null) this.#heard(join(folder, name), name);
      });
      watcher.on("error", () => this.#forget(folder));
      this.#watchers.set(folder, watcher);
      inside = fs.readdirSync(folder, { withFileTypes: true });
    } catch {
      // Gone again, closed to us, or no more watches to be had: what is watched stays watched.
      return;
    }
    for (const entry of inside) {
      if (entry.isDirectory() && isOurs(entry.name)) this.#watch(join(folder, entry.name));
    }
  }

  #forget(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  #heard(path: string, name: string): void {
    if (isOurs(name) && fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      this.#watch(path);
      return;
    }
    if (!CODE.has(extname(name)) || name.startsWith(".")) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#changed(path), SETTLE_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const folder of [...this.#watchers.keys()]) this.#forget(folder);
  }
}

function isOurs(name: string): boolean {
  return name !== "node_modules" && !name.startsWith(".");
}
