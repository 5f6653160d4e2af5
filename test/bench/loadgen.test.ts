/**
 * The load generator finds every wrong answer, and none in what postern and node:http say.
 * A server that lies says prepared bytes to each request; what it says is written out here.
 */
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import { serve } from "../../src/serve/serve.ts";
import { Room } from "../support/front/ports.ts";
import { missingLoadgen, runLoadgen } from "../support/loadgen.ts";

const missing = missingLoadgen();
const name = missing === undefined ? "the load generator" : `the load generator (${missing})`;
const room = new Room("loadgen");
const closings: (() => unknown)[] = [];
let count = 0;

afterAll(async () => {
  for (const close of closings) await close();
  room.remove();
});

const HELLO = Buffer.from("hello world\n");
type Handler = Parameters<typeof createHttpServer>[1];

/** Counts an upload, or says hello. */
const handler: NonNullable<Handler> = (req, res) => {
  if (req.method === "POST") {
    let bytes = 0;
    req.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    req.on("end", () => res.end(String(bytes)));
    return;
  }
  res.writeHead(200, { "Content-Type": "text/plain", "Content-Length": HELLO.length });
  res.end(HELLO);
};

const PROTOCOLS = ["http", "fastcgi", "scgi", "ajp"] as const;
type Protocol = (typeof PROTOCOLS)[number];

/** A server that serves the handler; its socket. */
async function honest(protocol: Protocol, packetSize = 8192): Promise<string> {
  const socket = room.file(`${count++}`);
  if (protocol === "http") {
    const server = createHttpServer(handler);
    await new Promise<void>((listening) => server.listen(socket, listening));
    closings.push(() => server.close());
    return socket;
  }
  const options = { protocol, socket, multiplex: true, ajp: { packetSize } };
  const server = await serve(handler, options).ready();
  closings.push(() => server.shutdown());
  return socket;
}

/** A server that says these bytes as often as a request comes, and closes when told to. */
async function lying(answer: Buffer, thenClose: boolean): Promise<string> {
  const socket = room.file(`${count++}`);
  const open = new Set<Socket>();
  const server: NetServer = createServer((peer) => {
    open.add(peer);
    peer.on("error", () => undefined);
    peer.on("data", () => {
      if (thenClose) peer.end(answer);
      else peer.write(answer);
    });
  });
  await new Promise<void>((listening) => server.listen(socket, listening));
  closings.push(() => {
    for (const peer of open) peer.destroy();
    server.close();
  });
  return socket;
}

const to = (protocol: Protocol, socket: string): string[] => [
  "--protocol",
  protocol,
  "--unix",
  socket,
];
const u16 = (n: number): Buffer => Buffer.from([n >> 8, n & 255]);
const record = (type: number, content: string | Buffer, id = 1, version = 1): Buffer =>
  Buffer.concat([
    Buffer.from([version, type]),
    u16(id),
    u16(content.length),
    u16(0),
    Buffer.from(content),
  ]);
const end = (protocolStatus = 0, appStatus = 0): Buffer =>
  record(3, Buffer.from([0, 0, 0, appStatus, protocolStatus, 0, 0, 0]));
const string = (text: string): Buffer =>
  Buffer.concat([u16(text.length), Buffer.from(`${text}\0`)]);
const packet = (...parts: readonly Buffer[]): Buffer => {
  const payload = Buffer.concat(parts);
  return Buffer.concat([Buffer.from("AB"), u16(payload.length), payload]);
};
const ajpHead = (status: number, length: string): Buffer =>
  packet(Buffer.from([4]), u16(status), string("OK"), u16(1), u16(0xa003), string(length));
const ajpChunk = (text: string, nul = 0): Buffer =>
  packet(Buffer.from([3]), u16(text.length), Buffer.from(text), Buffer.from([nul]));
const ajpEnd = packet(Buffer.from([5, 1]));
const cgi = (status: string, length: number, body: string): string =>
  `Status: ${status}\r\nContent-Length: ${length}\r\n\r\n${body}`;
const http = (status: string, length: number, body: string): string =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${length}\r\n\r\n${body}`;

/** What each liar says to a request for five bytes with status 200, and what is wrong with it. */
const LIES: readonly [Protocol, string, Buffer | Buffer[], RegExp, boolean?][] = [
  ["http", "another status", Buffer.from(http("500 No", 5, "hello")), /status 500/],
  ["http", "another length", Buffer.from(http("200 OK", 4, "hell")), /4 bytes of body/],
  ["http", "more than its length", Buffer.from(http("200 OK", 5, "hello!")), /behind the end/],
  ["http", "less than its length", Buffer.from(http("200 OK", 5, "hell")), /closed before/, true],
  ["http", "less, and stays", Buffer.from(http("200 OK", 5, "hell")), /no answer in time/],
  ["http", "no status line", Buffer.from("200 OK\r\n\r\nhello"), /head that is none/],
  ["http", "another text", Buffer.from(http("200 OK", 5, "hallo")), /another text/],
  ["fastcgi", "another status", [record(6, cgi("404 No", 5, "hello")), end()], /status 404/],
  ["fastcgi", "another length", [record(6, cgi("200 OK", 4, "hell")), end()], /4 bytes of body/],
  ["fastcgi", "less than it says", [record(6, cgi("200 OK", 6, "hello")), end()], /Length 6/],
  ["fastcgi", "another version", [record(6, cgi("200 OK", 5, "hello"), 1, 2)], /version is not 1/],
  ["fastcgi", "another id", [record(6, cgi("200 OK", 5, "hello"), 2)], /no request/],
  ["fastcgi", "a type of ours", [record(5, "hello")], /a type that nobody expects/],
  ["fastcgi", "a refusal", [record(6, cgi("200 OK", 5, "hello")), end(1)], /refuses/],
  ["fastcgi", "a failure", [record(6, cgi("200 OK", 5, "hello")), end(0, 1)], /before .* whole/],
  ["fastcgi", "a second end", [record(6, cgi("200 OK", 5, "hello")), end(), end()], /no request/],
  ["fastcgi", "no end", [record(6, cgi("200 OK", 5, "hello"))], /closed before/, true],
  ["fastcgi", "no head", [record(6, "hello"), end()], /before the response was whole/],
  ["scgi", "another status", Buffer.from(cgi("404 No", 5, "hello")), /status 404/, true],
  ["scgi", "less than it says", Buffer.from(cgi("200 OK", 6, "hello")), /Length 6/, true],
  ["scgi", "another length", Buffer.from(cgi("200 OK", 6, "hello!")), /6 bytes of body/, true],
  ["scgi", "no head", Buffer.from("hello"), /closed before/, true],
  ["ajp", "another status", [ajpHead(404, "5"), ajpChunk("hello"), ajpEnd], /status 404/],
  ["ajp", "another length", [ajpHead(200, "4"), ajpChunk("hell"), ajpEnd], /4 bytes of body/],
  ["ajp", "less than it says", [ajpHead(200, "6"), ajpChunk("hello"), ajpEnd], /Length 6/],
  ["ajp", "no NUL", [ajpHead(200, "5"), ajpChunk("hello", 1), ajpEnd], /lengths disagree/],
  ["ajp", "another magic", Buffer.from("BA\0\x02\x05\x01"), /does not begin with AB/],
  ["ajp", "an end at once", [ajpEnd], /END_RESPONSE before SEND_HEADERS/],
  ["ajp", "two heads", [ajpHead(200, "5"), ajpHead(200, "5")], /second SEND_HEADERS/],
  [
    "ajp",
    "a packet too many",
    [ajpHead(200, "5"), ajpChunk("hello"), ajpEnd, ajpEnd],
    /behind END_RESPONSE/,
  ],
];

describe.skipIf(missing !== undefined)(name, () => {
  for (const protocol of PROTOCOLS) {
    test(`finds nothing wrong with ${protocol}: kept and new connections, and an upload`, async () => {
      const target = to(protocol, await honest(protocol));
      const many = [...target, "--connections", "4", "--count", "200"];
      const hello = [...many, "--expect-text", HELLO.toString(), "--pid", String(process.pid)];
      for (const more of [[], ["--new-connections"]]) {
        const { status, report, stderr } = await runLoadgen([...hello, ...more]);
        expect([stderr, status]).toEqual(["", 0]);
        expect(report).toMatchObject({ requests: 200, errors: 0, servedConnections: 4 });
        expect(report?.server?.cpuUsPerRequest).toBeGreaterThan(0);
        expect(report?.latencyUs.max).toBeGreaterThan(0);
      }
      const upload = ["--body", "100000", "--expect-text", "100000", "--ajp-style"];
      for (const style of ["apache", "specification"]) {
        const { status, stderr } = await runLoadgen([...many, ...upload, style]);
        expect([stderr, status]).toEqual(["", 0]);
      }
    });
  }

  test("--rate begins so many requests a second and no more, over kept and new connections", async () => {
    for (const protocol of ["fastcgi", "scgi"] as const) {
      const target = to(protocol, await honest(protocol));
      const pace = ["--connections", "4", "--rate", "100", "--seconds", "1"];
      const { status, report, stderr } = await runLoadgen([...target, ...pace]);
      expect([stderr, status]).toEqual(["", 0]);
      // One that was due before may be counted.
      expect(report?.requestsPerSecond).toBeLessThanOrEqual(105);
      // A server that is busy elsewhere is late, but what was due is made up for.
      expect(report?.requestsPerSecond).toBeGreaterThan(60);
    }
  });

  test("answers Get Body Chunk with packets as large as were agreed on (AJP)", async () => {
    const target = to("ajp", await honest("ajp", 65_536));
    const upload = ["--ajp-packet", "65536", "--body", "200000", "--expect-text", "200000"];
    const { status, stderr } = await runLoadgen([...target, ...upload, "--count", "20"]);
    expect([stderr, status]).toEqual(["", 0]);
  });

  test("sends interleaved bodies on one connection, and gets each answer (FastCGI §3.2)", async () => {
    const target = to("fastcgi", await honest("fastcgi"));
    const upload = ["--ids", "8", "--body", "65536", "--expect-text", "65536"];
    const { status, report, stderr } = await runLoadgen([...target, ...upload, "--count", "64"]);
    expect([stderr, status]).toEqual(["", 0]);
    expect(report).toMatchObject({ requests: 64, connects: 1 });
  });

  test("opens many connections at once and holds them", async () => {
    const target = to("fastcgi", await honest("fastcgi"));
    const { status, report } = await runLoadgen([...target, "--once", "--connections", "100"]);
    expect(status).toBe(0);
    expect(report).toMatchObject({ requests: 100, servedConnections: 100, openConnections: 100 });
    expect(report?.allServedMs).toBeGreaterThan(0);
  });

  for (const [protocol, lie, answer, sentence, thenClose = false] of LIES) {
    test(`ends with 1 when a ${protocol} server tells ${lie}`, async () => {
      const bytes = Array.isArray(answer) ? Buffer.concat(answer) : answer;
      const expected = ["--expect-text", "hello", "--count", "3", "--timeout", "0.5"];
      const target = to(protocol, await lying(bytes, thenClose));
      const { status, report } = await runLoadgen([...target, ...expected]);
      expect(report?.firstError).toMatch(sentence);
      expect(status).toBe(1);
    });
  }

  test("ends with 1 when nobody listens, and with 2 when the command line is wrong", async () => {
    const nobody = await runLoadgen([...to("http", room.file("nobody")), "--count", "1"]);
    expect([nobody.status, nobody.report?.firstError]).toEqual([
      1,
      expect.stringMatching(/^connect: /),
    ]);
    for (const words of [
      [],
      ["--unix"],
      ["--tcp", "1"],
      ["--unix", "a", "--body", "1O"],
      ["-x", "1"],
    ]) {
      const { status, stderr } = await runLoadgen(words);
      expect([status, stderr.trim().split("\n").length]).toEqual([2, 1]);
    }
  });
});
