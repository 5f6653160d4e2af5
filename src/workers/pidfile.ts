/**
 * A process's id → a file that names it, whole from its first moment and removed only while it still names us.
 *
 * Written under another name and renamed, so that nobody reads half a number and no symlink is followed (reliability O-5).
 * Locks nothing and signals nobody: a file that a dead process left is simply replaced (heritage T9).
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "../errors.ts";

/** Everybody may read it: it holds nothing that `ps` does not show. */
const FILE_MODE = 0o644;
const OTHERS_MAY_WRITE = 0o002;
/** A pid file is no longer than this, in bytes: whoever wrote it. */
const PID_BYTES_MAX = 64;

/** A pid file in place. */
export interface Pidfile {
  /** Removes it, unless another process has put its own there meanwhile. */
  remove(): void;
}

function refusal(path: string, fault: string, cause?: unknown): UsageError {
  return new UsageError(`pidfile is ${JSON.stringify(path)}, ${fault}.`, "ERR_USAGE", { cause });
}

/** Does a file hold something else than a number? One that cannot be read is somebody else's to judge. */
function isForeign(path: string): boolean {
  const bytes = Buffer.alloc(PID_BYTES_MAX + 1);
  try {
    const fd = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0));
    try {
      const count = fs.readSync(fd, bytes);
      return count > PID_BYTES_MAX || !/^\s*\d*\s*$/.test(bytes.toString("latin1", 0, count));
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    return false;
  }
}

/**
 * Finds out whether a pid file can be written, before anything else is begun.
 *
 * @throws UsageError where its folder is missing or closed, where others could put a process of their choice into it, or
 *   where a file of another kind would be lost
 */
export function checkPidfile(path: string): void {
  const folder = dirname(path);
  let mode: number;
  try {
    mode = fs.statSync(folder).mode;
    fs.accessSync(`${folder}/`, fs.constants.W_OK | fs.constants.X_OK);
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    const fault =
      code === "ENOENT" ? "does not exist" : `may not be written by this user (${code})`;
    throw refusal(path, `whose folder ${fault}; create it or choose another`, cause);
  }
  if ((mode & OTHERS_MAY_WRITE) !== 0) {
    throw refusal(
      path,
      "in a folder where everybody may write and so decide which process is signalled; " +
        "choose one of your own, such as a folder in /run",
    );
  }
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isSymbolicLink()) return;
  if (!found.isFile()) {
    throw refusal(path, "where something stands that is no file; choose another path");
  }
  if (isForeign(path)) {
    throw refusal(
      path,
      "a file that holds something else than the id of a process; choose another path, or remove it",
    );
  }
}

function writeWhole(path: string, text: string): void {
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = fs.constants;
  const fd = fs.openSync(path, O_CREAT | O_EXCL | O_WRONLY | (O_NOFOLLOW ?? 0), FILE_MODE);
  try {
    fs.writeSync(fd, text);
    // The umask is for files of the application.
    fs.fchmodSync(fd, FILE_MODE);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Puts a pid file in place.
 *
 * @throws UsageError where it cannot be written
 */
export function writePidfile(path: string, pid: number): Pidfile {
  checkPidfile(path);
  const temporary = join(dirname(path), `.${randomBytes(5).toString("hex")}`);
  const text = `${pid}\n`;
  try {
    writeWhole(temporary, text);
    fs.renameSync(temporary, path);
  } catch (cause) {
    fs.rmSync(temporary, { force: true });
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw refusal(path, `which cannot be written (${code}); choose another path`, cause);
  }
  return {
    remove(): void {
      try {
        if (fs.readFileSync(path, "latin1") === text) fs.unlinkSync(path);
      } catch {
        // It is gone, or its folder was closed to us: nothing of ours is left that could be removed.
      }
    },
  };
}

/** The pid file that is wished for this process: there while the service is this process's, and gone with its end. */
export class OwnPidfile {
  readonly #path: string | undefined;
  #file: Pidfile | undefined;

  /** @param path undefined for none */
  constructor(path: string | undefined) {
    this.#path = path;
    if (path !== undefined) process.on("exit", () => this.#file?.remove());
  }

  /**
   * Names this process in it.
   *
   * @throws UsageError where it cannot be written
   */
  claim(): void {
    if (this.#path !== undefined) this.#file = writePidfile(this.#path, process.pid);
  }

  /** Another process has named itself there. */
  abandon(): void {
    this.#file = undefined;
  }
}
