/**
 * Where a server listens, and the one sentence when it cannot. Descriptors that a parent passes are tested where
 * there is a parent: test/cli/descriptors.test.ts.
 */
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { Server as HttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { normalizeOptions, type ServeOptions } from "../../src/serve/options.ts";
import { listen } from "../../src/server/listen.ts";
import {
  descriptorFailure,
  systemCode,
  tcpFailure,
  unixFailure,
} from "../../src/server/listen-failure.ts";
import type { BoundAddress } from "../../src/server/settings.ts";
import { choosePassedSocket, readPassedSockets } from "../../src/server/systemd.ts";

const servers: Server[] = [];
const folder = mkdtempSync(join(tmpdir(), "postern-"));
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});

async function open(
  options: ServeOptions,
  server: Server = createServer(),
  env: Record<string, string> = {},
): Promise<BoundAddress> {
  servers.push(server);
  return listen(server, normalizeOptions(options), env);
}

async function refusal(opened: Promise<unknown>): Promise<UsageError> {
  const error = await opened.then(
    () => new Error("it was opened"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UsageError);
  expect((error as UsageError).message).toMatch(/^[^\n]+\.$/);
  return error as UsageError;
}

describe("TCP", () => {
  test("listens on 127.0.0.1, on the port that the system chooses", async () => {
    const server = createServer();
    const bound = await open({ port: 0 }, server);
    expect(server.address()).toEqual(bound.address);
    const { port } = bound.address as { port: number };
    expect(port).toBeGreaterThan(0);
    expect(bound).toMatchObject({
      kind: "tcp",
      transport: "tcp",
      text: `127.0.0.1:${port}`,
      fd: undefined,
      protocols: ["fastcgi"],
      note: undefined,
    });
    bound.release();
    expect(server.listening).toBe(true);
  });

  test("resolves a name, and judges what it resolves to", async () => {
    const bound = await open({ port: 0, host: "localhost" });
    expect(bound.text).toMatch(/^(127\.0\.0\.1|\[::1\]):\d+$/);
    const left = await open({ port: 0, host: "localhost", protocol: "auto" });
    expect(left.protocols).toEqual(["fastcgi", "scgi", "http"]);
    expect(left.note).toContain("AJP is left out");
  });

  test("a port in use is one sentence (ERR_PORT_IN_USE), and the server may try again", async () => {
    const { port } = (await open({ port: 0 })).address as { port: number };
    const server = new HttpServer();
    const heard: Error[] = [];
    const refused = refusal(open({ port }, server));
    server.on("error", (error) => heard.push(error));
    const error = await refused;
    expect(error.code).toBe("ERR_PORT_IN_USE");
    expect(error.message).toContain(`Port ${port} of host "127.0.0.1" is in use`);
    expect(systemCode(error.cause)).toBe("EADDRINUSE");
    // Whoever listens for errors hears of it from the caller, once, and not in the system's words.
    expect(heard).toEqual([]);
    expect(server.listenerCount("error")).toBe(1);
    await open({ port: 0 }, server);
    expect(server.listening).toBe(true);
  });

  test("a host that is not this machine's is one sentence", async () => {
    const trust = { allowRemote: true, peers: ["127.0.0.1"] };
    const error = await refusal(open({ port: 0, host: "192.0.2.1", trust }));
    expect(error.message).toBe(
      'Host "192.0.2.1" is not an address of this machine; choose one that is.',
    );
  });

  test("a host that does not exist is one sentence", async () => {
    const error = await refusal(open({ port: 0, host: "no-such-host.invalid" }));
    expect(error.message).toMatch(/^Host "no-such-host\.invalid" has no address \(E\w+\)/);
  });
});

describe("a unix socket", () => {
  test("has its final path everywhere, and is removed by release", async () => {
    const path = join(folder, "x.sock");
    const bound = await open({ socket: path, protocol: "auto" });
    expect(bound).toMatchObject({
      kind: "unix",
      transport: "unix",
      text: `unix:${path}`,
      address: path,
    });
    expect(bound.protocols).toContain("ajp");
    expect(readdirSync(folder)).toEqual(["x.sock"]);
    bound.release();
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(path, "of somebody else");
    bound.release();
    expect(readdirSync(folder)).toEqual(["x.sock"]);
  });

  test("leaves no listener of the process behind", async () => {
    const before = process.listenerCount("exit");
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, index) => open({ socket: join(folder, String(index)) })),
    );
    expect(process.listenerCount("exit")).toBe(before + 1);
    for (const bound of all) bound.release();
    expect(process.listenerCount("exit")).toBe(before);
  });
});

describe("a descriptor", () => {
  test("that is a file is refused (ERR_NOT_LISTENING)", async () => {
    const fd = openSync(import.meta.filename, "r");
    const error = await refusal(open({ fd }));
    expect(error.code).toBe("ERR_NOT_LISTENING");
    expect(error.message).toContain(`fd ${fd} is not a socket`);
    closeSync(fd);
  });

  test("that is not open is refused", async () => {
    expect((await refusal(open({ fd: 1_000_000 }))).message).toMatch(/^fd 1000000 is not/);
  });

  test("is looked for when there is no address, and its absence is one sentence (ERR_NO_ADDRESS)", async () => {
    const error = await refusal(open({}));
    expect(error.code).toBe("ERR_NO_ADDRESS");
    expect(error.message).toMatch(/give a socket path, or a port/);
  });
});

describe("systemd (sd_listen_fds)", () => {
  const env = { LISTEN_PID: "7", LISTEN_FDS: "2", LISTEN_FDNAMES: "web:status" };

  test("passes descriptors from 3 on, with names", () => {
    expect(readPassedSockets(env, 7)).toEqual([
      { fd: 3, name: "web" },
      { fd: 4, name: "status" },
    ]);
    expect(readPassedSockets({ LISTEN_PID: "7", LISTEN_FDS: "1" }, 7)).toEqual([
      { fd: 3, name: "" },
    ]);
  });

  test.each([
    { ...env, LISTEN_PID: "8" },
    { LISTEN_FDS: "1" },
    { LISTEN_PID: "7" },
    { LISTEN_PID: "7", LISTEN_FDS: "-1" },
    { LISTEN_PID: "7", LISTEN_FDS: "9999" },
    { LISTEN_PID: "7", LISTEN_FDS: "two" },
  ])("passes nothing to process 7 with %j", (variables) => {
    expect(readPassedSockets(variables, 7)).toEqual([]);
  });

  test("sockets are chosen by name, or the only one", () => {
    const passed = readPassedSockets(env, 7);
    expect(choosePassedSocket(passed, "status").fd).toBe(4);
    expect(choosePassedSocket(passed.slice(0, 1), undefined).fd).toBe(3);
    expect(() => choosePassedSocket(passed, undefined)).toThrow(
      /passed 2 sockets \("web", "status"\)/,
    );
    expect(() => choosePassedSocket(passed, "wbe")).toThrow(/passed only "web", "status"/);
    expect(() => choosePassedSocket([], "web")).toThrow(/passed no socket/);
  });

  test("a server that asks for it and gets none says so", async () => {
    expect((await refusal(open({ fd: "systemd" }, createServer(), env))).message).toContain(
      "systemd passed no socket to this process",
    );
  });
});

describe("sentences of failures", () => {
  const cause = (code: string): Error => Object.assign(new Error(`system says ${code}`), { code });
  test.each([
    [
      tcpFailure("::1", 80, cause("EACCES")),
      /Port 80 of host "::1" may not be opened by this user/,
    ],
    [tcpFailure("::1", 80, cause("EAFNOSUPPORT")), /switched off/],
    [tcpFailure("::1", 80, cause("ENOBUFS")), /cannot be opened \(ENOBUFS\)/],
    [unixFailure("/x", cause("EACCES")), /may not be written/],
    [unixFailure("/x", cause("ENOENT")), /does not exist/],
    [unixFailure("/x", cause("ENAMETOOLONG")), /too long/],
    [unixFailure("/x", new Error("odd")), /cannot be made \(odd\)/],
    [descriptorFailure(3, cause("EBADF")), /fd 3 is not open/],
    [descriptorFailure(3, cause("EMFILE")), /cannot be listened on \(EMFILE\)/],
  ])("%s", (error, sentence) => {
    expect(error.message).toMatch(sentence);
    expect(error.message).toMatch(/; (choose|create|pass|check).*\.$/);
    expect(error.cause).toBeInstanceOf(Error);
  });
});
