/**
 * A process → nanoseconds of CPU that its threads have used, from /proc.
 */
import { readdirSync, readFileSync } from "node:fs";

/** Sum over the threads that there are now. */
export function cpuNanoseconds(pid: number): number {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder)
    .map((thread) => Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[0]))
    .reduce((sum, nanoseconds) => sum + nanoseconds, 0);
}
