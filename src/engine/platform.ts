/**
 * What this machine is → the name of a folder in prebuilds/: platform, architecture and, on Linux, which C library.
 * It looks at node's own program file and runs nothing; process.report, which knows it too, takes 5 ms of the start.
 */
import { closeSync, openSync, readSync } from "node:fs";

/** The name of the loader stands behind the program headers: within the first page, as linkers lay it out. */
const LOADER_BYTES = 4_096;

/** Is this a program of musl's loader (`/lib/ld-musl-x86_64.so.1`)? No where that cannot be read. */
export function isMuslProgram(path: string): boolean {
  try {
    const fd = openSync(path, "r");
    try {
      const bytes = Buffer.alloc(LOADER_BYTES);
      return bytes.subarray(0, readSync(fd, bytes, 0, LOADER_BYTES, 0)).includes("/ld-musl-");
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

/**
 * Platform, architecture and, on Linux without glibc, `musl`.
 *
 * @param program path of node's own program
 */
export function platformName(platform: string, arch: string, program: string): string {
  const name = `${platform}-${arch}`;
  return platform === "linux" && isMuslProgram(program) ? `${name}-musl` : name;
}
