/** What the clients of all protocols share: options, addresses, errors before anything is sent. */
import { describe, expect, test } from "vitest";
import { ClientConnection, ClientError, request } from "../../src/client/client.ts";
import { CLIENT_ERRORS, UsageError } from "../../src/errors.ts";
import { listenScripted } from "../support/scripted-peer.ts";

const nowhere = { socket: "/nonexistent/postern.sock" };

describe("a request that cannot be sent", () => {
  test.each(["fastcgi", "scgi", "ajp"] as const)("over %s names the address", async (protocol) => {
    const failed = request({ protocol, address: nowhere });
    await expect(failed).rejects.toMatchObject({
      name: "ClientError",
      code: "ERR_CLIENT_CONNECT",
      answered: false,
      message: "The application could not be reached. (/nonexistent/postern.sock)",
      cause: { code: "ENOENT" },
    });
  });

  test("over TCP names host and port", async () => {
    const peer = await listenScripted(async () => undefined, "tcp");
    await peer.close();
    const address = peer.address as { port: number };
    const failed = request({ protocol: "scgi", address: { port: address.port } });
    await expect(failed).rejects.toThrow(`(127.0.0.1 port ${address.port})`);
  });

  test("fails with the signal's reason, before and while it connects", async () => {
    const peer = await listenScripted(async (wire) => void (await wire.readToEnd()), "tcp");
    const reason = new Error("never mind");
    for (const protocol of ["fastcgi", "scgi", "ajp"] as const) {
      const to = { protocol, address: peer.address };
      await expect(request({ ...to, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const controller = new AbortController();
      const connecting = request({ ...to, signal: controller.signal });
      controller.abort(reason);
      await expect(connecting).rejects.toBe(reason);
    }
    await peer.close();
  });

  test.each([
    ["method", { method: "GE T" }],
    ["url", { url: "/a b" }],
    ["url", { url: "/\u0100" }],
    ["url", { url: "" }],
    ["header name", { headers: { "X A": "1" } }],
    ["header X-A", { headers: { "X-A": "1\r\nX-B: 2" } }],
    ["header X-A", { headers: { "X-A": "\u0100" } }],
    ["Content-Length", { headers: { "Content-Length": "5x" } }],
    ["Content-Length is 4", { headers: { "Content-Length": "4" }, body: "hello" }],
    ["A_B", { params: { A_B: "a\0b" } }],
    ["must", { params: { "": "a" } }],
    ["attributes", { attributes: { a: "b" } }],
    ["role and data", { role: "filter" as const, data: "x" }],
  ])("because of its options says so: %s (%#)", async (word, options) => {
    const failed = request({ protocol: "scgi", address: nowhere, ...options });
    await expect(failed).rejects.toBeInstanceOf(UsageError);
    await expect(failed).rejects.toThrow(word);
  });

  test("to a protocol or packet size that does not exist is refused at once", () => {
    const make = (options: object) => () =>
      new ClientConnection({ protocol: "ajp", address: nowhere, ...options });
    expect(make({ protocol: "gopher" })).toThrow("protocol must be fastcgi, scgi or ajp");
    expect(make({ packetSize: 8191 })).toThrow("packetSize must be from 8192 to 65536");
    expect(make({ packetSize: 65_537 })).toThrow("packetSize must be from 8192 to 65536");
    expect(make({ packetSize: Number.NaN })).toThrow(UsageError);
  });
});

describe("a response", () => {
  test("can be read once", async () => {
    const peer = await listenScripted(async (wire) => {
      await wire.readNetstring();
      wire.write("Content-Length: 2\r\n\r\nhi");
      wire.end();
    });
    const response = await request({ protocol: "scgi", address: peer.address });
    expect(await response.text()).toBe("hi");
    expect((await response.buffer()).length).toBe(0);
    await peer.close();
  });

  test("has headers without a prototype", async () => {
    const peer = await listenScripted(async (wire) => {
      await wire.readNetstring();
      wire.write("__proto__: x\r\nconstructor: y\r\n\r\n");
      wire.end();
    });
    const { headers } = await request({ protocol: "scgi", address: peer.address });
    expect(Object.getPrototypeOf(headers)).toBeNull();
    expect(Object.entries(headers)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    await peer.close();
  });
});

test("each client error says its sentence", () => {
  for (const [code, sentence] of Object.entries(CLIENT_ERRORS)) {
    const error = new ClientError(code as keyof typeof CLIENT_ERRORS, "(detail)");
    expect(error.message).toBe(`${sentence} (detail)`);
    expect(error.answered).toBe(false);
  }
});
