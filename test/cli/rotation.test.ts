/**
 * Logs while they are rotated and while their disk is full: no line is lost by the one, and no request by the other.
 *
 * The real command with workers, under load; USR1 after each rename, as logrotate sends it (reliability O-10).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/behaviour.ts";
import { isFull } from "../support/front/gateway.ts";
import { mountSmallDisk, NO_TMPFS } from "../observe/tmpfs.ts";
import { ask, type DaemonRoom, makeDaemonRoom } from "./daemons.ts";

const ROTATIONS = isFull ? 100 : 15;

let room: DaemonRoom;
beforeAll(async () => {
  room = await makeDaemonRoom();
});
afterAll(() => room.clear());

/** The numbers that stand in the files of a log, in any order. */
function numbersIn(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith("out"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
    .filter((line) => /^\d+$/.test(line))
    .map(Number);
}

test.each(["prefork", "single"])(
  `${ROTATIONS} rotations by rename and USR1 under load lose no line and double none: %s`,
  async (method) => {
    const logs = room.path(`logs-${method}`);
    mkdirSync(logs);
    const out = join(logs, "out");
    await room.daemon(`method=${method}`, `outlog=${out}`, `errlog=${join(logs, "err")}`);
    const pid = room.pidIn("p");
    let last = 0;
    let stopped = false;
    const one = async (): Promise<void> => {
      while (!stopped) await ask(room.path("s"), `/out/${++last}`);
    };
    const running = [one(), one(), one(), one()];
    for (let rotations = 0; rotations < ROTATIONS; rotations++) {
      const before = last;
      await until(() => last > before + 20);
      renameSync(out, `${out}.${rotations}`);
      process.kill(pid, "SIGUSR1");
      await until(() => existsSync(out));
    }
    stopped = true;
    await Promise.all(running);
    await room.stop("p");
    const numbers = numbersIn(logs).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    expect(readFileSync(join(logs, "err"), "utf8")).not.toContain("lost");
  },
  60_000,
);

test.skipIf(NO_TMPFS !== "")(
  `a full disk loses no request, says once how many lines it lost, and recovers by itself ${NO_TMPFS}`,
  async () => {
    const disk = mountSmallDisk(room.path("disk"), 128);
    try {
      const out = join(disk.folder, "out");
      await room.daemon("workers=2", `outlog=${out}`, "errlog=err");
      disk.fill();
      // The last page of the file has some room left.
      const line = "x".repeat(100);
      for (let number = 1; number <= 300; number++) await ask(room.path("s"), `/out/${line}`);
      await until(() => readFileSync(room.path("err"), "utf8").includes("ENOSPC"));
      disk.free();
      await ask(room.path("s"), "/out/1000000");
      await until(() => readFileSync(out, "utf8").includes("1000000\n"));
      await room.stop("p");
      const said = readFileSync(room.path("err"), "utf8").match(/The log ".*" lost .*/g);
      expect(said).toEqual([expect.stringMatching(/lost (a line|\d+ lines), since .*\(ENOSPC\)/)]);
    } finally {
      disk.unmount();
    }
  },
  60_000,
);
