/**
 * A path → a unix socket file on which a server listens: with the right mode and owner from its first moment,
 * never in the place of anything that is not our own dead socket, and removed only while it is still ours.
 *
 * It is bound under a temporary name beside the path, closed to everybody, given owner and mode, and then put into
 * place by link(2), which takes no name that somebody else has taken meanwhile. Reliability O-1 to O-4.
 */
import * as fs from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { UsageError } from "../errors.ts";
import { accountId } from "./accounts.ts";
import { systemCode, unixFailure } from "./listen-failure.ts";
import type { UnixSettings } from "./settings.ts";

/** Code of the error when an instance answers on the path; it may be leaving, so trying again makes sense. */
export const ERR_SOCKET_LIVE = "ERR_SOCKET_LIVE";
/** Longest path of a unix socket in bytes: sun_path of Linux, less its final NUL. Node 20 cuts longer ones silently. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** What of the process matters here; listen.ts, which may ask it, fills this in. */
export interface ProcessFacts {
  readonly uid: number;
  /** Sets the mask and returns the former one; undefined in a worker thread, which may not set it. */
  readonly setUmask: ((mask: number) => number) | undefined;
  /** The mask in force. */
  readonly umask: () => number;
  /** Tells the operator what deserves a look but stops nothing. */
  readonly warn: (sentence: string) => void;
}

/** A socket file in place. */
export interface SocketFile {
  /** Which file it is, for another process that takes it over; undefined until it is in place. */
  readonly identity: FileIdentity | undefined;
  /** Removes the file if it is still the one that was put there; to be called while the server listens. */
  remove(): void;
}

/**
 * Binds a socket to a path, in the turn in which it is called, and listens there now or later.
 *
 * `settle` gives the file its owner, its mode and its place: to be called once, in the turn in which it listens.
 */
export type Binder = (path: string, settle: () => void) => Promise<void>;

/** Which file it is, whatever its name. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

const same = (a: FileIdentity, b: FileIdentity): boolean => a.dev === b.dev && a.ino === b.ino;

/** lstat, or undefined when there is nothing. */
function look(path: string): fs.BigIntStats | undefined {
  return fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function checkPath(path: string, temporary: string): void {
  if (path.includes("\0")) {
    throw new UsageError(
      "socket has a NUL byte; abstract sockets carry no permissions, so give the path of a file.",
    );
  }
  const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(temporary));
  if (bytes <= SOCKET_PATH_BYTES_MAX) return;
  throw new UsageError(
    `socket is ${JSON.stringify(path)}, a path of ${bytes} bytes with the temporary name beside it; ` +
      `the system allows ${SOCKET_PATH_BYTES_MAX}, so choose a shorter one.`,
  );
}

/** What to do about a folder that cannot be had, by the system's code. */
const FOLDER_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist; create it or choose another",
  ENOTDIR: "is not a folder; choose another",
};

/** @returns what deserves a look although it stops nothing */
function checkFolder(path: string): string | undefined {
  const folder = dirname(path);
  const name = JSON.stringify(folder);
  let mode: number;
  try {
    mode = fs.statSync(folder).mode;
    // The slash makes a file fail as what it is, and not for its missing permission to be entered.
    fs.accessSync(`${folder}/`, fs.constants.W_OK | fs.constants.X_OK);
  } catch (cause) {
    const code = systemCode(cause);
    const fault =
      FOLDER_FAULTS[code] ??
      `may not be read and written by this user (${code}); change its mode or choose another`;
    throw new UsageError(`The socket's folder ${name} ${fault}.`, "ERR_USAGE", { cause });
  }
  if ((mode & 0o002) === 0 || (mode & 0o1000) !== 0) return undefined;
  return (
    `Everybody may write in the socket's folder ${name} and replace the socket; ` +
    "take that right away or set the sticky bit."
  );
}

/** Connects and leaves at once; resolves with undefined when somebody answered, else with the system's code. */
function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("error", (error) => resolve(systemCode(error)));
  });
}

function refuse(path: string, what: string, remedy: string): never {
  throw new UsageError(`socket is ${JSON.stringify(path)}, where ${what}; ${remedy}.`);
}

/**
 * What stands at the path.
 *
 * @returns undefined when nothing does, else a dead socket that we may remove
 * @throws UsageError when anything else does
 */
async function findStale(path: string, uid: number): Promise<FileIdentity | undefined> {
  const stats = look(path);
  if (stats === undefined) return undefined;
  if (!stats.isSocket()) {
    const kind = stats.isDirectory() ? "a folder" : stats.isSymbolicLink() ? "a symlink" : "a file";
    refuse(path, `${kind} stands and no socket`, "choose another path or remove it yourself");
  }
  const code = await knock(path);
  // EAGAIN: somebody listens there and has a full queue.
  if (code === undefined || code === "EAGAIN") throw live(path);
  if (code === "ENOENT") return undefined;
  if (code !== "ECONNREFUSED") {
    refuse(path, `a socket stands that cannot be asked (${code})`, "choose another path");
  }
  if (uid !== 0 && stats.uid !== BigInt(uid)) {
    refuse(path, `a dead socket of user ${stats.uid} stands`, "have its owner remove it");
  }
  return stats;
}

class PlacedFile implements SocketFile {
  readonly #path: string;
  identity: FileIdentity | undefined;

  constructor(path: string, identity?: FileIdentity) {
    this.#path = path;
    this.identity = identity;
  }

  remove(): void {
    try {
      const found = look(this.#path);
      if (found === undefined || this.identity === undefined) return;
      if (same(found, this.identity)) fs.unlinkSync(this.#path);
    } catch {
      // The folder was closed to us since then: the file stays, and the next start finds it dead.
    }
  }
}

/** A socket file that another process made, and that is ours to remove from now on. */
export function takeSocketFile(path: string, identity: FileIdentity | undefined): SocketFile {
  return new PlacedFile(path, identity);
}

function live(path: string): UsageError {
  return new UsageError(
    `socket is ${JSON.stringify(path)}, where another instance is listening; stop it or choose another path.`,
    ERR_SOCKET_LIVE,
  );
}

/** Gives the path to the file, unless somebody else has taken it since `stale` was found there. */
function place(temporary: string, path: string, stale: FileIdentity | undefined): void {
  const found = look(path);
  if (found !== undefined) {
    if (stale === undefined || !same(found, stale)) throw live(path);
    fs.unlinkSync(path);
  }
  try {
    fs.linkSync(temporary, path);
    fs.unlinkSync(temporary);
  } catch (error) {
    if (systemCode(error) === "EEXIST") throw live(path);
    // A file system without hard links: rename, which cannot see who came in the last microseconds.
    fs.renameSync(temporary, path);
  }
}

/** Umask for the bind: the owner's bits of the mode at most, since the group is not set yet. */
function maskFor({ mode }: UnixSettings, facts: ProcessFacts): number {
  const mask = 0o777 & ~(mode & 0o600);
  if (facts.setUmask !== undefined || (0o222 & ~facts.umask() & ~mode) === 0) return mask;
  throw new UsageError(
    `socket cannot be made with mode ${mode.toString(8)} in a worker thread, since the umask is the main thread's ` +
      "and lets more through; listen in the main thread or start with a stricter umask.",
  );
}

/** Binds under the temporary name; `settle` runs before anybody is told. */
async function bindBeside(
  binder: Binder,
  temporary: string,
  mask: number,
  facts: ProcessFacts,
  settle: () => void,
): Promise<void> {
  const former = facts.setUmask?.(mask);
  try {
    // Path and mask meet in one turn: a binder binds before it returns.
    const bound = binder(temporary, settle);
    if (former !== undefined) facts.setUmask?.(former);
    await bound;
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

/** Need not be secret: where somebody has the name, bind(2) fails. node:crypto would take 1.4 ms of the start. */
function temporaryName(): string {
  return `.${Math.random().toString(16).slice(2, 12).padEnd(10, "0")}`;
}

/**
 * Makes a socket listen on a unix socket file.
 *
 * @param binder   binds it
 * @param settings path, mode and owner
 * @param placed   told what is returned, before "listening" is told
 * @throws UsageError when the path cannot be had; nothing was removed then. ERR_SOCKET_LIVE: another instance
 *   answers there
 */
export async function openSocketFile(
  binder: Binder,
  settings: UnixSettings,
  facts: ProcessFacts,
  placed: (file: SocketFile) => void = () => undefined,
): Promise<SocketFile> {
  const { path } = settings;
  const temporary = join(dirname(path), temporaryName());
  checkPath(path, temporary);
  const warning = checkFolder(path);
  const [owner, group] = [accountId("passwd", settings.owner), accountId("group", settings.group)];
  const mask = maskFor(settings, facts);
  const stale = await findStale(path, facts.uid);
  const file = new PlacedFile(path);
  const settle = (): void => {
    if (owner !== -1 || group !== -1) giveAway(temporary, path, owner, group);
    fs.chmodSync(temporary, settings.mode);
    file.identity = look(temporary);
    place(temporary, path, stale);
    placed(file);
  };
  try {
    await bindBeside(binder, temporary, mask, facts, settle);
  } catch (error) {
    throw error instanceof UsageError ? error : unixFailure(path, error);
  }
  if (warning !== undefined) facts.warn(warning);
  return file;
}

function giveAway(temporary: string, path: string, owner: number, group: number): void {
  try {
    fs.chownSync(temporary, owner, group);
  } catch (cause) {
    throw new UsageError(
      `The socket ${JSON.stringify(path)} cannot be given to owner and group as asked (${systemCode(cause)}); ` +
        "start as root, or leave out owner and choose a group that this user is in.",
      "ERR_USAGE",
      { cause },
    );
  }
}
