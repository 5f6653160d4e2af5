/**
 * A log file: every line whole and in order, through renames and full disks.
 *
 * Files, pipes and disks are real; what is lost is counted, and what is written is read back.
 */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LogFile } from "../../src/observe/log-file.ts";
import { until } from "../support/behaviour.ts";
import { mountSmallDisk, NO_TMPFS } from "./tmpfs.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "postern-log-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const numbers = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `line ${from + index}`);
const linesOf = (path: string): string[] => readFileSync(path, "utf8").split("\n").slice(0, -1);

test("lines of one turn are one write, in order, and the file is 0640 (reliability O-11)", async () => {
  const path = join(folder, "order");
  const log = new LogFile(path);
  for (const line of numbers(1_000)) log.write(line);
  log.write("größer als ein Byte: 漢字");
  await log.close();
  expect(linesOf(path)).toEqual([...numbers(1_000), "größer als ein Byte: 漢字"]);
  expect(statSync(path).mode & 0o777).toBe(0o640 & ~process.umask());
  expect(log.dropped).toBe(0);
});

test("renamed and reopened while it is written, it loses no line and doubles none", async () => {
  const path = join(folder, "rotated");
  const log = new LogFile(path);
  for (let turns = 0; turns < 400; turns++) {
    for (const line of numbers(20, turns * 20)) log.write(line);
    if (turns % 40 === 39) {
      renameSync(path, `${path}.${String(turns).padStart(3, "0")}`);
      log.reopen();
    }
    await turn();
  }
  await log.close();
  const files = readdirSync(folder).filter((name) => name.startsWith("rotated"));
  expect(files.length).toBeGreaterThan(9);
  const all = files.flatMap((name) => linesOf(join(folder, name)));
  expect(new Set(all)).toEqual(new Set(numbers(8_000)));
  expect(all).toHaveLength(8_000);
});

test.skipIf(NO_TMPFS !== "")(
  `a full disk drops lines, counts them, warns once, and recovers by itself ${NO_TMPFS}`,
  async () => {
    const disk = mountSmallDisk(join(folder, "disk"), 64);
    try {
      const path = join(disk.folder, "log");
      const warnings: string[] = [];
      const log = new LogFile(path, { warn: (sentence) => warnings.push(sentence) });
      log.write("before");
      await until(() => readFileSync(path, "utf8") === "before\n");
      disk.fill();
      let written = 1;
      while (log.dropped < 2_000) {
        for (let i = 0; i < 50; i++) log.write(`line ${written++}`);
        await turn();
      }
      disk.free();
      const lostBytes = log.dropped;
      let after = 0;
      await until(() => {
        after++;
        log.write(`after ${written++}`);
        return /^after \d+$/m.test(readFileSync(path, "utf8"));
      });
      await log.close();
      expect(warnings).toEqual([
        expect.stringMatching(
          /^The log ".*" lost .*\(ENOSPC\); it is tried again with every line\.$/,
        ),
      ]);
      const kept = linesOf(path);
      // A line that the full disk cut stands alone, and was counted as lost.
      const whole = kept.filter((line) => /^(before|(line|after) \d+)$/.test(line));
      expect(kept.length - whole.length).toBeLessThanOrEqual(1);
      expect(lostBytes).toBeLessThanOrEqual(log.dropped);
      expect(written - log.dropped).toBeGreaterThanOrEqual(whole.length - 1);
      expect(written - log.dropped).toBeLessThanOrEqual(whole.length);
      expect(after).toBeGreaterThan(0);
    } finally {
      disk.unmount();
    }
  },
);

test("what waits has an end: more is dropped and counted, and the rest is written whole", async () => {
  const path = join(folder, "bounded");
  const warnings: string[] = [];
  const log = new LogFile(path, { maxBufferedBytes: 3_100, warn: (one) => warnings.push(one) });
  for (let i = 0; i < 100; i++) log.write("x".repeat(99));
  expect(log.dropped).toBe(90);
  await log.close();
  expect(linesOf(path)).toEqual(Array(10).fill("x".repeat(99)));
  expect(warnings).toEqual([
    expect.stringContaining("lost a line, since it is written more slowly"),
  ]);
});

test("bytes are written in their turn, and are their owner's again once they are, lost ones too", async () => {
  const path = join(folder, "bytes");
  const log = new LogFile(path, { maxBufferedBytes: 200 });
  const bytes = Buffer.from("second\nthird\n");
  const events: string[] = [];
  log.write("first");
  log.writeBytes(bytes, 2, () => {
    events.push(`in the file: ${linesOf(path).join(" ")}`);
    bytes.fill("x");
  });
  log.write("fourth\nfifth", 2);
  expect(events).toEqual([]);
  log.writeBytes(Buffer.alloc(201, 10), 201, () => events.push("lost"));
  expect([log.dropped, events]).toEqual([201, ["lost"]]);
  await log.close();
  expect(linesOf(path)).toEqual(["first", "second", "third", "fourth", "fifth"]);
  expect(events).toEqual(["lost", "in the file: first second third"]);
  log.writeBytes(bytes, 1, () => events.push("closed"));
  expect([log.dropped, events.at(-1)]).toEqual([202, "closed"]);
});

test("what waits at the end of a process is written, strings and bytes", async () => {
  const path = join(folder, "ends");
  const log = new LogFile(path);
  log.writeBytes(Buffer.from("one\n"), 1, () => undefined);
  log.write("two");
  log.writeBytes(Buffer.from("three\n"), 1, () => undefined);
  log.flushSync();
  expect(linesOf(path)).toEqual(["one", "two", "three"]);
  await log.close();
});

test("a pipe whose reader went away costs lines, and no more than that (O-10)", async () => {
  const path = join(folder, "pipe");
  execFileSync("mkfifo", [path]);
  expect(() => new LogFile(path)).toThrow("it is a pipe that nobody reads; start its reader first");
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const log = new LogFile(path);
  log.write("heard");
  const bytes = Buffer.alloc(64);
  await until(() => {
    try {
      return readSync(reader, bytes) > 0;
    } catch {
      return false;
    }
  });
  expect(bytes.toString("latin1", 0, 6)).toBe("heard\n");
  closeSync(reader);
  log.write("unheard");
  await until(() => log.dropped === 1);
  await log.close();
});

test("a symlink, a folder and a missing folder are refused with what to do (O-11)", () => {
  const link = join(folder, "link");
  symlinkSync("/etc/passwd", link);
  expect(() => new LogFile(link)).toThrow(/cannot be had: it is a symlink, which a log may not be/);
  expect(() => new LogFile("/dev/stdout")).toThrow("accessLog and slowLog take - for standard");
  expect(() => new LogFile(folder)).toThrow("it is a folder; name a file");
  expect(() => new LogFile(join(folder, "none", "log"))).toThrow(
    "its folder does not exist; create it",
  );
});

test("a reopening that fails leaves the old file in use", async () => {
  const path = join(folder, "away");
  const warnings: string[] = [];
  const log = new LogFile(path, { warn: (sentence) => warnings.push(sentence) });
  log.write("one");
  await until(() => readFileSync(path, "utf8") === "one\n");
  renameSync(path, `${path}.1`);
  symlinkSync("/dev/null", path);
  log.reopen();
  log.write("two");
  await log.close();
  expect(linesOf(`${path}.1`)).toEqual(["one", "two"]);
  expect(warnings).toEqual([expect.stringContaining("The old file stays in use.")]);
});

test("what waits at the process's end is written at once", () => {
  const path = join(folder, "sudden");
  const log = new LogFile(path);
  log.write("last words");
  log.flushSync();
  expect(linesOf(path)).toEqual(["last words"]);
});
