/**
 * Files of an application → a word when one of them was touched, replaced or edited (heritage T2, S4).
 *
 * Judges by time of change and inode: `touch`, an editor that writes in place and one that renames are all heard. A file
 * that is missing is on its way. The system's word comes at once where there is one; a look each second is for the rest.
 */
import * as fs from "node:fs";
import { basename, dirname } from "node:path";

/** Between two looks, in milliseconds. */
const LOOK_MS = 1_000;

/** Which file it is, and when it was changed; undefined while there is none. */
function stateOf(path: string): string | undefined {
  try {
    const { mtimeNs, ino, dev } = fs.statSync(path, { bigint: true });
    return `${dev}:${ino}:${mtimeNs}`;
  } catch {
    // Being replaced, or gone: nothing to load anew.
    return undefined;
  }
}

/** Watches some files until it is closed; keeps no process alive. */
export class TouchWatch {
  readonly #states = new Map<string, string | undefined>();
  readonly #watchers: fs.FSWatcher[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #touched: (path: string) => void;

  /**
   * @param paths   absolute
   * @param touched called with the first that changed, once a look
   */
  constructor(paths: readonly string[], touched: (path: string) => void) {
    this.#touched = touched;
    for (const path of paths) this.#states.set(path, stateOf(path));
    for (const folder of new Set(paths.map((path) => dirname(path)))) this.#watch(folder);
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #watch(folder: string): void {
    const names = new Set([...this.#states.keys()].map((path) => basename(path)));
    try {
      const watcher = fs.watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || names.has(name)) this.#look();
      });
      watcher.on("error", () => undefined);
      this.#watchers.push(watcher);
    } catch {
      // No more watches to be had: the looks have to do.
    }
  }

  #look(): void {
    let first: string | undefined;
    for (const [path, former] of this.#states) {
      const state = stateOf(path);
      if (state === undefined || state === former) continue;
      this.#states.set(path, state);
      // One that appears for the first time is as new as one that changed.
      first ??= path;
    }
    if (first !== undefined) this.#touched(first);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }
}
