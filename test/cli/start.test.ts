/**
 * The command line when all is well: start line, serving, signals, end. Each in a process of its own.
 */
import * as fs from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, makeProgram, type Program, type RunOptions, type Running } from "./program.ts";

const APP = `
import { setTimeout as sleep } from "node:timers/promises";
export default async (req, res) => {
  const url = new URL(req.url, "http://x");
  if (url.pathname === "/throw") throw new Error("of the handler");
  if (url.pathname === "/later") setTimeout(() => { throw new Error("of nobody"); });
  if (url.pathname === "/mask") { res.end(process.umask().toString(8)); return; }
  res.flushHeaders();
  if (url.pathname === "/slow") await sleep(Number(url.searchParams.get("ms")));
  res.end("hello from " + url.pathname);
};
setInterval(() => {}, 1000);
`;

let program: Program;
beforeAll(async () => {
  program = await makeProgram();
  fs.writeFileSync(join(program.folder, "app.mjs"), APP);
});
afterAll(() => program.clear());

const path = (name: string): string => join(program.folder, name);

/** Serves HTTP on a socket file; resolves once it does. */
async function serveHttp(
  name: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Running> {
  const running = program.start(
    ["app.mjs", "--protocol", "http", "--socket", path(name), ...args],
    options,
  );
  await running.started;
  return running;
}

describe("the start line", () => {
  test("names version, protocol, address, engine and why, and the process; and nothing goes to stdout", async () => {
    const running = program.start(["app.mjs", "--socket", path("a.sock")]);
    const { version } = JSON.parse(fs.readFileSync("package.json", "utf8")) as { version: string };
    expect(await running.started).toBe(
      `postern ${version}: fastcgi on unix:${path("a.sock")}, ` +
        `engine typescript (POSTERN_ENGINE asks for it), transport node (the engine is typescript), pid ${running.child.pid}`,
    );
    running.child.kill("SIGTERM");
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(fs.existsSync(path("a.sock"))).toBe(false);
  });

  test("names the port that the system chose, and what auto leaves out", async () => {
    const running = program.start(["app.mjs", "protocol=auto", "PORT=0"]);
    const line = await running.started;
    const port = Number(/fastcgi\+scgi\+http on 127\.0\.0\.1:(\d+),/.exec(line)?.[1]);
    expect(line).toMatch(/pid \d+\. AJP is left out, .*stays in the foreground/);
    expect(await ask({ port, path: "/x" })).toBe("hello from /x");
  });
});

describe("words of runfcgi", () => {
  test("umask=0002 gives the socket mode 775, and holds for the application", async () => {
    const running = program.start([
      "app.mjs",
      "PROTOCOL=http",
      `socket=${path("b.sock")}`,
      "umask=0002",
      "method=threaded",
      "daemonize=false",
      "debug=true",
    ]);
    expect(await running.started).not.toContain("foreground");
    expect(fs.statSync(path("b.sock")).mode & 0o777).toBe(0o775);
    expect(await ask({ socketPath: path("b.sock"), path: "/mask" })).toBe("2");
  });

  test("debug decides whether errors of handlers show their stack", async () => {
    for (const debug of [true, false]) {
      const running = await serveHttp(`debug-${debug}`, [`debug=${debug}`]);
      await ask({ socketPath: path(`debug-${debug}`), path: "/throw?secret" });
      running.child.kill("SIGTERM");
      const { stderr } = await running.ended;
      expect(stderr).toContain("postern: error in GET /throw: Error: of the handler");
      expect(stderr.includes("app.mjs:")).toBe(debug);
      expect(stderr).not.toContain("secret");
    }
  });
});

describe("help and version", () => {
  test.each([
    ["--help"],
    ["-h"],
    ["help"],
    ["HELP"],
    ["help=me"],
    ["app.mjs", "--help", "--port", "x"],
  ])("%j %j prints the help on stdout", async (...args) => {
    if (args.includes("x")) args.splice(args.indexOf("--port"));
    const { code, stdout, stderr } = await program.run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Usage: postern APP");
    expect(stdout).toContain("--limits.body-bytes N");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThan(110);
  });

  test("--version names version, engine with its reason, and node", async () => {
    const { code, stdout } = await program.run(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^postern \S+, engine typescript \(POSTERN_ENGINE asks for it\), node v\d+\.\d+\.\d+\n$/,
    );
  });

  test("--version works where the engine that is asked for does not", async () => {
    const { code, stdout } = await program.run(["--version"], { env: { POSTERN_ENGINE: "fast" } });
    expect(code).toBe(0);
    expect(stdout).toContain("engine none (");
  });
});

describe("an address that is taken", () => {
  test("is had as soon as the former instance leaves", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((done) => server.listen(path("c.sock"), done));
    const running = program.start(["app.mjs", "--protocol", "http", "--socket", path("c.sock")]);
    await sleep(700);
    server.close();
    await running.started;
    expect(await ask({ socketPath: path("c.sock"), path: "/" })).toBe("hello from /");
  });

  test("the file of the new instance survives the end of the old one", async () => {
    const old = await serveHttp("d.sock");
    const slow = ask({ socketPath: path("d.sock"), path: "/slow?ms=1000" });
    await sleep(200);
    old.child.kill("SIGTERM");
    await serveHttp("d.sock");
    expect(await slow).toBe("hello from /slow");
    expect((await old.ended).code).toBe(0);
    expect(await ask({ socketPath: path("d.sock"), path: "/" })).toBe("hello from /");
  });

  test("a socket file that a killed instance left behind is replaced", async () => {
    const killed = await serveHttp("e.sock");
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(fs.existsSync(path("e.sock"))).toBe(true);
    await serveHttp("e.sock");
    expect(await ask({ socketPath: path("e.sock"), path: "/" })).toBe("hello from /");
  });
});

describe("signals", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s finishes what runs, then ends with status 0",
    async (signal) => {
      const running = await serveHttp(`${signal}.sock`);
      const socketPath = path(`${signal}.sock`);
      const slow = ask({ socketPath, path: "/slow?ms=800" });
      await sleep(300);
      running.child.kill(signal);
      await sleep(150);
      // mod_fcgid and impatient scripts repeat themselves at once.
      running.child.kill(signal);
      await expect(ask({ socketPath, path: "/" })).rejects.toThrow(/ENOENT|ECONNREFUSED/);
      expect(await slow).toBe("hello from /slow");
      expect((await running.ended).code).toBe(0);
      expect(running.stderr()).not.toContain("again");
    },
  );

  test("a second one after 1.3 s ends at once, and the socket file goes as well", async () => {
    const running = await serveHttp("f.sock");
    const slow = ask({ socketPath: path("f.sock"), path: "/slow?ms=10000" }).catch(() => "cut off");
    await sleep(200);
    running.child.kill("SIGTERM");
    await sleep(1_500);
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(1);
    expect(await slow).toBe("cut off");
    expect(fs.existsSync(path("f.sock"))).toBe(false);
  });

  test("what does not end within timeouts.drain is cut off", async () => {
    const running = await serveHttp("g.sock", [
      "--timeouts.drain",
      "400",
      "--timeouts.kill",
      "300",
    ]);
    const slow = ask({ socketPath: path("g.sock"), path: "/slow?ms=10000" }).catch(() => "cut off");
    await sleep(200);
    const beganMs = performance.now();
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    expect(await slow).toBe("cut off");
    expect(performance.now() - beganMs).toBeLessThan(4_000);
  });

  test("SIGUSR1 opens no debugger", async () => {
    const running = await serveHttp("h.sock");
    running.child.kill("SIGUSR1");
    await sleep(300);
    expect(await ask({ socketPath: path("h.sock"), path: "/" })).toBe("hello from /");
    expect(running.stderr()).not.toMatch(/debugger/i);
  });
});

describe("an error that nobody catches", () => {
  test("is reported, ends the process with status 1, and takes the socket file along", async () => {
    const running = await serveHttp("i.sock");
    await ask({ socketPath: path("i.sock"), path: "/later" }).catch(() => undefined);
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /postern: uncaughtException in the application, ending: Error: of nobody\n +at /,
    );
    expect(fs.existsSync(path("i.sock"))).toBe(false);
  });
});

describe("standard streams", () => {
  test("a log pipe that nobody reads any more does not end the server", async () => {
    const running = await serveHttp("j.sock");
    running.child.stderr?.destroy();
    running.child.stdout?.destroy();
    await ask({ socketPath: path("j.sock"), path: "/throw" });
    await ask({ socketPath: path("j.sock"), path: "/throw" });
    expect(await ask({ socketPath: path("j.sock"), path: "/" })).toBe("hello from /");
  });

  test("stdin is not read", async () => {
    const running = await serveHttp("k.sock", [], { stdio: ["pipe", "pipe", "pipe"] });
    running.child.stdin?.write("of no concern");
    running.child.stdin?.end();
    await sleep(100);
    expect(await ask({ socketPath: path("k.sock"), path: "/" })).toBe("hello from /");
  });
});

describe("FCGI_WEB_SERVER_ADDRS", () => {
  test("that names no address is said in the start line, and closes every connection unread", async () => {
    const running = program.start(["app.mjs", "--protocol", "http", "--port", "0"], {
      env: { FCGI_WEB_SERVER_ADDRS: "nobody" },
    });
    const line = await running.started;
    expect(line).toContain("FCGI_WEB_SERVER_ADDRS names no address");
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(line)![1]);
    const bytes = await new Promise<number>((done) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined).on("data", () => undefined);
      socket.on("close", () => done(socket.bytesRead));
    });
    expect(bytes).toBe(0);
  });
});
