/**
 * How many files this process may open → one sentence to the operator where limits.connections asks for more. Linux; elsewhere
 * nobody can tell. It changes no limit: what happens when none is left is starvation.ts's (reliability X-11).
 */
import { readFileSync } from "node:fs";

/** Descriptors that a process needs beside its connections: libraries, logs, epoll sets, files that it sends. */
const OTHERS = 64;

/** Most open files of this process; Infinity where there is no limit, or nobody can tell. */
export function readDescriptorLimit(path = "/proc/self/limits"): number {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync(path, "latin1"));
    return found === null ? Number.POSITIVE_INFINITY : Number(found[1]);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * What the operator should hear at the start, or undefined.
 *
 * @param connections the option limits.connections; Infinity asks for whatever there is
 * @param descriptors what {@link readDescriptorLimit} found
 */
export function descriptorWarning(connections: number, descriptors: number): string | undefined {
  if (connections === Number.POSITIVE_INFINITY || descriptors - OTHERS >= connections) {
    return undefined;
  }
  return (
    `This process may open ${descriptors} files, too few for limits.connections of ${connections}; ` +
    `raise the limit of open files to ${connections + OTHERS} (ulimit -n, LimitNOFILE=) or lower limits.connections.`
  );
}
