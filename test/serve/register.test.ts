/**
 * `postern/register`: programs that know nothing of postern, each in a process of its own, become gateways.
 *
 * They are plain node:http here; frameworks behind real web servers are in test/compat/register.test.ts.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Child } from "../support/front/child.ts";
import { freePorts } from "../support/front/ports.ts";
import { answerAt, overHttp, PreloadRoom, SECRET, saying } from "../support/preloaded.ts";

let room: PreloadRoom;
beforeAll(async () => {
  room = await PreloadRoom.open();
});
afterAll(() => room.clear());

/** Programs that serve "name url", each getting its server in another way. `PORT` is one they ask for. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "named.mjs": `
    import { createServer } from "node:http";
    createServer((req, res) => res.end("app " + req.url)).listen(PORT);`,
  "namespace.mjs": `
    import * as http from "http";
    new http.Server({}, (req, res) => res.end("app " + req.url)).listen({ port: PORT, host: "127.0.0.1" });`,
  "required.cjs": `
    const { createServer } = require("http");
    const server = createServer();
    server.listen(String(PORT), "127.0.0.1", 511, () => console.log("calls back"));
    server.on("request", (req, res) => res.end("app " + req.url));`,
  "subclass.cjs": `
    const http = require("node:http");
    class Own extends http.Server { answer(req, res) { res.end("app " + req.url); } }
    const server = new Own();
    server.on("request", (req, res) => server.answer(req, res)).listen("/nowhere/it.sock");`,
  "called.cjs": `
    require("http").Server((req, res) => res.end("app " + req.url)).listen();`,
};

describe("the program's first http.Server that listens is a gateway", () => {
  test.each(
    Object.keys(PROGRAMS).flatMap((name) => ["fastcgi", "scgi", "ajp"].map((p) => [name, p])),
  )("%s over %s, whatever address it asks for", async (name, protocol) => {
    const [port] = await freePorts(1);
    const socket = room.socket();
    const text = PROGRAMS[name!]!.replaceAll("PORT", String(port));
    const env = { POSTERN_PROTOCOL: protocol!, POSTERN_SOCKET: socket };
    const child = await room.serve(`${protocol}-${name}`, text, { env });
    expect(await answerAt(protocol as "scgi", { socket }, "/a?b")).toBe("200 app /a?b");
    expect(await overHttp(port!)).toBe("ECONNREFUSED");
    expect(await child.stop("SIGKILL")).toBe("SIGKILL");
  });

  test.each([
    ["--import", "named.mjs"],
    ["--require", "named.mjs"],
    ["--require", "required.cjs"],
    ["NODE_OPTIONS", "required.cjs"],
  ])("by %s, for %s", async (way, name) => {
    const socket = room.socket();
    const text = PROGRAMS[name]!.replaceAll("PORT", "0");
    const preload = way === "NODE_OPTIONS" ? [] : [way, room.entry];
    const env = { POSTERN_SOCKET: socket, NODE_OPTIONS: `--import=${room.entry}` };
    const options = way === "NODE_OPTIONS" ? env : { POSTERN_SOCKET: socket };
    await room.serve(`${way}-${name}`, text, { env: options, words: preload });
    expect(await answerAt("fastcgi", { socket })).toBe("200 app /");
  });

  test("on TCP, with every option that the environment spells", async () => {
    const [port, asked] = await freePorts(2);
    const env = { POSTERN_PROTOCOL: "ajp", POSTERN_PORT: String(port), POSTERN_AJP_SECRET: SECRET };
    const text = PROGRAMS["named.mjs"]!.replaceAll("PORT", String(asked));
    const child = await room.serve("tcp.mjs", text, { env });
    expect(await answerAt("ajp", { host: "127.0.0.1", port: port! })).toBe("200 app /");
    expect(child.lines).toEqual([expect.stringContaining(`ajp on 127.0.0.1:${port}, engine`)]);
  });

  test("with files before the application, where the environment names a folder", async () => {
    const socket = room.socket();
    const env = { POSTERN_SOCKET: socket, POSTERN_STATIC: `/files/=${room.room.path}` };
    await room.serve("files.mjs", PROGRAMS["named.mjs"]!.replaceAll("PORT", "0"), { env });
    expect(await answerAt("fastcgi", { socket }, "/files/none")).toMatch(/^404 /);
    expect(await answerAt("fastcgi", { socket }, "/file")).toBe("200 app /file");
  });

  test("and says so on stderr by the command's start line", async () => {
    const socket = room.socket();
    const child = await room.serve("line.mjs", PROGRAMS["named.mjs"]!.replaceAll("PORT", "0"), {
      env: { POSTERN_SOCKET: socket, POSTERN_ENGINE: "typescript" },
    });
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(child.lines[0]).toBe(
      `postern ${version}: fastcgi on unix:${socket}, engine typescript (POSTERN_ENGINE asks for it), transport node (the engine is typescript), pid ${child.pid}`,
    );
  });
});

test("the server is the program's own object: its address, its state, its events, its end", async () => {
  const socket = room.socket();
  const text = `
    import { createServer } from "node:http";
    import { once } from "node:events";
    const say = (...words) => console.log(words.map((word) => JSON.stringify(word)).join(" "));
    const server = createServer((req, res) => {
      res.end();
      say("same", req.socket.server === server);
      server.close((error) => say("closed", error === undefined, server.listening));
    });
    const connections = [];
    server.on("connection", (socket) => connections.push(socket));
    server.on("listening", () => say("listening", server.address(), server.listening));
    server.on("close", () => say("close"));
    say("listen", server.listen(1) === server, server.listening);
    try { server.listen(2); } catch ({ code }) { say(code); }
    await once(server, "listening");
    say("awaited", server.address());
    await once(server, "close");
    say("connections", connections.length);
  `;
  const child = await room.serve("object.mjs", text, { env: { POSTERN_SOCKET: socket } });
  await answerAt("fastcgi", { socket });
  expect(await child.ended).toBe("0");
  const said = child.lines.filter((line) => !line.startsWith("postern"));
  const where = JSON.stringify(socket);
  expect(said).toEqual([
    '"listen" true false',
    '"ERR_SERVER_ALREADY_LISTEN"',
    `"listening" ${where} true`,
    `"awaited" ${where}`,
    '"same" true',
    '"close"',
    '"closed" true false',
    '"connections" 1',
  ]);
  expect(existsSync(socket)).toBe(false);
});

test("a server that is closed makes room for the next, and may listen again itself", async () => {
  const socket = room.socket();
  const text = `
    import { createServer } from "node:http";
    const say = (req, res) => res.end("again");
    const probe = createServer(say);
    probe.listen(1, () => probe.close(() => {
      const next = createServer((req, res) => res.end("next"));
      next.listen(1, () => next.close(() => probe.listen(1)));
    }));`;
  await room.serve("probe.mjs", text, { env: { POSTERN_SOCKET: socket } });
  expect(await answerAt("fastcgi", { socket })).toBe("200 again");
});

test("a program that closes its server before it listens ends in peace", async () => {
  const text = `
    import { createServer } from "node:http";
    const server = createServer().listen(1);
    server.on("listening", () => console.log("listening"));
    server.close();`;
  const child = room.start("early.mjs", text, { env: { POSTERN_SOCKET: room.socket() } });
  expect(await child.ended).toBe("0");
  expect(child.lines).toEqual([]);
});

describe("mistakes end the program with one sentence and status 2, whatever it does with errors", () => {
  const text = `
    import { createServer } from "node:http";
    const server = createServer((req, res) => res.end());
    server.on("error", (error) => { console.log("it hears", error.code); server.listen(2); });
    server.listen(1, () => console.log("listening"));`;
  const refused = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const child = room.start("mistake.mjs", text, { env });
    expect(await child.ended).toBe("2");
    expect(child.lines).toHaveLength(1);
    return child.lines[0]!;
  };

  test("no address", async () => {
    expect(await refused({ POSTERN_PROTOCOL: "scgi" })).toBe(
      "postern: postern/register has no address: set POSTERN_SOCKET to a path, or POSTERN_PORT (and POSTERN_HOST); " +
        "descriptor 0 is not a listening socket, and systemd passed none.",
    );
  });

  test("a wrong value", async () => {
    const said = await refused({ POSTERN_PORT: "http" });
    expect(said).toMatch(/^postern: POSTERN_PORT is "http"; .+\.$/);
  });

  test("an engine that cannot be", async () => {
    const said = await refused({ POSTERN_SOCKET: room.socket(), POSTERN_ENGINE: "rust" });
    expect(said).toContain('POSTERN_ENGINE is "rust"');
  });

  test("a socket where another instance lives, after 3 seconds of trying", async () => {
    const socket = room.socket();
    await room.serve("lives.mjs", PROGRAMS["named.mjs"]!.replaceAll("PORT", "0"), {
      env: { POSTERN_SOCKET: socket },
    });
    const began = performance.now();
    expect(await refused({ POSTERN_SOCKET: socket })).toContain("another instance is listening");
    expect(performance.now() - began).toBeGreaterThan(2_900);
    expect(await answerAt("fastcgi", { socket })).toBe("200 app /");
  });
});

test("a unix socket on descriptor 0 has an address, since frameworks take null for not listening", async () => {
  const socket = room.socket();
  const parent = `
    import { createServer } from "node:net";
    import { spawn } from "node:child_process";
    const holder = createServer().listen(${JSON.stringify(socket)}, () => {
      const child = spawn(process.execPath, process.argv.slice(2), { stdio: [holder._handle, "inherit", "inherit"] });
      process.on("SIGTERM", () => { child.kill("SIGKILL"); process.exit(0); });
    });`;
  const program = room.room.file("descriptor.mjs");
  writeFileSync(
    program,
    `import { createServer } from "node:http";
     const server = createServer((req, res) => res.end("fd"));
     server.listen(1, () => console.log(JSON.stringify(server.address())));`,
  );
  const words = [room.room.file("parent.mjs"), "--import", room.entry, program];
  writeFileSync(words[0]!, parent);
  const child = new Child(process.execPath, words);
  try {
    expect(await saying(child, /fd 0"/)).toBe('"fd 0"');
    await child.stop("SIGTERM");
  } finally {
    await child.stop("SIGKILL");
  }
});
