/**
 * Every option of runfcgi, written as its users write it: what the command makes of it (docs/runfcgi.md has the table).
 *
 * One test a row of the table, and more where a trap was corrected (heritage §2, §3). Each runs the real command.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import { ask, type DaemonRoom, makeDaemonRoom, sessionOf } from "./daemons.ts";

let room: DaemonRoom;
beforeAll(async () => {
  room = await makeDaemonRoom();
});
afterEach(async () => {
  if (existsSync(room.path("p"))) await room.stop("p");
});
afterAll(() => room.clear());

const daemon = (...words: string[]): Promise<string> => room.daemon(...words);
const answer = (url?: string): ReturnType<typeof ask> => ask(room.path("s"), url);
const lines = (name: string): string[] =>
  readFileSync(room.path(name), "utf8").split("\n").slice(0, -1);

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

describe("where and what", () => {
  test("protocol: fcgi if not given; scgi and ajp by their names", async () => {
    expect(await daemon()).toMatch(/^postern \S+: fastcgi on unix:/m);
    await room.stop("p");
    expect(await daemon("PROTOCOL=SCGI")).toMatch(/: scgi on unix:/);
    const address = { socket: room.path("s") };
    const response = await request({ protocol: "scgi", address, url: "/" });
    expect(JSON.parse(await response.text())).toMatchObject({ cwd: "/" });
    await room.stop("p");
    expect(await daemon("protocol=ajp")).toMatch(/: ajp on unix:/);
  });

  test("host, port: both make an address, a port alone is one of this machine, a host alone is none (T8)", async () => {
    const port = await freePort();
    const { code, stderr } = await room.launch(["HOST=127.0.0.1", `PORT=${port}`, "pidfile=p"]);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`:${port},`),
    });
    const response = await request({ protocol: "fastcgi", address: { port }, url: "/" });
    expect(JSON.parse(await response.text())).toMatchObject({ ppid: room.pidIn("p") });
    expect(await room.launch(["host=127.0.0.1"])).toMatchObject({ code: 2 });
  });

  test("socket: made where it was written, gone when the daemon is; a second daemon is refused (O-3)", async () => {
    await daemon();
    expect(statSync(room.path("s")).isSocket()).toBe(true);
    const second = await room.launch(["socket=s", "pidfile=q"]);
    expect(second).toMatchObject({ code: 2, stderr: expect.stringContaining("another instance") });
    expect(existsSync(room.path("q"))).toBe(false);
    expect(await answer()).toMatchObject({ ppid: room.pidIn("p") });
    await room.stop("p");
    expect(existsSync(room.path("s"))).toBe(false);
  });
});

describe("processes", () => {
  test("method: prefork if not given, fork is the same, single is one process; others are refused", async () => {
    expect(await daemon("workers=2")).toContain("2 workers (prefork)");
    expect(sessionOf(room.pidIn("p"))).toHaveLength(3);
    await room.stop("p");
    expect(await daemon("METHOD=Fork", "workers=1")).toContain("(prefork)");
    await room.stop("p");
    await daemon("method=single");
    expect(await answer()).toMatchObject({ pid: room.pidIn("p") });
    expect(await room.launch(["socket=t", "method=forked"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("it takes single, prefork (or fork) or threaded (or thread)"),
    });
  });

  test("maxrequests, minspare, maxspare, maxchildren: whole numbers in their order", async () => {
    await daemon("maxrequests=500", "minspare=1", "maxspare=2", "maxchildren=2");
    expect((await answer()).ppid).toBe(room.pidIn("p"));
    for (const [words, sentence] of [
      [["minspare=6", "maxspare=5"], "minspare is 6 and maxspare 5; minspare may be maxspare at"],
      [["maxspare=6", "maxchildren=5"], "maxspare is 6 and maxchildren 5; maxspare may be"],
      [["minspare=0"], "minspare is 0; it takes a whole number from 1 to 1024."],
      [["maxrequests=many"], 'maxrequests is "many"; it takes a whole number from 0'],
    ] as const) {
      const { code, stderr } = await room.launch(["socket=t", ...words]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(sentence) });
    }
  });
});

describe("what it writes and shows", () => {
  test("outlog: the application's lines as they are, and nothing else", async () => {
    await daemon("workers=1", "outlog=out1");
    await answer("/out/one%1b%5B2Jtwo");
    await until(() => lines("out1").length === 2);
    expect(lines("out1")).toEqual(["loaded, says stdout", "one\\x1b[2Jtwo"]);
    expect(statSync(room.path("out1")).mode & 0o777).toBe(0o640);
  });

  test("errlog: each line with its time and the process it is from, which no worker can forge (O-8)", async () => {
    await daemon("workers=1", "errlog=err1");
    const { pid, ppid } = await answer(
      `/err/${encodeURIComponent("postern: SIGTERM: finishing\rpostern: x")}`,
    );
    await until(() => lines("err1").length === 3);
    await room.stop("p");
    const time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z";
    expect(lines("err1")).toEqual([
      expect.stringMatching(new RegExp(`^${time} \\[${pid}\\] loaded, says stderr$`)),
      expect.stringMatching(new RegExp(`^${time} \\[${ppid}\\] postern \\d.*pid ${ppid}$`)),
      expect.stringMatching(
        new RegExp(`^${time} \\[${pid}\\] postern: SIGTERM: .*\\\\x0dpostern: x$`),
      ),
      expect.stringMatching(new RegExp(`^${time} \\[${ppid}\\] postern: SIGTERM: finishing`)),
    ]);
  });

  test("outlog, errlog: in the foreground and in a single process as well", async () => {
    const words = ["--socket", "f1", "--outlog", "out2", "--errlog", "err2"];
    const running = room.program.start(["app.cjs", ...words]);
    await running.started;
    await ask(room.path("f1"), "/err/later");
    await ask(room.path("f1"), "/out/later");
    running.child.kill("SIGTERM");
    const { stdout, stderr } = await running.ended;
    expect(stdout).toBe("");
    expect(stderr).not.toContain("later");
    expect(lines("out2")).toEqual(["loaded, says stdout", "later"]);
    expect(lines("err2").map((line) => line.slice(25))).toEqual([
      `[${running.child.pid}] loaded, says stderr`,
      expect.stringContaining("] postern 0"),
      `[${running.child.pid}] later`,
      expect.stringContaining("SIGTERM: finishing what runs"),
    ]);
  });

  test("umask: octal; 0002 gives the socket 775 and holds for the application, in the foreground too (T6)", async () => {
    await daemon("umask=0002");
    expect(statSync(room.path("s")).mode & 0o777).toBe(0o775);
    expect((await answer()).umask).toBe(0o002);
    const running = room.program.start(["app.cjs", "socket=f2", "umask=0027", "daemonize=false"]);
    await running.started;
    expect(statSync(room.path("f2")).mode & 0o777).toBe(0o750);
    expect((await ask(room.path("f2"))).umask).toBe(0o027);
    expect(await room.launch(["socket=t", "umask=999"])).toMatchObject({ code: 2 });
  });

  test.each([
    ["debug=false", false],
    ["debug=0", false],
    ["debug=true", true],
    ["debug", true],
  ])("debug: %s shows the stack of errors: %s", async (word, shows) => {
    await daemon(word, "workers=1", `errlog=err-${word}`);
    await answer("/throw").catch(() => undefined);
    const text = (): string => readFileSync(room.path(`err-${word}`), "utf8");
    await until(() => text().includes("of the handler"));
    await room.stop("p");
    expect(/\[\d+\] {5}at /.test(text())).toBe(shows);
  });

  test("an unknown word is refused with the closest one, status 2, nothing on stdout", async () => {
    const { code, stdout, stderr } = await room.launch(["socket=t", "pidfil=x"]);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: "postern: Unknown option pidfil; did you mean pidfile?\n",
    });
  });
});
