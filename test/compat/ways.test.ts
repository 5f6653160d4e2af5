/**
 * Ways in that are no framework's: socket.io on our server, supertest, node's own http.Server behind ours, http-proxy.
 * Each is asked over node:http as well, in the same run. WebSocket here is over HTTP; through web servers by SCGI and
 * FastCGI it is in test/conformance/websocket.test.ts.
 */
import { once } from "node:events";
import { createServer as createNodeServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createServer } from "../../src/serve/serve.ts";
import { type Seen, visit } from "./clients.ts";
import { type Served, serveBy, WAYS, type Way } from "./servers.ts";

const require = createRequire(import.meta.url);
const NODE: Way = { protocol: "http", configuration: "" };
const open: Served[] = [];

afterEach(async () => {
  for (const served of open.splice(0)) await served.close();
});

/** Serves by each way, node:http first. */
async function everywhere(start: (make: () => Server) => Server): Promise<Served[]> {
  for (const way of [NODE, ...WAYS]) {
    const app = {
      start: async (createServer: (listener: () => void) => Server) => ({
        server: start(() => createServer(() => undefined)),
      }),
    };
    open.push(await serveBy(way, app as Parameters<typeof serveBy>[1]));
  }
  return open;
}

const OF_THE_CONNECTION = /^(date|connection|keep-alive|content-length|transfer-encoding)$/;

/** Everything but the connection's own fields; the order of different names means nothing (RFC 9110 §5.3). */
function essence({ status, fields }: Seen, body: string): unknown {
  const own = fields.filter(([name]) => !OF_THE_CONNECTION.test(name));
  return [status, own.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)), body];
}

test("socket.io, attached to the server, talks by polling as on node:http", async () => {
  const { Server: SocketServer } = require("socket.io");
  const told = await Promise.all(
    (
      await everywhere((make) => {
        const server = make();
        const io = new SocketServer(server, {
          cors: { origin: "http://other.test" },
          serveClient: true,
        });
        io.on(
          "connection",
          (socket: { on(name: string, f: (...words: unknown[]) => void): void }) => {
            socket.on("add", (left, right, done) =>
              (done as (sum: number) => void)(Number(left) + Number(right)),
            );
          },
        );
        return server;
      })
    ).map(poll),
  );
  for (const one of told.slice(1)) expect(one).toEqual(told[0]);
  expect(JSON.stringify(told[0])).toContain("430[5]");
});

/** The packets of Engine.IO that a client sends and gets: open, connect, an event with its answer, close. */
async function poll(served: Served): Promise<unknown[]> {
  const origin = { origin: "http://other.test" };
  const url = "/socket.io/?EIO=4&transport=polling";
  const opened = await visit(served, { url, headers: origin });
  const { sid } = JSON.parse(opened.body.toString().slice(1)) as { sid: string };
  const own = `${url}&sid=${sid}`;
  const post = (packet: string): Promise<Seen> =>
    visit(served, {
      method: "POST",
      url: own,
      headers: { ...origin, "content-type": "text/plain;charset=UTF-8" },
      body: packet,
    });
  const hide = (seen: Seen): unknown =>
    essence(seen, seen.body.toString().replace(/"sid":"[^"]*"/g, '"sid":""'));
  const told = [hide(opened), hide(await post("40"))];
  told.push(hide(await visit(served, { url: own, headers: origin })));
  told.push(hide(await post('420["add",2,3]')));
  told.push(hide(await visit(served, { url: own, headers: origin })));
  told.push(hide(await post("1")));
  told.push(hide(await visit(served, { url: "/socket.io/?EIO=4&transport=nothing" })));
  told.push(hide(await visit(served, { method: "OPTIONS", url, headers: origin })));
  return told;
}

test("a node:http server that is never told to listen answers through ours", async () => {
  const inner = createNodeServer();
  inner.on("request", (req, res) => {
    res.setHeader("X-Inner", String("server" in req.socket));
    res.end(req.url);
  });
  const servers = await everywhere((make) => {
    const server = make();
    server.on("request", (req, res) => inner.emit("request", req, res));
    return server;
  });
  const seen = await Promise.all(servers.map((served) => visit(served, { url: "/inner?x" })));
  for (const one of seen.slice(1))
    expect(essence(one, `${one.body}`)).toEqual(essence(seen[0]!, `${seen[0]!.body}`));
});

test("supertest asks our server over HTTP as it asks node's", async () => {
  const request = require("supertest");
  const express = require("express");
  const app = express();
  app.use(express.json());
  app.post("/json", (req: { body: unknown }, res: { json(value: unknown): void }) =>
    res.json(req.body),
  );
  const answers = [];
  for (const server of [createNodeServer(app), createServer({ protocol: "http", port: 0 }, app)]) {
    if (!server.listening) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    const { status, body, type } = await request(server).post("/json").send({ a: 1 }).expect(200);
    answers.push({ status, body, type, address: typeof (server.address() as AddressInfo).port });
    await new Promise((done) => server.close(done));
  }
  expect(answers[1]).toEqual(answers[0]);
});

/** Node's own server, and ours where it takes HTTP beside the rest. */
function overHttp(): Server[] {
  const ours = createServer({ protocol: "auto", host: "127.0.0.1", port: 0 });
  return [createNodeServer(), ours];
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  if (!server.listening) await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("socket.io connects by WebSocket, and talks, over HTTP", async () => {
  const { Server: SocketServer } = require("socket.io");
  const { io: connect } = require("socket.io-client");
  for (const server of overHttp()) {
    const io = new SocketServer(server);
    io.on("connection", (socket: { on(name: string, f: (...words: never[]) => void): void }) => {
      socket.on("add", (left: number, right: number, done: (sum: number) => void) =>
        done(left + right),
      );
    });
    const client = connect(`http://127.0.0.1:${await portOf(server)}`, {
      transports: ["websocket"],
    });
    try {
      expect(await client.timeout(10_000).emitWithAck("add", 2, 3)).toBe(5);
      expect(client.io.engine.transport.name).toBe("websocket");
    } finally {
      client.close();
      await io.close();
    }
  }
});

test("ws echoes text and bytes over HTTP, with the same head of its 101", async () => {
  const { WebSocket, WebSocketServer } = require("ws");
  const heads: unknown[] = [];
  for (const server of overHttp()) {
    const sockets = new WebSocketServer({ server, path: "/ws" });
    sockets.on("connection", (socket: typeof WebSocket) =>
      socket.on("message", (data: Buffer, isBinary: boolean) =>
        socket.send(data, { binary: isBinary }),
      ),
    );
    const client = new WebSocket(`ws://127.0.0.1:${await portOf(server)}/ws`);
    const [upgraded] = await once(client, "upgrade");
    const { "sec-websocket-accept": _accept, ...head } = upgraded.headers;
    heads.push([upgraded.statusCode, head]);
    if (client.readyState !== WebSocket.OPEN) await once(client, "open");
    for (const sent of ["text", Buffer.alloc(100_000, 7)]) {
      client.send(sent);
      const [data, isBinary] = await once(client, "message");
      expect([Buffer.compare(data, Buffer.from(sent)), isBinary]).toEqual([
        0,
        typeof sent !== "string",
      ]);
    }
    client.close();
    await once(client, "close");
    sockets.close();
    await new Promise((done) => server.close(done));
  }
  expect(heads[1]).toEqual(heads[0]);
});
