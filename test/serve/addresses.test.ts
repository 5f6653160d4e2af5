/**
 * socket, port, host, fd and their companions → where to listen; and what to say before other machines may connect.
 * Nothing listens here.
 */
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { normalizeOptions } from "../../src/serve/options.ts";
import { loosely, refusal, SECRET } from "./refusal.ts";

describe("addresses", () => {
  test("a port is on 127.0.0.1", () => {
    expect(normalizeOptions({ port: "9000" }).listen).toEqual({
      kind: "tcp",
      host: "127.0.0.1",
      port: 9000,
    });
  });

  test("an IPv6 host may have its brackets", () => {
    expect(normalizeOptions({ port: 0, host: "[::1]" }).listen).toEqual({
      kind: "tcp",
      host: "::1",
      port: 0,
    });
  });

  test.each(["socket", "path"])("%s is made absolute, with mode 660", (name) => {
    expect(normalizeOptions({ [name]: "run/x.sock" }).listen).toEqual({
      kind: "unix",
      path: resolve("run/x.sock"),
      mode: 0o660,
      owner: undefined,
      group: undefined,
    });
  });

  test.each([
    [{ mode: 0o600 }, 0o600],
    [{ mode: "0600" }, 0o600],
    [{ mode: "666", umask: 0o777 }, 0o666],
    [{ umask: 0o002 }, 0o775],
    [{ umask: "0022" }, 0o755],
  ])("%j gives the socket file its permissions", (options, mode) => {
    expect(normalizeOptions({ socket: "/x", ...options }).listen).toMatchObject({ mode });
  });

  test.each([
    [{ fd: "stdin" }, { kind: "fd", fd: 0 }],
    [{ fd: 3 }, { kind: "fd", fd: 3 }],
    [{ fd: "systemd" }, { kind: "systemd", name: undefined }],
    [{ fd: "systemd:web" }, { kind: "systemd", name: "web" }],
  ])("%j is %j", (options, listen) => {
    expect(normalizeOptions(loosely(options)).listen).toEqual(listen);
  });

  test.each([
    [{ socket: "/x", port: 1 }, "socket and port are both addresses"],
    [{ socket: "/x", path: "/y" }, "socket and path are both addresses"],
    [{ fd: 0, port: 1 }, "port and fd are both addresses"],
    [{ socket: "/x", host: "::1" }, "host and socket do not go together"],
    [{ host: "127.0.0.1" }, "there is no port"],
  ])("%j is refused", (options, sentence) => {
    expect(refusal(options)).toContain(sentence);
  });
});

describe("hosts that other machines reach (X-4, S-7)", () => {
  const peers = ["192.0.2.1"];
  test.each([
    [{ host: "0.0.0.0" }, /trust\.allowRemote and trust\.peers/],
    [{ host: "::" }, /trust\.allowRemote and trust\.peers/],
    [{ host: "192.0.2.7", trust: { peers } }, /set trust\.allowRemote,/],
    [{ host: "192.0.2.7", trust: { allowRemote: true } }, /set trust\.peers/],
    // A secret protects AJP and nothing beside it.
    [
      { host: "::", trust: { allowRemote: true }, protocol: "auto", ajp: { secret: SECRET } },
      /set trust\.peers/,
    ],
  ])("%j is refused", (options, sentence) => {
    expect(refusal({ port: 9000, ...options })).toMatch(sentence);
  });

  test.each([
    { host: "0.0.0.0", trust: { allowRemote: true, peers } },
    { host: "::", trust: { allowRemote: true }, protocol: "ajp", ajp: { secret: SECRET } },
    { host: "127.8.9.1" },
    { host: "::1" },
    { host: "localhost" },
  ])("%j is not", (options) => {
    expect(normalizeOptions(loosely({ port: 9000, ...options })).listen.kind).toBe("tcp");
  });

  test("FCGI_WEB_SERVER_ADDRS counts as a list of peers", () => {
    const options = { port: 9000, host: "0.0.0.0", trust: { allowRemote: true } };
    const { trust } = normalizeOptions(options, { FCGI_WEB_SERVER_ADDRS: "192.0.2.1,x" });
    expect(trust.webServerAddresses).toEqual(["192.0.2.1"]);
  });

  test("FCGI_WEB_SERVER_ADDRS that names nobody is said in the note", () => {
    expect(normalizeOptions({}, { FCGI_WEB_SERVER_ADDRS: "x" }).note).toContain(
      "nobody may connect",
    );
  });
});
