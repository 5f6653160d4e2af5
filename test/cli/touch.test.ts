/**
 * Touch and watch: new code by `touch`, by a rename, and by saving, with the processes of a web server and with our own.
 *
 * The web server here is the test: it listens, hands the socket down as descriptor 0, and starts another process when one
 * leaves. Loads are real, and no request may be lost once a handler has it (heritage T2, S4).
 */
import { readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import { makeProgram, type Program, type Running } from "./program.ts";

/** An application of a version; notes in "seen" the number of each request that it takes. */
const app = (version: number): string => `
const { appendFileSync } = require("node:fs");
module.exports = (req, res) => {
  appendFileSync(require("node:path").join(__dirname, "seen"), req.url.slice(1) + "\\n");
  setTimeout(() => res.end(JSON.stringify({ pid: process.pid, version: ${version} })), 5);
};
`;

/** libuv's handle of a bound socket. */
interface Held {
  readonly fd: number;
  close(): void;
}

/** A load. */
interface Load {
  answered: number;
  /** Ends it; how requests failed that a handler had taken. */
  lost(): Promise<string[]>;
}

interface Answer {
  readonly pid: number;
  readonly version: number;
}

describe.each(CONFIGURATIONS.filter(({ create }) => create !== undefined).map(({ name }) => name))(
  "%s",
  (configuration) => {
    let program: Program;
    let holder: Held | undefined;
    /** Nobody is started any more. */
    let stopping = false;
    const path = (name: string): string => join(program.folder, name);
    beforeAll(async () => {
      program = await makeProgram(configuration);
    });
    afterEach(() => {
      stopping = true;
      holder?.close();
    });
    afterAll(() => program.clear());

    const ask = async (socket: string, url = "/0"): Promise<Answer> =>
      JSON.parse(
        await (
          await request({ protocol: "fastcgi", address: { socket: path(socket) }, url })
        ).text(),
      ) as Answer;

    const versionOf = (socket: string, version: number): Promise<boolean> =>
      ask(socket).then(
        (answer) => answer.version === version,
        () => false,
      );

    /** Binds without accepting, as a web server does; returns the descriptor. */
    function hold(name: string): number {
      const { _createServerHandle: create } = net as unknown as {
        _createServerHandle(path: string, port: number, type: number): Held;
      };
      holder = create(path(name), -1, -1);
      return holder.fd;
    }

    /** Asks without end, and counts. */
    function load(socket: string): Load {
      let stopped = false;
      let last = 0;
      const failures = new Map<number, string>();
      const result: Load = {
        answered: 0,
        async lost(): Promise<string[]> {
          stopped = true;
          await Promise.all(running);
          const seen = new Set(readFileSync(path("seen"), "utf8").split("\n").map(Number));
          return [...failures].filter(([number]) => seen.has(number)).map(([, how]) => how);
        },
      };
      const one = async (): Promise<void> => {
        while (!stopped) {
          const number = ++last;
          await ask(socket, `/${number}`).then(
            () => result.answered++,
            (error: unknown) => failures.set(number, String(error)),
          );
          await sleep(2);
        }
      };
      rmSync(path("seen"), { force: true });
      const running = [one(), one(), one()];
      return result;
    }

    test("of several processes on descriptor 0 each leaves at a touch, and what was taken is finished", async () => {
      writeFileSync(path("app.cjs"), app(1));
      const fd = hold("s");
      const words = ["app.cjs", "--touch-files", "mysite.fcgi"];
      writeFileSync(path("mysite.fcgi"), "#!/bin/sh\n");
      const living = new Set<Running>();
      stopping = false;
      const spawnOne = (): void => {
        const running = program.start(words, { stdio: [fd, "pipe", "pipe"] });
        living.add(running);
        void running.ended.then(({ code }) => {
          living.delete(running);
          statuses.push(code);
          if (!stopping) spawnOne();
        });
      };
      const statuses: (number | null)[] = [];
      spawnOne();
      spawnOne();
      await Promise.all([...living].map(({ started }) => started));
      const running = load("s");
      const touches = [
        (): void => utimesSync(path("app.cjs"), new Date(), new Date()),
        (): void => {
          writeFileSync(path("new.cjs"), app(2));
          renameSync(path("new.cjs"), path("app.cjs"));
        },
        (): void => utimesSync(path("mysite.fcgi"), new Date(), new Date()),
      ];
      for (const touch of touches) {
        const before = new Set([...living].map(({ child }) => child.pid));
        touch();
        await until(() => [...living].every(({ child }) => !before.has(child.pid)), 20_000);
        await Promise.all([...living].map(({ started }) => started));
        const count = running.answered;
        await until(() => running.answered > count + 5);
      }
      await until(() => versionOf("s", 2));
      expect(await running.lost()).toEqual([]);
      stopping = true;
      expect(statuses).toEqual(Array(6).fill(0));
      for (const { child } of living) child.kill("SIGTERM");
    }, 60_000);

    test("a touch finishes the request that runs, and the next one is another process's", async () => {
      writeFileSync(
        path("slow.cjs"),
        "module.exports = (req, res) => { res.write('begun '); setTimeout(() => res.end(String(process.pid)), 700); };",
      );
      const fd = hold("t");
      const running = program.start(["slow.cjs"], { stdio: [fd, "pipe", "pipe"] });
      await running.started;
      const response = await request({
        protocol: "fastcgi",
        address: { socket: path("t") },
        url: "/",
      });
      utimesSync(path("slow.cjs"), new Date(), new Date());
      expect(await response.text()).toBe(`begun ${running.child.pid}`);
      const { code, stderr } = await running.ended;
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr: expect.stringMatching(
          /slow\.cjs was touched: leaving, once what runs is finished\n$/,
        ),
      });
    });

    test("--touch-reload reloads our own workers, and what was taken is finished", async () => {
      writeFileSync(path("own.cjs"), app(1));
      const running = program.start([
        "own.cjs",
        "--socket",
        "u",
        "--touch-reload",
        "--workers",
        "2",
      ]);
      await running.started;
      const asking = load("u");
      for (const version of [2, 3]) {
        writeFileSync(path("own.cjs"), app(version));
        await until(() => versionOf("u", version), 20_000);
      }
      expect(await asking.lost()).toEqual([]);
      expect(running.stderr()).toMatch(/own\.cjs was touched: loading the application anew\n/);
    });
  },
);

describe("--watch", () => {
  let program: Program;
  beforeAll(async () => {
    program = await makeProgram();
  });
  afterAll(() => program.clear());

  test("reloads once for several changes in a row, and not for files that are no code", async () => {
    const file = (name: string): string => join(program.folder, name);
    writeFileSync(
      file("app.cjs"),
      'const part = require("./part.cjs"); module.exports = (req, res) => res.end(part);',
    );
    writeFileSync(file("part.cjs"), 'module.exports = "one";');
    const running = program.start(["app.cjs", "--socket", "s", "--watch", "--errlog", "app.log"]);
    await running.started;
    const ask = async (): Promise<string> =>
      (await request({ protocol: "fastcgi", address: { socket: file("s") }, url: "/" })).text();
    expect(await ask()).toBe("one");
    const log = (): string => readFileSync(file("app.log"), "utf8");
    for (const word of ["two", "three", "four"]) {
      writeFileSync(file("part.cjs"), `module.exports = "${word}";`);
      writeFileSync(file("notes.txt"), word);
    }
    await until(() => log().includes("the new workers serve"), 20_000);
    expect(await ask()).toBe("four");
    expect(log().match(/changed: loading/g)).toHaveLength(1);
    // A log in the folder is written by each reload: it would go on for ever.
    writeFileSync(file("part.cjs"), "broken(");
    await until(() => log().includes("the old workers go on"), 20_000);
    expect(await ask()).toBe("four");
    writeFileSync(file("part.cjs"), 'module.exports = "five";');
    await until(async () => (await ask()) === "five", 20_000);
    expect(log().match(/changed: loading/g)).toHaveLength(3);
  }, 60_000);
});
