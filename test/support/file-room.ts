/**
 * A folder of files to serve, and beside it what must never be served.
 *
 * Only files; which option names the folder, and what comes of it, is for the tests.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Text of every file that must not be seen. */
export const HIDDEN = "nobody may see this";

/** Bytes of `big.bin`. */
export const BIG: Buffer = Buffer.from(
  Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251),
);

/** Paths below a prefix that lead out of the folder, to hidden names, or to what is no file. */
export const TRAVERSALS: readonly string[] = [
  "../hidden.txt",
  "%2e%2e/hidden.txt",
  "%2E%2E%2Fhidden.txt",
  "..%2fhidden.txt",
  "..%5chidden.txt",
  "..\\hidden.txt",
  "sub/../../hidden.txt",
  "sub/%2e%2e/%2e%2e/hidden.txt",
  "sub/../hello.txt",
  "%252e%252e/hidden.txt",
  "%c0%ae%c0%ae/hidden.txt",
  "%ef%bc%8e%ef%bc%8e/hidden.txt",
  "..;/hidden.txt",
  ".../hidden.txt",
  "./hello.txt",
  "/hello.txt",
  "//etc/passwd",
  "%2fetc%2fpasswd",
  "hello.txt/",
  "hello.txt/..",
  "hello.txt/../../hidden.txt",
  "hello.txt%20",
  "hello.txt::$DATA",
  ".hidden.txt",
  "%2ehidden.txt",
  ".git/config",
  "sub/.git/config",
  "link-out.txt",
  "link-folder/hidden.txt",
  "link-hidden.txt",
  "pipe",
  "sub",
  "bare",
  "bare/",
  "~root/hidden.txt",
  "a".repeat(300),
];

/** A folder of its own. */
export class FileRoom {
  /** The folder above. */
  readonly path: string = mkdtempSync(join(tmpdir(), "postern-files-"));
  /** The folder to serve. */
  readonly files: string = join(this.path, "files");

  constructor() {
    chmodSync(this.path, 0o755);
    mkdirSync(join(this.files, "sub/.git"), { recursive: true });
    mkdirSync(join(this.files, "docs"));
    mkdirSync(join(this.files, "bare"));
    mkdirSync(join(this.files, ".git"));
    for (const name of ["hidden.txt", "files/.hidden.txt", "files/.git/config"]) {
      writeFileSync(join(this.path, name), HIDDEN);
    }
    writeFileSync(join(this.files, "sub/.git/config"), HIDDEN);
    writeFileSync(join(this.files, "hello.txt"), "hello, file\n");
    writeFileSync(join(this.files, "empty.txt"), "");
    writeFileSync(join(this.files, "noname"), "?");
    writeFileSync(join(this.files, "grün & 100%?.html"), "<p>grün</p>\n");
    writeFileSync(join(this.files, "docs/index.html"), "<p>index</p>\n");
    writeFileSync(join(this.files, "big.bin"), BIG);
    symlinkSync("hello.txt", join(this.files, "link-in.txt"));
    symlinkSync("../hidden.txt", join(this.files, "link-out.txt"));
    symlinkSync(".hidden.txt", join(this.files, "link-hidden.txt"));
    symlinkSync("..", join(this.files, "link-folder"));
    execFileSync("mkfifo", [join(this.files, "pipe")]);
  }

  /** Descriptors of this process that lead into the folder. */
  openFiles(): string[] {
    return readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(this.path);
      } catch {
        // Closed since the list was made.
        return false;
      }
    });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
