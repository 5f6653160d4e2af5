/**
 * `--access-log` of the real command: one file for several workers, rotation under load, a full disk.
 *
 * `POSTERN_TEST_FULL=1` sends ten times the requests. What lines say is test/observe's.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ClientConnection } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import { linesOf, linesWhen } from "../observe/log-room.ts";
import { mountSmallDisk, NO_TMPFS } from "../observe/tmpfs.ts";
import { makeProgram, type Program } from "./program.ts";

const REQUESTS = process.env["POSTERN_TEST_FULL"] === "1" ? 20_000 : 2_000;
const CLIENTS = 8;
const names = CONFIGURATIONS.filter(({ create }) => create !== undefined).map(({ name }) => name);
/** Lines are made above engine and transport: the fastest is enough. */
const configuration = names.at(-1)!;

describe(configuration, () => {
  let program: Program;
  beforeAll(async () => {
    program = await makeProgram(configuration);
    writeFileSync(join(program.folder, "app.cjs"), "module.exports = (req, res) => res.end('hi');");
  });
  afterAll(() => program.clear());

  /** Sends requests over connections of 50, each with a number of its own; resolves once all are answered. */
  async function send(count: number, first = 0): Promise<void> {
    let next = first;
    const work = async (): Promise<void> => {
      const address = { socket: join(program.folder, "s") };
      while (next < first + count) {
        const client = new ClientConnection({ protocol: "fastcgi", address });
        for (let i = 0; i < 50 && next < first + count; i++) {
          const response = await client.request({ url: `/n/${next++}` });
          expect([response.status, await response.text()]).toEqual([200, "hi"]);
        }
        client.destroy();
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, work));
  }

  const numbersIn = (lines: readonly string[]): number[] =>
    lines.map((line) => {
      const found = /^\d+ \d+ GET \/n\/(\d+) 200 2 end$/.exec(line);
      expect(found, line).not.toBeNull();
      return Number(found![1]);
    });
  const FORMAT = "%(wid) %(pid) %m %(uri) %(status) %(rsize) end";
  const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const sorted = (numbers: number[]): number[] => numbers.sort((a, b) => a - b);

  test("two workers share a file: as many whole lines as requests, rotated under load without a loss (B-98)", async () => {
    const words = ["--access-log", "shared.log", "--access-format", FORMAT];
    const running = program.start(["app.cjs", "--socket", "s", "--workers", "2", ...words]);
    await running.started;
    const path = join(program.folder, "shared.log");
    // The start line is the first worker's: the other one may still load.
    const writers = (): number => new Set(linesOf(path).map((line) => line.split(" ", 1)[0])).size;
    let early = 0;
    await until(async () => {
      await send(CLIENTS, early);
      early += CLIENTS;
      return writers() === 2;
    });
    const sending = send(REQUESTS, early);
    for (let turn = 1; turn <= 3; turn++) {
      await until(() => linesOf(path).length > REQUESTS / 20);
      renameSync(path, `${path}.${turn}`);
      running.child.kill("SIGUSR1");
      await until(() => existsSync(path));
    }
    await sending;
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    const files = readdirSync(program.folder).filter((name) => name.startsWith("shared.log"));
    expect(files).toHaveLength(4);
    const lines = files.flatMap((name) => linesOf(join(program.folder, name)));
    expect(sorted(numbersIn(lines))).toEqual(all(early + REQUESTS));
    expect(new Set(lines.map((line) => line.split(" ", 1)[0]))).toEqual(new Set(["1", "2"]));
    for (const name of files) expect(readFileSync(join(program.folder, name)).at(-1)).toBe(10);
  });

  const skipped = NO_TMPFS === "" ? "" : ` (skipped: ${NO_TMPFS})`;
  test.skipIf(NO_TMPFS !== "")(
    `a full disk loses no request, drops are told, and it recovers by itself${skipped}`,
    async () => {
      const disk = mountSmallDisk(join(program.folder, "disk"), 64);
      try {
        const path = join(disk.folder, "access.log");
        const words = ["--access-log", path, "--access-format", FORMAT];
        const running = program.start(["app.cjs", "--socket", "s", ...words]);
        await running.started;
        await send(10);
        expect(await linesWhen(path, 10)).toHaveLength(10);
        disk.fill();
        await send(1_000, 1_000);
        await until(() => running.stderr().includes("lost"));
        expect(running.stderr()).toMatch(
          /lost (a line|\d+ lines), since it cannot be written \(ENOSPC\)/,
        );
        disk.free();
        await send(10, 5_000);
        const wanted = all(10).map((i) => i + 5_000);
        // The lines of a busy server come in several pieces.
        const late = (): string[] => linesOf(path).filter((line) => line.includes("/n/500"));
        await until(() => late().length >= 10);
        expect(sorted(numbersIn(late()))).toEqual(wanted);
        expect(linesOf(path).length).toBeLessThan(1_020);
        running.child.kill("SIGTERM");
        expect((await running.ended).code).toBe(0);
      } finally {
        disk.unmount();
      }
    },
  );

  test("- is standard error, and a wrong format ends the start with one sentence", async () => {
    const running = program.start(["app.cjs", "--socket", "s", "--access-log", "-"]);
    await running.started;
    await send(1);
    await until(() => running.stderr().includes('"GET /n/0 HTTP/1.1" 200 2'));
    running.child.kill("SIGTERM");
    await running.ended;
    const wrong = ["app.cjs", "--socket", "s", "--access-log", "a", "--access-format", "%z"];
    const { code, stderr } = await program.run(wrong);
    expect(code).toBe(2);
    expect(stderr).toContain('accessFormat has "%z", which is unknown;');
  });
});
