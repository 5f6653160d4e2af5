/**
 * What makes a daemon of runfcgi's: the terminal, the folder, the pid file, the launcher that waits, an empty environment.
 *
 * Rows of docs/runfcgi.md as in runfcgi-words.test.ts, with the traps that were corrected (heritage §2, §3). Each test runs
 * the real command.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/behaviour.ts";
import { ask, type DaemonRoom, isAlive, makeDaemonRoom, sessionOf } from "./daemons.ts";

let room: DaemonRoom;
beforeAll(async () => {
  room = await makeDaemonRoom();
});
afterEach(async () => {
  if (existsSync(room.path("p"))) await room.stop("p");
});
afterAll(() => room.clear());

const OK = { code: 0, stdout: "" };
const daemon = (...words: string[]): Promise<string> => room.daemon(...words);
const answer = (url?: string): ReturnType<typeof ask> => ask(room.path("s"), url);

describe("the daemon", () => {
  test("daemonize: a session of its own without terminal, descriptors or launcher; it serves when the launcher ends", async () => {
    await daemon("workers=1");
    const pid = room.pidIn("p");
    // Everything is there at once: nothing is waited for here.
    const told = await answer();
    expect(told).toMatchObject({ ppid: pid, cwd: "/" });
    expect(told.env).not.toHaveProperty("POSTERN_DAEMON");
    for (const fd of [0, 1, 2]) expect(readlinkSync(`/proc/${pid}/fd/${fd}`)).toBe("/dev/null");
    expect(sessionOf(pid)).toContain(pid);
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]!.split(" ");
    expect({ session: Number(stat[3]), terminal: stat[4] }).toEqual({
      session: pid,
      terminal: "0",
    });
  });

  test("daemonize: no, in every spelling, stays in the foreground", async () => {
    for (const word of ["daemonize=false", "Daemonize=No", "daemonize=F", "daemonize=0"]) {
      const running = room.program.start(["app.cjs", "socket=s", "method=single", word]);
      await running.started;
      expect((await answer()).pid).toBe(running.child.pid);
      running.child.kill("SIGTERM");
      expect((await running.ended).code).toBe(0);
    }
  });

  test("daemonize: yes, in every spelling and as a bare word, leaves the terminal", async () => {
    for (const word of [
      "daemonize=t",
      "daemonize=YES",
      "daemonize=1",
      "daemonize",
      "--daemonize",
    ]) {
      const words = ["--socket", "s", "--pidfile=p", "method=single", word];
      expect(await room.launch(words)).toMatchObject(OK);
      expect((await answer()).pid).toBe(room.pidIn("p"));
      await room.stop("p");
    }
    expect(await room.launch(["daemonize=maybe", "socket=t"])).toMatchObject({ code: 2 });
  });

  test("daemonize: the launcher prints the daemon's error and ends with its status", async () => {
    for (const [words, status, sentence] of [
      [["socket=no/s"], 2, /^postern: The socket's folder ".*no" does not exist; create it/m],
      [["socket=app.cjs"], 2, /where a file stands and no socket/],
      [
        ["socket=t", "pidfile=no/p"],
        2,
        /pidfile is ".*no\/p", whose folder does not exist; create/,
      ],
      [
        ["socket=t", "errlog=no/e"],
        2,
        /The log ".*no\/e" cannot be had: its folder does not exist/,
      ],
      [["socket=t", "workdir=no"], 2, /workdir is ".*no", which does not exist; create it/],
    ] as const) {
      const { code, stderr } = await room.launch(words);
      expect({ code, stderr }).toEqual({ code: status, stderr: expect.stringMatching(sentence) });
    }
    const { code, stderr } = await room.program.run(["missing.cjs", "socket=t"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("does not exist"),
    });
    expect(existsSync(room.path("t"))).toBe(false);
  });

  test("daemonize: a daemon that its application ends before it serves is no success, and the launcher says so", async () => {
    for (const [code, how, status] of [
      ["process.exit(0)", "exit status 0", 1],
      ["process.exit(5)", "exit status 5", 5],
      ["process.kill(process.pid, 'SIGSEGV')", "SIGSEGV", 1],
    ] as const) {
      writeFileSync(room.path("ends.cjs"), `console.error("of the application"); ${code};`);
      const words = ["ends.cjs", "socket=t", "method=single", "workdir=."];
      const ended = await room.program.run(words);
      expect(ended).toMatchObject({
        code: status,
        stderr: expect.stringContaining(`postern: The daemon ended with ${how} before it served.`),
      });
    }
  });

  test("workdir: / for a daemon if not given; paths count from where they were written (T4)", async () => {
    mkdirSync(room.path("work"), { recursive: true });
    await daemon("workdir=work", "outlog=o1", "errlog=e1");
    expect((await answer()).cwd).toBe(room.path("work"));
    expect(existsSync(room.path("o1")) && existsSync(room.path("e1"))).toBe(true);
    const running = room.program.start(["app.cjs", "--socket", "f", "--workdir", "work"]);
    await running.started;
    expect((await ask(room.path("f"))).cwd).toBe(room.path("work"));
  });

  test("pidfile: the id of the process to signal and a line end, in mode 644; gone with it (O-5)", async () => {
    await daemon("umask=077");
    const text = readFileSync(room.path("p"), "latin1");
    expect(text).toMatch(/^\d+\n$/);
    expect(statSync(room.path("p")).mode & 0o777).toBe(0o644);
    expect((await answer()).ppid).toBe(Number(text));
    await room.stop("p");
    expect(existsSync(room.path("p"))).toBe(false);
  });

  test("pidfile, socket: what a killed primary left stops no next start, and its workers leave", async () => {
    await daemon("workers=2");
    const killed = room.pidIn("p");
    await room.stop("p", "SIGKILL");
    expect(existsSync(room.path("s"))).toBe(true);
    expect(room.pidIn("p")).toBe(killed);
    await daemon("workers=1");
    expect(room.pidIn("p")).not.toBe(killed);
    expect((await answer()).ppid).toBe(room.pidIn("p"));
  });

  test("pidfile: refused where everybody may write, since others could name a process of their choice (O-5)", async () => {
    mkdirSync(room.path("open"), { recursive: true });
    chmodSync(room.path("open"), 0o1777);
    const { code, stderr } = await room.launch(["socket=t", "pidfile=open/p"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("in a folder where everybody may write and so decide which"),
    });
  });

  test("pidfile: a file that is no pid file stays as it was; what a process left, whole or empty, is replaced", async () => {
    for (const text of ["module.exports = 1;\n", "12 13\n", "-1", "1".repeat(65)]) {
      writeFileSync(room.path("kept"), text);
      const { code, stderr } = await room.program.run(["app.cjs", "socket=t", "pidfile=kept"]);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(/kept", a file that holds something else than the id of a/),
      });
      expect(readFileSync(room.path("kept"), "latin1")).toBe(text);
    }
    for (const text of ["", "4194305\n"]) {
      writeFileSync(room.path("p"), text);
      await daemon("workers=1");
      expect((await answer()).ppid).toBe(room.pidIn("p"));
      await room.stop("p");
    }
  });

  test("one path for two things is refused, but for logs", async () => {
    for (const [words, names] of [
      [["pidfile=t"], "socket and pidfile"],
      [["control=./t"], "socket and control"],
      [["status=./t"], "socket and status"],
      [["pidfile=l", "errlog=l"], "pidfile and errlog"],
      [["pidfile=l", "accessLog=l"], "pidfile and accessLog"],
    ] as const) {
      const { code, stderr } = await room.launch(["socket=t", ...words]);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(
          new RegExp(`^postern: ${names} are both ".*"; give each a path of its own\\.\n$`),
        ),
      });
    }
    await daemon("workers=1", "outlog=l", "errlog=l", "accessLog=l");
    await room.stop("p");
  });

  test("help: in three forms, on stdout, with status 0, whatever else is there", async () => {
    for (const word of ["help", "HELP=me", "--help"]) {
      const { code, stdout, stderr } = await room.launch([word, "socket=s", "minspare=9"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const name of ["maxrequests", "pidfile", "workdir", "outlog", "errlog", "daemonize"]) {
        expect(stdout).toMatch(new RegExp(`^  --${name}`, "m"));
      }
    }
  });
});

describe("surroundings", () => {
  test("an empty environment does, and a relative NODE_PATH counts from the folder of the start (T10, B-23)", async () => {
    mkdirSync(room.path("lib"), { recursive: true });
    writeFileSync(join(room.path("lib"), "neighbour.json"), '"found"');
    const { code, stderr } = await room.launch(["socket=s", "pidfile=p"], {
      shell: 'exec /usr/bin/env - NODE_PATH="lib:.." "$@"',
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { env, found } = await answer();
    expect(found).toBe("found");
    expect(env["NODE_PATH"]).toBe(`${room.path("lib")}:${resolve(room.path(".."))}`);
    // Its own number, for logs, is what a worker is given.
    const given = new Set(["NODE_PATH", "POSTERN_WORKER"]);
    expect(Object.keys(env).filter((name) => !given.has(name))).toEqual([]);
  });

  test("a launcher that is stopped takes the daemon with it", async () => {
    writeFileSync(
      room.path("slow.cjs"),
      'require("fs").writeFileSync("pid", ""+process.ppid);module.exports = new Promise(() => setInterval(() => {}, 1e3));',
    );
    const running = room.program.start(["slow.cjs", "socket=u", "workdir=."]);
    await until(
      () => existsSync(room.path("pid")) && readFileSync(room.path("pid"), "utf8") !== "",
      10_000,
    );
    const pid = Number(readFileSync(room.path("pid"), "utf8"));
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(1);
    await until(() => !isAlive(pid), 10_000);
    expect(existsSync(room.path("u"))).toBe(false);
  });
});
