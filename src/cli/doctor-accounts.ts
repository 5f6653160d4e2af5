/**
 * A unix socket → whether the user of a web server may connect to it, by mode, owner and the folders above.
 *
 * Users are those that distributions' packages have, as far as they are here. Tries nothing: it reads modes.
 */
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** What packages call the user of nginx, Apache, lighttpd, HAProxy and Caddy. */
const NAMES: readonly string[] = [
  "www-data",
  "nginx",
  "apache",
  "http",
  "lighttpd",
  "haproxy",
  "caddy",
];

/** One user. */
interface Account {
  readonly name: string;
  readonly uid: number;
  /** Own and further groups. */
  readonly gids: readonly number[];
}

function linesOf(path: string): string[][] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}

function accounts(): Account[] {
  const groups = linesOf("/etc/group");
  return linesOf("/etc/passwd")
    .filter(([name = ""]) => NAMES.includes(name))
    .map(([name = "", , uid, gid]) => {
      const more = groups.filter(([, , , members = ""]) => members.split(",").includes(name));
      return { name, uid: Number(uid), gids: [Number(gid), ...more.map(([, , id]) => Number(id))] };
    });
}

/** May this user do with a file what `bit` of its mode says? 2: write, which connecting takes; 1: pass through a folder. */
function may({ uid, gids }: Account, path: string, bit: 1 | 2): boolean {
  const file = statSync(path);
  if (uid === 0) return true;
  const shift = file.uid === uid ? 6 : gids.includes(file.gid) ? 3 : 0;
  return ((file.mode >> shift) & bit) !== 0;
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...foldersAbove(folder)];
}

/** What is in the way of the web servers that are installed here. */
export interface Closed {
  /** The user who may not. */
  readonly user: string;
  /** The socket, or a folder above it. */
  readonly path: string;
  readonly isFolder: boolean;
}

/**
 * What is in the way; undefined where one of the users may connect, or none of them is here.
 *
 * @param path of the socket, from the root
 */
export function closedTo(path: string): Closed | undefined {
  let first: Closed | undefined;
  for (const account of accounts()) {
    const folder = foldersAbove(path).findLast((one) => !may(account, one, 1));
    if (folder === undefined && may(account, path, 2)) return undefined;
    first ??= { user: account.name, path: folder ?? path, isFolder: folder !== undefined };
  }
  return first;
}
