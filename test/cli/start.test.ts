/**
 * The command line when all is well: start line, words, help. Each in a process of its own.
 * What it does while it serves is serving.test.ts.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, makeProgram, type Program, type RunOptions, type Running } from "./program.ts";

const APP = `
export default async (req, res) => {
  const url = new URL(req.url, "http://x");
  if (url.pathname === "/throw") throw new Error("of the handler");
  if (url.pathname === "/mask") { res.end(process.umask().toString(8)); return; }
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
    const running = program.start(["app.mjs", "protocol=auto", "PORT=0", "daemonize=no"]);
    const line = await running.started;
    const port = Number(/fastcgi\+scgi\+http on 127\.0\.0\.1:(\d+),/.exec(line)?.[1]);
    expect(line).toMatch(/pid \d+\. AJP is left out, /);
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
    await running.started;
    expect(fs.statSync(path("b.sock")).mode & 0o777).toBe(0o775);
    expect(await ask({ socketPath: path("b.sock"), path: "/mask" })).toBe("2");
  });

  test("debug decides whether errors of handlers show their stack", async () => {
    for (const debug of [true, false]) {
      const running = await serveHttp(`debug-${debug}`, [`debug=${debug}`, "daemonize=false"]);
      await ask({ socketPath: path(`debug-${debug}`), path: "/throw?secret" });
      running.child.kill("SIGTERM");
      const { stderr } = await running.ended;
      expect(stderr).toMatch(/postern: error in GET \/throw \[[\w-]+\]: Error: of the handler/);
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
