/**
 * A listening socket → how many connections the kernel holds until they are accepted. Linux; elsewhere nobody can tell.
 *
 * Of TCP `/proc/net/tcp` says it; of a unix socket each of them is a line of its own in `/proc/net/unix`, of the listener's
 * path and without a process. Reads two small files a question.
 */
import { readFileSync, readlinkSync } from "node:fs";
import type { Server } from "node:net";

/** A socket of these columns of /proc/net/unix: listening, or connected and of no process yet. */
const LISTENS = "00010000";
const AWAITED = "02";
/** The state of a listening socket in /proc/net/tcp. */
const TCP_LISTEN = "0A";

function rows(file: string): string[][] {
  return readFileSync(file, "latin1")
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
}

function unixQueue(inode: string): number | undefined {
  const all = rows("/proc/net/unix");
  const own = all.find((row) => row[6] === inode && row[3] === LISTENS);
  if (own === undefined) return undefined;
  const path = own[7];
  return all.filter((row) => row[5] === AWAITED && row[7] === path).length;
}

function tcpQueue(file: string, inode: string): number | undefined {
  const own = rows(file).find((row) => row[9] === inode && row[3] === TCP_LISTEN);
  const queued = own?.[4]?.split(":")[1];
  return queued === undefined ? undefined : Number.parseInt(queued, 16);
}

/** The number by which the kernel knows the socket of a descriptor of this process; "" where that cannot be known. */
export function socketInode(fd: number): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? "";
  } catch {
    // No /proc, or no such descriptor.
    return "";
  }
}

/** Connections that wait at a listening socket; −1 where that cannot be known. */
export function listenQueue(inode: string): number {
  if (inode === "") return -1;
  try {
    const waiting =
      unixQueue(inode) ?? tcpQueue("/proc/net/tcp", inode) ?? tcpQueue("/proc/net/tcp6", inode);
    return waiting ?? -1;
  } catch {
    // No /proc, or not this one: the number is left out.
    return -1;
  }
}

/** As {@link socketInode}, of a server that listens; what it accepts by may have taken its descriptor over. */
export function serverInode(server: Server): string {
  const { _handle: handle } = server as Server & {
    _handle?: { fd?: number; inode?: string } | null;
  };
  return handle?.inode ?? socketInode(handle?.fd ?? -1);
}
