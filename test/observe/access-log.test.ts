/**
 * Lines of the access log, by real requests over each protocol and in each configuration, and over plain HTTP.
 *
 * What formats may say is access-format.test.ts's, files and workers are test/cli/access-log.test.ts's.
 */
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { ClientConnection } from "../../src/client/client.ts";
import { Account } from "../../src/connection/account.ts";
import { AccessLog } from "../../src/observe/access-log.ts";
import type { LineLog } from "../../src/observe/line-log.ts";
import { TOKENS } from "../../src/observe/access-tokens.ts";
import type { NodeHandler } from "../../src/serve/application.ts";
import { serve } from "../../src/serve/serve.ts";
import { Latch, readAll } from "../support/behaviour.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import { reachOf, ServerRoom } from "../support/server-room.ts";
import { linesWhen, LogRoom } from "./log-room.ts";

const logs = new LogRoom();
let servers: ServerRoom;
beforeEach(() => {
  servers = new ServerRoom();
});
afterEach(() => servers.clear());
afterAll(() => logs.remove());

/** Every token, as JSON. */
const EVERYTHING = `{${TOKENS.map(({ word, kind }) => `"${word}":${kind === "number" ? `%(${word})` : `"%(${word})"`}`).join(",")},"in":"%{X-In}i","out":"%{X-Out}o","var":"%{SERVER_NAME}e"}`;
type Line = Readonly<Record<string, string | number>>;

const configurations = CONFIGURATIONS.filter(({ create }) => create !== undefined);

async function jsonLines(path: string, count: number): Promise<Line[]> {
  return (await linesWhen(path, count)).map((line) => JSON.parse(line) as Line);
}

describe.each(configurations.map(({ name }) => name))("%s", (configuration) => {
  describe.each(["fastcgi", "scgi", "ajp"] as const)("%s", (protocol) => {
    const open = (handler: NodeHandler, path: string, more = {}) =>
      servers.open(configuration, "unix", handler, {
        protocol,
        accessLog: path,
        accessFormat: EVERYTHING,
        ...more,
      });

    test("every token of a request with a body says what it should", async () => {
      const path = logs.path();
      const server = await open(async (req, res) => {
        await readAll(req);
        res.setHeader("X-Out", "out");
        res.statusCode = 201;
        res.write("one,");
        res.end("two");
      }, path);
      const before = Date.now();
      const response = await servers.client(server, protocol).request({
        method: "POST",
        url: "/some%20path?q=1&r=2",
        headers: {
          host: "www.example.org",
          referer: "https://example.org/",
          "user-agent": "probe",
          "x-in": "in",
          "x-request-id": "from-the-front/1",
        },
        body: "0123456789",
      });
      expect(await response.text()).toBe("one,two");
      const [line] = await jsonLines(path, 1);
      expect(line).toMatchObject({
        addr: "127.0.0.1",
        user: "",
        method: "POST",
        uri: "/some%20path?q=1&r=2",
        path: "/some%20path",
        query: "q=1&r=2",
        mark: "?",
        proto: "HTTP/1.1",
        gateway: protocol,
        peer: "",
        status: 201,
        rsize: 7,
        cl: 10,
        wid: 0,
        pid: process.pid,
        id: "from-the-front/1",
        end: "done",
        error: "",
        host: "www.example.org",
        referer: "https://example.org/",
        uagent: "probe",
        in: "in",
        out: "out",
      });
      expect(line!["var"]).not.toBe("");
      const { ltime, start, iso, time, tmsecs, secs, msecs, micros, queue } = line!;
      for (const text of [ltime, start]) {
        expect(text).toMatch(/^\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/);
      }
      expect(Date.parse(String(iso))).toBeGreaterThanOrEqual(before);
      expect(Number(tmsecs)).toBeGreaterThanOrEqual(before);
      expect(Math.abs(Number(time) - Number(tmsecs) / 1_000)).toBeLessThanOrEqual(1);
      expect(Number(micros)).toBeGreaterThan(0);
      expect(Number(msecs)).toBe(Math.round(Number(micros) / 1_000));
      expect(secs).toBe(Number((Number(micros) / 1e6).toFixed(3)));
      expect(Number(queue)).toBeLessThanOrEqual(Number(micros));
    });

    test("a request that is refused before any handler is written, with its reason", async () => {
      const path = logs.path();
      const server = await open((_req, res) => void res.end(), path, {
        limits: { bodyBytes: 4, requests: 1 },
      });
      const response = await servers
        .client(server, protocol)
        .request({ method: "PUT", url: "/large", body: "12345" });
      expect([response.status, await response.text()]).toEqual([413, "413 Payload Too Large\n"]);
      const [line] = await jsonLines(path, 1);
      expect(line).toMatchObject({
        status: 413,
        end: "refused",
        error: "ERR_LIMIT_BODY_BYTES",
        rsize: 22,
      });
    });

    test("a client that leaves before the answer is 499, and during it what was sent", async () => {
      const path = logs.path();
      const running = new Latch();
      const left = new Latch();
      const server = await open((req, res) => {
        req.gateway.signal.addEventListener("abort", () => left.open());
        if (req.url === "/half") res.write("half");
        running.open();
      }, path);
      const client = servers.client(server, protocol);
      const pending = client.request({ url: "/none" });
      await running.opened;
      client.destroy();
      await expect(pending).rejects.toThrow();
      await left.opened;
      const [line] = await jsonLines(path, 1);
      expect(line).toMatchObject({ status: 499, end: "aborted", uri: "/none", rsize: 0 });
      const other = servers.client(server, protocol);
      const response = await other.request({ url: "/half" });
      other.destroy();
      await response.text().catch(() => undefined);
      const lines = await jsonLines(path, 2);
      expect(lines[1]).toMatchObject({ status: 200, end: "aborted", uri: "/half", rsize: 4 });
    });

    test("a handler that throws is a 500, and a response cut short is a failure", async () => {
      const path = logs.path();
      const server = await open(
        (req, res) => {
          if (req.url === "/throw") throw new Error("on purpose");
          res.writeHead(200, { "Content-Length": "100" });
          res.end("short");
        },
        path,
        { onError: () => undefined },
      );
      const client = servers.client(server, protocol);
      expect((await client.request({ url: "/throw" })).status).toBe(500);
      await client.request({ url: "/short" }).then(
        (response) => response.text().catch(() => undefined),
        () => undefined,
      );
      const lines = await jsonLines(path, 2);
      expect(lines[0]).toMatchObject({ status: 500, end: "done", uri: "/throw" });
      expect(lines[1]).toMatchObject({
        uri: "/short",
        rsize: lines[1]!["status"] === 500 ? 26 : 5,
      });
    });

    test("a fetch handler's requests are written as well", async () => {
      const path = logs.path();
      const server = await servers
        .add(
          serve(
            { fetch: () => new Response("hello", { headers: { "x-out": "yes" } }) },
            {
              ...servers.addressOf("unix", "f"),
              protocol,
              accessLog: path,
              accessFormat: "%(method) %(uri) %(status) %(rsize) %(out.X-Out)",
            },
          ),
        )
        .ready();
      const client = servers.client(server, protocol);
      expect(await (await client.request({ url: "/f" })).text()).toBe("hello");
      expect(await linesWhen(path, 1)).toEqual(["GET /f 200 5 yes"]);
    });
  });

  test("bytes that are no request at all are a line where they are answered", async () => {
    const path = logs.path();
    const server = await servers.open(configuration, "unix", () => undefined, {
      protocol: "scgi",
      accessLog: path,
    });
    const socket = connect(reachOf(server)).resume();
    socket.write("not a netstring");
    await once(socket, "close");
    expect(await linesWhen(path, 1)).toEqual([
      expect.stringMatching(/^- - - \[.*\] "- - -" 400 \d+ "-" "-"$/),
    ]);
  });

  test("plain HTTP of the same server is written, with what the client got", async () => {
    const path = logs.path();
    const server = await servers.open(
      configuration,
      "unix",
      async (req, res) => {
        const body = await readAll(req);
        res.setHeader("X-Out", "out");
        res.end(body);
      },
      { protocol: "auto", accessLog: path, accessFormat: EVERYTHING },
    );
    const { path: socketPath } = reachOf(server) as { path: string };
    const answered = new Latch();
    const request = httpRequest(
      { socketPath, path: "/h?x", method: "POST", agent: false },
      (res) => {
        res.resume().on("end", () => answered.open());
      },
    );
    request.setHeader("X-In", "in");
    request.end("12345");
    await answered.opened;
    const [line] = await jsonLines(path, 1);
    expect(line).toMatchObject({
      gateway: "http",
      method: "POST",
      uri: "/h?x",
      status: 200,
      cl: 5,
      rsize: 5,
      in: "in",
      out: "out",
      end: "done",
    });
    const client = new ClientConnection({ protocol: "fastcgi", address: { socket: socketPath } });
    await (await client.request({ url: "/fcgi" })).text();
    client.destroy();
    expect((await jsonLines(path, 2))[1]).toMatchObject({ gateway: "fastcgi", uri: "/fcgi" });
  });
});

test("without accessLog nothing is counted, and a wrong one is told at once", async () => {
  expect(() => serve(() => undefined, { fd: 1_000, accessLog: `${logs.folder}/no/x` })).toThrow(
    "cannot be had: its folder does not exist; create it.",
  );
  expect(() => serve(() => undefined, { fd: 1_000, accessFormat: "json" })).toThrow(
    "accessFormat is given, but there is no accessLog; give accessLog as well.",
  );
});

test.each([
  [true, "x"],
  [false, "é–"],
])("lines of any length keep their order and their number (ASCII alone: %s)", (isAscii, unit) => {
  const taken: string[] = [];
  let count = 0;
  const log: LineLog = {
    dropped: 0,
    write(lines, number) {
      taken.push(lines);
      count += number;
    },
    writeBytes(bytes, number, done) {
      this.write(Buffer.from(bytes).toString().slice(0, -1), number);
      done();
    },
    reopen() {},
    flushSync() {},
    close: () => Promise.resolve(),
  };
  // Around a whole piece, far above it, and so many that pieces fill up.
  const lengths = [1, 21_844, 21_845, 200_000, 3, ...Array.from({ length: 500 }, (_, i) => i)];
  const lines = lengths.map((length, i) => `${i} ${unit.repeat(length)}`);
  let next = 0;
  const format = { isAscii, timed: false, clocked: false, line: () => lines[next++]! };
  const access = new AccessLog(log, format, { pid: 1, worker: 0 });
  const account = new Account({ protocol: "fastcgi", peerAddress: "" }, 1);
  for (const _ of lines) access.ended(account);
  access.flush();
  expect(taken.join("\n") === lines.join("\n")).toBe(true);
  expect(count).toBe(lines.length);
});
