/**
 * Bad input, through the real command line: one sentence on stderr that names value and remedy, a status that is not 0,
 * nothing deleted, no stack trace (acceptance line 10 of the first release).
 */
import * as fs from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/front/ports.ts";
import { makeProgram, type Program, type RunOptions } from "./program.ts";

const STATUS_USAGE = 2;
/** Somebody without rights: `nobody` on most systems. */
const NOBODY = 65_534;
const isRoot = process.geteuid?.() === 0;

let program: Program;
let sockets = "";
beforeAll(async () => {
  program = await makeProgram();
  sockets = join(program.folder, "run");
  fs.mkdirSync(sockets);
  fs.writeFileSync(
    join(program.folder, "app.cjs"),
    "module.exports = (req, res) => res.end('x');\n",
  );
  fs.writeFileSync(join(program.folder, "no-handler.cjs"), "exports.answer = 42;\n");
  fs.writeFileSync(join(program.folder, "throws.mjs"), "throw new Error('broken on line one');\n");
});
afterAll(() => program.clear());

/** Runs it with bad input; checks what holds for every refusal, and returns the sentence. */
async function refusal(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const before = fs.readdirSync(sockets);
  const { code, signal, stdout, stderr } = await program.run(["app.cjs", ...args], options);
  expect(stderr).toMatch(/^postern: [^\n]+[.?]\n$/);
  expect(stderr).not.toMatch(/\n\s+at |node:internal/);
  expect({ code, signal, stdout }).toEqual({ code: STATUS_USAGE, signal: null, stdout: "" });
  expect(fs.readdirSync(sockets)).toEqual(before);
  return stderr.slice("postern: ".length, -1);
}

function listenAt(where: { path?: string; host?: string; port?: number }): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((done) => server.listen(where, () => done(server)));
}

describe("ports", () => {
  test.each(["70000", "-1", "http", "80.5", ""])("--port=%s is wrong", async (port) => {
    expect(await refusal([`--port=${port}`])).toMatch(
      new RegExp(`^(--)?port is .*${port}.*; it takes a whole number from 0 to 65535\\.$`),
    );
  });

  test("a port in use is said, after 3 seconds of trying", async () => {
    const server = await listenAt({ host: "127.0.0.1", port: 0 });
    const { port } = server.address() as { port: number };
    const beganMs = performance.now();
    expect(await refusal([`port=${port}`])).toBe(
      `Port ${port} of host "127.0.0.1" is in use by another program; stop that one or choose another port.`,
    );
    expect(performance.now() - beganMs).toBeGreaterThan(3_000);
    server.close();
  });

  test("a host beyond this machine needs permission", async () => {
    expect(await refusal(["--host", "0.0.0.0", "--port", "0"])).toMatch(
      /"0\.0\.0\.0".*trust\.allowRemote/,
    );
  });

  test("AJP on TCP needs a secret", async () => {
    expect(await refusal(["--protocol", "ajp", "--port", "0"])).toMatch(
      /"ajp" on TCP host "127\.0\.0\.1" needs a secret; set ajp\.secretFile or POSTERN_AJP_SECRET_FILE/,
    );
  });
});

describe("folders of files", () => {
  test.each([
    ["media", /^--static is "media"; it takes PREFIX=DIR with a PREFIX that begins with "\/"/],
    ["media=.", /^--static is "media=\."; it takes PREFIX=DIR/],
    ["/media=none", /gives "\/media" the folder ".*none", which does not exist; make that folder/],
    ["/media=app.cjs", /gives "\/media" the folder ".*app\.cjs", which is no folder; give/],
    ["/=.", /has the prefix "\/", which would hide the whole application/],
  ])("--static %s is wrong", async (text, sentence) => {
    expect(await refusal(["--port", "0", "--static", text])).toMatch(sentence);
  });
});

describe("socket paths", () => {
  test("a folder that this user may not read", async () => {
    const closed = join(program.folder, "closed");
    fs.mkdirSync(closed, { mode: 0o700 });
    const before = fs.statSync(closed).ctimeMs;
    const path = join(closed, "x.sock");
    if (!isRoot) fs.chmodSync(closed, 0);
    expect(await refusal(["--socket", path], isRoot ? { uid: NOBODY } : {})).toBe(
      `The socket's folder ${JSON.stringify(closed)} may not be read and written by this user (EACCES); ` +
        "change its mode or choose another.",
    );
    if (!isRoot) fs.chmodSync(closed, 0o700);
    else expect(fs.statSync(closed).ctimeMs).toBe(before);
  });

  test("a regular file", async () => {
    const path = join(sockets, "file");
    fs.writeFileSync(path, "precious");
    expect(await refusal(["--socket", path])).toMatch(
      /file", where a file stands and no socket; choose/,
    );
    expect(fs.readFileSync(path, "utf8")).toBe("precious");
  });

  test("a folder", async () => {
    const path = join(sockets, "folder");
    fs.mkdirSync(path);
    expect(await refusal([`socket=${path}`])).toMatch(
      /folder", where a folder stands and no socket; choose/,
    );
  });

  test("a symlink", async () => {
    const path = join(sockets, "link");
    fs.symlinkSync("elsewhere", path);
    expect(await refusal(["--socket", path])).toMatch(
      /link", where a symlink stands and no socket; choose/,
    );
    expect(fs.readlinkSync(path)).toBe("elsewhere");
  });

  test("more than 107 bytes", async () => {
    const path = join(sockets, "x".repeat(107 - sockets.length));
    expect(await refusal(["--socket", path])).toMatch(
      /a path of 108 bytes .* allows 107, so choose a shorter/,
    );
  });

  test("another instance that lives there, after 3 seconds of trying", async () => {
    const path = join(sockets, "live");
    const server = await listenAt({ path });
    const beganMs = performance.now();
    expect(await refusal(["--socket", path])).toMatch(
      /where another instance is listening; stop it or choose/,
    );
    expect(performance.now() - beganMs).toBeGreaterThan(3_000);
    expect(server.listening && fs.lstatSync(path).isSocket()).toBe(true);
    await new Promise((done) => server.close(done));
  });

  test("in a folder where everybody may write is one sentence as well, and a warning only where it works", async () => {
    const folder = join(program.folder, "open");
    fs.mkdirSync(folder);
    fs.chmodSync(folder, 0o777);
    fs.writeFileSync(join(folder, "file"), "");
    expect(await refusal(["--socket", join(folder, "file")])).toMatch(/where a file stands/);
    const running = program.start(["app.cjs", "--socket", join(folder, "s")]);
    await running.started;
    await until("the warning", () => /PosternWarning: Everybody may/.test(running.stderr()));
  });

  test("a folder that does not exist", async () => {
    expect(await refusal(["--socket", "no/x.sock"])).toMatch(
      /folder ".*no" does not exist; create it/,
    );
  });
});

describe("words", () => {
  test.each([
    [["--sokcet", "x"], "Unknown option --sokcet; did you mean --socket?"],
    [["--limits.bodybites=5"], "did you mean --limits.body-bytes?"],
    [["prot=scgi"], "Unknown option prot; did you mean port?"],
    [["minspar=3"], "Unknown option minspar; did you mean minspare?"],
    [["-x"], "Unknown option -x; postern --help lists them all."],
    [["other.cjs"], 'Unknown word "other.cjs" after the application "app.cjs"'],
    [["debug=maybe"], 'debug is "maybe"; it takes true or false.'],
    [["daemonize=maybe"], 'daemonize is "maybe"; it takes true or false.'],
    [["daemonize=true"], "daemonize needs socket or port: a socket that somebody passes is"],
    [["daemonize"], "daemonize needs socket or port"],
    [["method=prefork"], "No address"],
    [["method=forked"], 'method is "forked"; it takes single, prefork'],
    [["protocol=gopher"], 'protocol is "gopher"; it takes "fastcgi", "scgi", "ajp", "http"'],
    [["--multiplex=perhaps"], '--multiplex is "perhaps"; it takes true or false.'],
    [["--port"], "--port has no value; write it behind."],
    [["socket=/x", "port=1"], "socket and port are both addresses; give one of them."],
    [["socket=@postern"], 'socket is "@postern", as abstract sockets are written; these carry no'],
    [["--path", "@postern"], "give the path of a file (./@postern for one of that name)"],
    [["socket=x", "--touch-files", "f"], "no touch is listened for; give touchReload as well"],
    [["umask=999", "socket=x"], 'umask is "999"; it takes permission bits'],
    [["--engine", "fast", "--port", "0"], 'engine is "fast"; it takes "auto"'],
    [["--ajp.secret", "short", "--socket", "x"], "is 5 bytes long; at least 16 are needed"],
    [["--ajp.secret", "", "--socket", "x"], "ajp.secret is empty; it takes text"],
  ])("%j", async (args, sentence) => {
    expect(await refusal(args)).toContain(sentence);
  });

  test("no address and nothing inherited", async () => {
    expect(await refusal([])).toMatch(/^No address: .*give a socket path, or a port/);
  });

  test("a variable of the environment", async () => {
    const env = { POSTERN_PORT: "none" };
    expect(await refusal([], { env })).toContain('POSTERN_PORT is "none"; it takes a whole number');
  });

  test("the native engine where there is none", async () => {
    const env = { POSTERN_ENGINE: "native" };
    expect(await refusal(["--port", "0"], { env })).toContain(
      "native engine that POSTERN_ENGINE asks for",
    );
  });
});

describe("applications", () => {
  const run = (app: string): ReturnType<Program["run"]> => program.run([app, "--port", "0"]);

  test("none at all", async () => {
    const { code, stderr } = await program.run(["--port", "0"]);
    expect(code).toBe(STATUS_USAGE);
    expect(stderr).toMatch(/^postern: No application: [^\n]+\.\n$/);
  });

  test("one that is missing", async () => {
    const { code, stderr } = await run("missing.js");
    expect(code).toBe(STATUS_USAGE);
    expect(stderr).toMatch(
      /^postern: Application module "missing\.js" does not exist \(.*\); check[^\n]+\.\n$/,
    );
  });

  test("a folder without a module", async () => {
    fs.mkdirSync(join(program.folder, "empty"));
    const { code, stderr } = await run("empty");
    expect(code).toBe(STATUS_USAGE);
    expect(stderr).toMatch(/^postern: Application module "empty" is a folder without [^\n]+\.\n$/);
  });

  test.each(["folder", "file"])(
    "one that this user may not read: its %s is closed",
    async (what) => {
      const folder = join(program.folder, `closed-${what}`);
      fs.mkdirSync(folder);
      const path = join(folder, "app.mjs");
      fs.writeFileSync(path, "export default (req, res) => res.end();\n");
      fs.chmodSync(what === "folder" ? folder : path, isRoot ? 0o700 : 0);
      const { code, stderr } = await program.run(
        [path, "--port", "0"],
        isRoot ? { uid: NOBODY } : {},
      );
      fs.chmodSync(what === "folder" ? folder : path, 0o700);
      expect(stderr).toMatch(
        /^postern: Application module ".*app\.mjs" may not be read by this user \(EACCES\); change [^\n]+\.\n$/,
      );
      expect(code).toBe(STATUS_USAGE);
    },
  );

  test.each([
    ["a promise", "export default () => new Promise(() => undefined);"],
    ["a top-level await", "await new Promise(() => undefined);"],
  ])("one that is never ready, by %s, is no success", async (_what, source) => {
    fs.writeFileSync(join(program.folder, "never.mjs"), `${source}\n`);
    const { code, stderr } = await run("never.mjs");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^postern: Application module "never\.mjs" is never ready: [^\n]+\.\n$/);
  });

  test("one without a handler", async () => {
    const { code, stderr } = await run("no-handler.cjs");
    expect(code).toBe(STATUS_USAGE);
    expect(stderr).toMatch(
      /^postern: Application module "no-handler\.cjs" exports no handler; export [^\n]+\.\n$/,
    );
  });

  test("one that throws shows its own error, with the stack, and status 1", async () => {
    const { code, stderr } = await run("throws.mjs");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^postern: Application module ".*throws\.mjs" failed while loading\.\nError: broken/,
    );
    expect(stderr).toMatch(/throws\.mjs:1:/);
  });

  test("one that cannot be parsed shows the line", async () => {
    fs.writeFileSync(
      join(program.folder, "syntax.mjs"),
      "export default (req, res) => {\n  res.end(;\n};\n",
    );
    const { code, stderr } = await run("syntax.mjs");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /failed while loading\.\n\S+syntax\.mjs:2\n +res\.end\(;\n +\^\n\nSyntaxError: /,
    );
  });
});
