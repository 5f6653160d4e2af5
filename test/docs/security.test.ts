/**
 * What docs/security.md promises, seen by a handler and by a client that sends what a hostile one would.
 *
 * Rules of single protocols (conflicts, smuggling, the secret) have their tests where the protocols are.
 */
import { statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClientProtocol, request } from "../../src/client/client.ts";
import type { GatewayRequest } from "../../src/handler/node/request.ts";
import { normalizeOptions } from "../../src/serve/options.ts";
import { serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { Room } from "../support/front/ports.ts";

const room = new Room("security");
const servers: Server[] = [];
let seen: GatewayRequest | undefined;

beforeAll(async () => {
  for (const protocol of ["fastcgi", "scgi", "ajp"] as const) {
    const server = serve(
      (req, res) => {
        seen = req;
        if (req.url === "/fail") throw new Error("a secret of the application");
        res.end("seen");
      },
      { protocol, socket: room.file(`${protocol}.sock`), onError: () => undefined },
    );
    servers.push(await server.ready());
  }
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await server.shutdown();
  }
  room.remove();
});

describe.each(["fastcgi", "scgi", "ajp"] as const)("%s", (protocol: ClientProtocol) => {
  const address = { socket: room.file(`${protocol}.sock`) };

  test("a client's Proxy, Remote-User and __proto__ stay what they are", async () => {
    const headers = {
      Proxy: "http://evil.invalid/",
      "Remote-User": "root",
      "X-Forwarded-For": "6.6.6.6",
    };
    const more = { params: { ["__proto__"]: "x", HTTP___PROTO__: "y" } };
    await request({ protocol, address, headers, ...(protocol === "ajp" ? {} : more) });
    const { gateway, socket } = seen!;
    expect(seen!.headers).not.toHaveProperty("proxy");
    expect(gateway.params).not.toHaveProperty("HTTP_PROXY");
    expect(gateway.remoteUser).toBeUndefined();
    expect(seen!.headers["remote-user"]).toBe("root");
    expect(socket.remoteAddress).not.toBe("6.6.6.6");
    for (const record of [gateway.params, gateway.attributes]) {
      expect(Object.getPrototypeOf(record)).toBe(null);
    }
  });

  test("an error's text, a version and a stack are told to nobody", async () => {
    const response = await request({ protocol, address, url: "/fail" });
    expect(response.status).toBe(500);
    expect(await response.text()).toBe("500 Internal Server Error\n");
    const names = Object.keys(response.headers).map((name) => name.toLowerCase());
    expect(names.filter((name) => name === "server" || name === "x-powered-by")).toEqual([]);
  });
});

test("variables with the names of settings change nothing (H-6)", async () => {
  const before = { ...process.env };
  const params = {
    SCRIPT_FILENAME: "/etc/passwd",
    NODE_OPTIONS: "--inspect",
    POSTERN_ENGINE: "native",
    HTTP_PROXY: "http://evil.invalid/",
    PHP_VALUE: "auto_prepend_file=/etc/passwd",
  };
  const address = { socket: room.file("fastcgi.sock") };
  const response = await request({ protocol: "fastcgi", address, params });
  expect(await response.text()).toBe("seen");
  expect({ ...process.env }).toEqual(before);
});

test("a socket file is open to its owner and group alone (O-1, A-16)", () => {
  expect(statSync(room.file("scgi.sock")).mode & 0o777).toBe(0o660);
});

test.each([
  [{ port: 9000, host: "0.0.0.0" }],
  [{ port: 9000, host: "0.0.0.0", trust: { allowRemote: true } }],
  [{ port: 9000, host: "0.0.0.0", trust: { peers: ["192.0.2.1"] } }],
  [{ port: 9000, protocol: "ajp" as const }],
])("%j may not be opened (X-4, S-7, A-3)", (options) => {
  expect(() => normalizeOptions(options)).toThrow(/trust\.|secret/);
});
