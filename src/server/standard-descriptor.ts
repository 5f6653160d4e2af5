/**
 * A listening socket on descriptor 0 that this process is done with → really let go of, and the descriptor kept taken.
 *
 * libuv leaves 0, 1 and 2 open when it closes a handle of them: who knocks at a socket that nobody else holds would wait
 * until the process ends, and be turned away then. And node, when it ends, gives them back the flags that it found: other
 * processes with the same socket would block in accept().
 */
import { closeSync, openSync } from "node:fs";

/** The last of the standard descriptors. */
const LAST = 2;

/** Closes a standard descriptor and puts /dev/null in its place; does nothing for others. */
export function letGoOf(fd: number | undefined): void {
  if (fd === undefined || fd < 0 || fd > LAST) return;
  try {
    closeSync(fd);
  } catch {
    // Closed already.
  }
  // Left free, the next file that is opened would be taken for it.
  const taken = openSync("/dev/null", "r+");
  if (taken !== fd) closeSync(taken);
}
