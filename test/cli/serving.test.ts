/**
 * The command line while it serves, in every configuration: taken addresses, signals, errors of nobody, standard streams.
 * Each in a process of its own. What it says when it starts is start.test.ts.
 */
import * as fs from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  askBy,
  makeProgram,
  type Program,
  type RunOptions,
  type Running,
  SPEECHES,
} from "./program.ts";

const APP = `
import { setTimeout as sleep } from "node:timers/promises";
export default async (req, res) => {
  const url = new URL(req.url, "http://x");
  if (url.pathname === "/throw") throw new Error("of the handler");
  if (url.pathname === "/later") setTimeout(() => { throw new Error("of nobody"); });
  res.flushHeaders();
  if (url.pathname === "/slow") await sleep(Number(url.searchParams.get("ms")));
  res.end("hello from " + url.pathname);
};
setInterval(() => {}, 1000);
`;

describe.each(SPEECHES)("$protocol, $configuration", ({ protocol, configuration }) => {
  let program: Program;
  beforeAll(async () => {
    program = await makeProgram(configuration);
    fs.writeFileSync(join(program.folder, "app.mjs"), APP);
  });
  afterAll(() => program.clear());
  const path = (name: string): string => join(program.folder, name);
  /** Serves on a socket file; resolves once it does. */
  const serving = async (
    name: string,
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<Running> => {
    const place = ["--protocol", protocol, "--socket", path(name)];
    const running = program.start(["app.mjs", ...place, ...args], options);
    await running.started;
    return running;
  };

  describe("an address that is taken", () => {
    test("is had as soon as the former instance leaves", async () => {
      const server = createServer((socket) => socket.destroy());
      await new Promise<void>((done) => server.listen(path("c.sock"), done));
      const running = program.start([
        "app.mjs",
        "--protocol",
        protocol,
        "--socket",
        path("c.sock"),
      ]);
      await sleep(700);
      server.close();
      await running.started;
      expect(await askBy(protocol, { socketPath: path("c.sock"), path: "/" })).toBe("hello from /");
    });

    test("the file of the new instance survives the end of the old one", async () => {
      const old = await serving("d.sock");
      const slow = askBy(protocol, { socketPath: path("d.sock"), path: "/slow?ms=1000" });
      await sleep(200);
      old.child.kill("SIGTERM");
      await serving("d.sock");
      expect(await slow).toBe("hello from /slow");
      expect((await old.ended).code).toBe(0);
      expect(await askBy(protocol, { socketPath: path("d.sock"), path: "/" })).toBe("hello from /");
    });

    test("a socket file that a killed instance left behind is replaced", async () => {
      const killed = await serving("e.sock");
      killed.child.kill("SIGKILL");
      await killed.ended;
      expect(fs.existsSync(path("e.sock"))).toBe(true);
      await serving("e.sock");
      expect(await askBy(protocol, { socketPath: path("e.sock"), path: "/" })).toBe("hello from /");
    });
  });

  describe("signals", () => {
    test.each(["SIGTERM", "SIGINT"] as const)(
      "%s finishes what runs, then ends with status 0",
      async (signal) => {
        const running = await serving(`${signal}.sock`);
        const socketPath = path(`${signal}.sock`);
        const slow = askBy(protocol, { socketPath, path: "/slow?ms=800" });
        await sleep(300);
        running.child.kill(signal);
        await sleep(150);
        // mod_fcgid and impatient scripts repeat themselves at once.
        running.child.kill(signal);
        await expect(askBy(protocol, { socketPath, path: "/" })).rejects.toThrow(
          /ENOENT|ECONNREFUSED|could not be reached/,
        );
        expect(await slow).toBe("hello from /slow");
        expect((await running.ended).code).toBe(0);
        expect(running.stderr()).not.toContain("again");
      },
    );

    test("a second one after 1.3 s ends at once, and the socket file goes as well", async () => {
      const running = await serving("f.sock");
      const slow = askBy(protocol, { socketPath: path("f.sock"), path: "/slow?ms=10000" }).catch(
        () => "cut off",
      );
      await sleep(200);
      running.child.kill("SIGTERM");
      await sleep(1_500);
      running.child.kill("SIGINT");
      expect((await running.ended).code).toBe(1);
      expect(await slow).toBe("cut off");
      expect(fs.existsSync(path("f.sock"))).toBe(false);
    });

    test("what does not end within timeouts.drain is cut off", async () => {
      const running = await serving("g.sock", [
        "--timeouts.drain",
        "400",
        "--timeouts.kill",
        "300",
      ]);
      const slow = askBy(protocol, { socketPath: path("g.sock"), path: "/slow?ms=10000" }).catch(
        () => "cut off",
      );
      await sleep(200);
      const beganMs = performance.now();
      running.child.kill("SIGTERM");
      expect((await running.ended).code).toBe(0);
      expect(await slow).toBe("cut off");
      expect(performance.now() - beganMs).toBeLessThan(4_000);
    });

    test("SIGUSR1 opens no debugger", async () => {
      const running = await serving("h.sock");
      running.child.kill("SIGUSR1");
      await sleep(300);
      expect(await askBy(protocol, { socketPath: path("h.sock"), path: "/" })).toBe("hello from /");
      expect(running.stderr()).not.toMatch(/debugger/i);
    });
  });

  describe("an error that nobody catches", () => {
    test("is reported, ends the process with status 1, and takes the socket file along", async () => {
      const running = await serving("i.sock");
      await askBy(protocol, { socketPath: path("i.sock"), path: "/later" }).catch(() => undefined);
      const { code, stderr } = await running.ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /postern: uncaughtException in the application, ending: Error: of nobody\n +at /,
      );
      expect(fs.existsSync(path("i.sock"))).toBe(false);
    });
  });

  describe("standard streams", () => {
    test("a log pipe that nobody reads any more does not end the server (O-10)", async () => {
      const running = await serving("j.sock");
      running.child.stderr?.destroy();
      running.child.stdout?.destroy();
      await askBy(protocol, { socketPath: path("j.sock"), path: "/throw" });
      await askBy(protocol, { socketPath: path("j.sock"), path: "/throw" });
      expect(await askBy(protocol, { socketPath: path("j.sock"), path: "/" })).toBe("hello from /");
    });

    test("stdin is not read", async () => {
      const running = await serving("k.sock", [], { stdio: ["pipe", "pipe", "pipe"] });
      running.child.stdin?.write("of no concern");
      running.child.stdin?.end();
      await sleep(100);
      expect(await askBy(protocol, { socketPath: path("k.sock"), path: "/" })).toBe("hello from /");
    });
  });

  describe("FCGI_WEB_SERVER_ADDRS", () => {
    test("that names no address is said in the start line, and closes every connection unread", async () => {
      const running = program.start(["app.mjs", "--protocol", protocol, "--port", "0"], {
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
});
