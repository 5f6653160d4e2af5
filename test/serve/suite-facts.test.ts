/**
 * What a handler is told about its request beside HTTP: req.gateway, req.socket, the server it came by.
 * One of the behaviour suites: over each protocol and engine.
 */
import { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { describe, expect } from "vitest";
import type { GatewayRequest } from "../../src/handler/node/request.ts";
import { behaviour } from "../support/behaviour-suite.ts";
import { readAll } from "../support/behaviour.ts";

const json = (value: unknown): string => JSON.stringify(value);

describe("req.gateway", () => {
  behaviour(
    "names protocol, role, mount prefix and path",
    (req, res) => {
      const { protocol, role, scriptName, pathInfo } = req.gateway;
      res.end(json([protocol, role, scriptName, pathInfo]));
    },
    async ({ text, protocol }) => {
      expect(JSON.parse(await text({ url: "/a%20b/c?d" }))).toEqual([
        protocol,
        "responder",
        "",
        "/a b/c",
      ]);
    },
  );

  behaviour(
    "has every variable, in an object without prototype",
    (req, res) => {
      const { params } = req.gateway;
      const prototype = Object.getPrototypeOf(params);
      res.end(
        json([
          prototype,
          params["REQUEST_METHOD"],
          params["HTTP_X_A"],
          params["SERVER_NAME"],
          params === req.gateway.params,
        ]),
      );
    },
    async ({ text }) => {
      expect(JSON.parse(await text({ headers: { "X-A": "1", Host: "example.test" } }))).toEqual([
        null,
        "GET",
        "1",
        "example.test",
        true,
      ]);
    },
  );

  behaviour(
    "changes nothing in process.env, whatever a peer sends (H-6)",
    (_req, res) => res.end(),
    async ({ request }) => {
      const before = json(process.env);
      const names = ["NODE_OPTIONS", "LD_PRELOAD", "PHP_VALUE", "UWSGI_FILE", "PATH"];
      await request({ params: Object.fromEntries(names.map((name) => [name, "evil"])) });
      expect(json(process.env)).toBe(before);
    },
    { only: ["fastcgi", "scgi"] },
  );

  behaviour(
    "names the user that the front server knows (B-28)",
    (req, res) => {
      res.end(json([req.gateway.remoteUser ?? null, req.gateway.authType ?? null]));
    },
    async ({ text }) => {
      expect(JSON.parse(await text())).toEqual([null, null]);
      expect(
        JSON.parse(await text({ params: { REMOTE_USER: "ann", AUTH_TYPE: "Basic" } })),
      ).toEqual(["ann", "Basic"]);
    },
  );

  behaviour(
    "knows whether the client came by TLS, and how (B-86)",
    (req, res) => {
      const { tls } = req.gateway;
      const encrypted = (req.socket as unknown as { encrypted: boolean }).encrypted;
      res.end(json([tls === undefined ? null : [tls.protocol, tls.cipher], encrypted]));
    },
    async ({ text }) => {
      expect(JSON.parse(await text())).toEqual([null, false]);
      expect(JSON.parse(await text({ params: { HTTPS: "off" } }))).toEqual([null, false]);
      const params = { HTTPS: "on", SSL_PROTOCOL: "TLSv1.3", SSL_CIPHER: "AES" };
      expect(JSON.parse(await text({ params }))).toEqual([["TLSv1.3", "AES"], true]);
    },
    { only: ["fastcgi", "scgi"] },
  );

  behaviour(
    "names its peer: nobody over a unix socket, an address over TCP",
    (req, res) => {
      res.end(json(req.gateway.peer));
    },
    async ({ text }) => {
      expect(JSON.parse(await text())).toEqual({ address: "127.0.0.1", port: expect.any(Number) });
    },
    { transport: "tcp", only: ["fastcgi", "scgi"] },
  );

  behaviour(
    "names nobody as peer of a unix socket",
    (req, res) => res.end(json(req.gateway.peer)),
    async ({ text }) => {
      expect(JSON.parse(await text())).toEqual({ address: "", port: 0 });
    },
  );

  behaviour(
    "has an error log of the front server, which other protocols drop",
    (req, res) => {
      req.gateway.errors.write("a note\n");
      req.gateway.errors.end("and more\n");
      res.end("done");
    },
    async ({ request, protocol }) => {
      const response = await request();
      expect(await response.text()).toBe("done");
      expect(response.stderr).toBe(protocol === "fastcgi" ? "a note\nand more\n" : "");
    },
  );

  behaviour(
    "has a Filter's file, and none for others (FastCGI §6.4)",
    async (req, res) => {
      const body = await readAll(req);
      const data = req.gateway.data === undefined ? "none" : await readAll(req.gateway.data);
      res.end(`${req.gateway.role} ${body} ${data.length}`);
    },
    async ({ text }) => {
      expect(await text({ method: "POST", body: "abc" })).toBe("responder abc 4");
      expect(
        await text({ role: "filter", method: "POST", body: "abc", data: Buffer.alloc(300_000) }),
      ).toBe("filter abc 300000");
      expect(await text({ role: "authorizer" })).toBe("authorizer  4");
    },
    { only: ["fastcgi"] },
  );

  behaviour(
    "survives a change of prototypes, as Express makes it",
    (req, res) => {
      Object.setPrototypeOf(req, Object.create(Object.getPrototypeOf(req)));
      Object.setPrototypeOf(res, Object.create(Object.getPrototypeOf(res)));
      res.setHeader("X-A", "1");
      res.end((req as GatewayRequest).gateway.protocol);
    },
    async ({ request, protocol }) => {
      const response = await request();
      expect([response.headers["x-a"], await response.text()]).toEqual(["1", protocol]);
    },
  );
});

describe("req, res and req.socket", () => {
  behaviour(
    "are what node:http makes (NH-1)",
    (req, res) => {
      const { socket } = req;
      const facts = [
        req instanceof IncomingMessage,
        res instanceof ServerResponse,
        req.httpVersion,
        res.socket === socket,
        res.req === req,
        typeof (socket as unknown as { server: { emit?: unknown } }).server.emit,
        socket.readable,
        socket.writable,
        socket.destroyed,
        req.complete,
        res.headersSent,
        res.writableEnded,
      ];
      res.end(json(facts));
    },
    async ({ text }) => {
      expect(JSON.parse(await text())).toEqual([
        true,
        true,
        "1.1",
        true,
        true,
        "function",
        true,
        true,
        false,
        expect.any(Boolean),
        false,
        false,
      ]);
    },
  );

  behaviour(
    "tell the client's address, not the front server's",
    (req, res) => {
      const { remoteAddress, remotePort, remoteFamily, localAddress, localPort } = req.socket;
      res.end(json([remoteAddress, remotePort, remoteFamily, localAddress, localPort]));
    },
    async ({ text }) => {
      const params = {
        REMOTE_ADDR: "2001:db8::1",
        REMOTE_PORT: "4711",
        SERVER_ADDR: "192.0.2.1",
        SERVER_PORT: "8443",
      };
      expect(JSON.parse(await text({ params }))).toEqual([
        "2001:db8::1",
        4711,
        "IPv6",
        "192.0.2.1",
        8443,
      ]);
    },
    { only: ["fastcgi", "scgi"] },
  );

  behaviour(
    "take what frameworks do to a socket (NX-14)",
    (req, res) => {
      const { socket } = req;
      socket.setNoDelay(true).setKeepAlive(true).ref().unref();
      socket.write("swallowed");
      socket.emit("error", new Error("nobody dies of this"));
      socket.cork();
      res.write("a");
      socket.uncork();
      res.end("b");
    },
    async ({ text }) => {
      expect(await text()).toBe("ab");
    },
  );

  behaviour(
    "cork and uncork together (NH-21)",
    async (req, res) => {
      res.cork();
      const corked = [res.writableCorked === req.socket.writableCorked, res.writableLength];
      res.write("abc");
      corked.push(res.writableLength > 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
      res.uncork();
      res.end(json(corked));
    },
    async ({ text }) => {
      expect(await text()).toBe("abc[true,0,true]");
    },
  );
});

describe("the server", () => {
  behaviour(
    "hands requests to the listeners it has at that moment (NH-2)",
    (_req, res) => res.end("first"),
    async ({ stage, text }) => {
      expect(await text()).toBe("first");
      const [facts, ...others] = stage.server.listeners("request");
      for (const other of others) stage.server.removeListener("request", other as () => void);
      stage.server.on("request", (_req, res) => res.end("second"));
      expect(facts).toBeDefined();
      expect(await text()).toBe("second");
    },
  );

  behaviour(
    "counts its connections and tells of each",
    (_req, res) => res.end("hi"),
    async ({ stage, text }) => {
      let told = 0;
      stage.server.on("connection", () => told++);
      await text();
      const path = stage.server.address() as string;
      await new Promise((resolve) => connect({ path }).on("connect", resolve));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(told).toBe(2);
    },
  );
});
