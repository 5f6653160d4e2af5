/**
 * A file system of a few pages, so that a disk can really be full; takes root and Linux.
 *
 * Mounted in a folder of the caller's and unmounted by the caller.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, statfsSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Why no tmpfs can be mounted here; "" where it can. */
export const NO_TMPFS: string =
  process.platform === "linux" && process.getuid?.() === 0 ? "" : "mounting takes root on Linux";

/** A small disk. */
export interface SmallDisk {
  readonly folder: string;
  /** Fills it to the last byte. */
  fill(): void;
  /** Frees what `fill` took. */
  free(): void;
  unmount(): void;
}

/** Mounts a disk of `kib` KiB at a new folder. */
export function mountSmallDisk(folder: string, kib: number): SmallDisk {
  mkdirSync(folder);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", folder]);
  const filler = join(folder, "filler");
  return {
    folder,
    fill(): void {
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(filler, Buffer.alloc(Number(bavail) * Number(bsize)));
    },
    free: () => unlinkSync(filler),
    unmount: () => void execFileSync("umount", ["-l", folder]),
  };
}
