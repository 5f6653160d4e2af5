/**
 * A folder whose access list names users: the socket made in it keeps the list, and its mode stays as narrow as asked
 * (reliability B-100). Takes root, python3 and a file system with access lists.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { serve } from "../../src/serve/serve.ts";
import { CONFIGURATIONS, wayOf } from "../support/engines.ts";
import { isRoot } from "../support/front/child.ts";
import { Room } from "../support/front/ports.ts";

const room = new Room("access");
afterAll(() => room.remove());

/** Ids of users of whom nobody knows. */
const LISTED = 61_001;
const OTHER = 61_002;

const python = (code: string, ...words: string[]) =>
  spawnSync("python3", ["-c", code, ...words], { encoding: "utf8" });

/** Entries of a POSIX access list: tag, permissions, id. */
const ENTRIES = [
  [0x01, 6, 2 ** 32 - 1],
  [0x02, 6, LISTED],
  [0x04, 0, 2 ** 32 - 1],
  [0x10, 6, 2 ** 32 - 1],
  [0x20, 0, 2 ** 32 - 1],
] as const;

/** Gives a folder the access list for what is made in it; false where that cannot be. */
function listed(folder: string): boolean {
  const bytes = Buffer.alloc(4 + ENTRIES.length * 8);
  bytes.writeUInt32LE(2);
  for (const [i, [tag, permissions, id]] of ENTRIES.entries()) {
    bytes.writeUInt16LE(tag, 4 + i * 8);
    bytes.writeUInt16LE(permissions, 6 + i * 8);
    bytes.writeUInt32LE(id, 8 + i * 8);
  }
  const code =
    'import os,sys; os.setxattr(sys.argv[1], "system.posix_acl_default", bytes.fromhex(sys.argv[2]))';
  return python(code, folder, bytes.toString("hex")).status === 0;
}

/** Tries to connect as each user, in children of one process; what each came to. */
const TRIES = `import os, sys, socket
for user in sys.argv[2:]:
  if os.fork() == 0:
    try:
      os.setgid(int(user)); os.setuid(int(user))
      socket.socket(socket.AF_UNIX).connect(sys.argv[1])
      os._exit(0)
    except PermissionError:
      os._exit(1)
  print(os.waitstatus_to_exitcode(os.wait()[1]))`;

/** Which of these users may connect? The server answers nobody, and need not. */
function connects(socket: string, ...users: number[]): boolean[] {
  const { stdout } = python(TRIES, socket, ...users.map(String));
  return stdout
    .trim()
    .split("\n")
    .map((status) => status === "0");
}

const folder = room.file("listed");
mkdirSync(folder, { mode: 0o755 });
const can = isRoot && listed(folder);
const because = can ? "" : " (skipped: takes root, python3 and access lists)";

describe.skipIf(!can)(`a socket in a folder with an access list${because}`, () => {
  for (const { name, create, reason } of CONFIGURATIONS) {
    test.skipIf(create === undefined)(
      `is open to those who are listed and nobody else (B-100) · ${name}${reason === "" ? "" : ` (${reason})`}`,
      { timeout: 60_000 },
      async () => {
        for (const [mode, isOpen] of [
          [0o660, true],
          [0o600, false],
        ] as const) {
          const socket = `${folder}/${name.replace(" ", "-")}-${mode.toString(8)}`;
          const server = serve((_req, res) => res.end(), { ...wayOf(name), socket, mode });
          await server.ready();
          try {
            expect(statSync(socket).mode & 0o777).toBe(mode);
            // The group's bits are the list's mask: 0600 shuts out those who are listed as well.
            expect(connects(socket, LISTED, OTHER)).toEqual([isOpen, false]);
          } finally {
            await server.shutdown();
          }
        }
      },
    );
  }
});
