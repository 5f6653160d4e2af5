/** The FastCGI client against scripted applications; answers are the `<` sides of the test vectors. */
import { afterEach, describe, expect, test } from "vitest";
import { ClientConnection, request } from "../../src/client/client.ts";
import { decodePairs } from "../../src/client/fastcgi-records.ts";
import { hex, listenScripted, type ScriptedPeer, type Wire } from "../support/scripted-peer.ts";

const PARAMS = 4;
const STDIN = 5;
const DATA = 8;

/** Vector F01: head and body, end of STDOUT, END_REQUEST. */
const F01 =
  hex(`01 06 00 01 00 2e 00 00 53 74 61 74 75 73 3a 20 32 30 30 20 4f 4b 0d 0a 43 6f 6e 74 65 6e 74 2d
  54 79 70 65 3a 20 74 65 78 74 2f 70 6c 61 69 6e 0d 0a 0d 0a 68 69
  01 06 00 01 00 00 00 00 01 03 00 01 00 08 00 00 00 00 00 00 00 00 00 00`);
/** Vector F02: 204, padded. */
const F02 =
  hex(`01 06 00 01 00 1a 06 00 53 74 61 74 75 73 3a 20 32 30 34 20 4e 6f 20 43 6f 6e 74 65 6e 74 0d 0a
  0d 0a 00 00 00 00 00 00 01 06 00 01 00 00 00 00 01 03 00 01 00 08 00 00 00 00 00 00 00 00 00 00`);
/** Vector F07: MAX_CONNS 64, MAX_REQS 1024, MPXS_CONNS 1. */
const F07 =
  hex(`01 0a 00 00 00 37 01 00 0e 02 46 43 47 49 5f 4d 41 58 5f 43 4f 4e 4e 53 36 34 0d 04 46 43 47 49
  5f 4d 41 58 5f 52 45 51 53 31 30 32 34 0f 01 46 43 47 49 5f 4d 50 58 53 5f 43 4f 4e 4e 53 31 00`);
/** Vector F08: UNKNOWN_TYPE. */
const F08 = hex("01 0b 00 00 00 08 00 00 20 00 00 00 00 00 00 00");

/** END_REQUEST. */
const end = (id: number, protocolStatus = 0, appStatus = 0): Buffer =>
  Buffer.from([1, 3, id >> 8, id & 255, 0, 8, 0, 0, 0, 0, 0, appStatus, protocolStatus, 0, 0, 0]);
/** A STDOUT, STDERR or any other record. */
const record = (type: number, id: number, content: string | Uint8Array = ""): Buffer => {
  const bytes = Buffer.from(content as string);
  const header = [1, type, id >> 8, id & 255, bytes.length >> 8, bytes.length & 255, 0, 0];
  return Buffer.concat([Buffer.from(header), bytes]);
};
const answer = (id: number, text: string): Buffer =>
  Buffer.concat([record(6, id, `Status: 200 OK\r\n\r\n${text}`), record(6, id), end(id)]);

let peer: ScriptedPeer | undefined;
afterEach(async () => {
  await peer?.close();
  peer = undefined;
});

/** A peer; the address is what requests need. */
async function listen(
  script: (wire: Wire, index: number) => Promise<void>,
  transport: "unix" | "tcp" = "unix",
) {
  peer = await listenScripted(script, transport);
  return { protocol: "fastcgi" as const, address: peer.address };
}

/** Reads one request to the end of PARAMS; its id, BEGIN content and variables. */
async function readHead(wire: Wire) {
  const [begin, ...params] = await wire.readStream(PARAMS);
  const pairs = decodePairs(Buffer.concat(params.map(({ content }) => content)));
  return { id: begin!.id, begin: begin!.content, variables: Object.fromEntries(pairs), pairs };
}

/** Reads one request to the end of STDIN. */
async function readRequest(wire: Wire) {
  const head = await readHead(wire);
  const stdin = await wire.readStream(STDIN);
  return { ...head, body: Buffer.concat(stdin.map(({ content }) => content)) };
}

describe("a FastCGI request", () => {
  test("goes out as BEGIN_REQUEST, PARAMS and STDIN with their ends (FastCGI §5, §6.2)", async () => {
    let sent: Buffer = Buffer.alloc(0);
    const to = await listen(async (wire) => {
      sent = await wire.read(24);
      wire.write(F01);
      sent = Buffer.concat([sent, await wire.readToEnd()]);
    });
    const response = await request({ ...to, url: "/a?x=1" });
    expect([response.status, await response.text()]).toEqual([200, "hi"]);
    await peer!.close();
    expect(sent.subarray(0, 16)).toEqual(hex("01 01 00 01 00 08 00 00 00 01 00 00 00 00 00 00"));
    expect(sent.subarray(16, 20)).toEqual(hex("01 04 00 01"));
    // End of PARAMS, then the empty STDIN, and nothing behind it.
    expect(sent.subarray(-16)).toEqual(hex("01 04 00 01 00 00 00 00 01 05 00 01 00 00 00 00"));
    expect(sent[16 + 6]).toBe(0);
  });

  test("carries the variables of RFC 3875 §4.1", async () => {
    let pairs: [string, string][] = [];
    const to = await listen(async (wire) => {
      ({ pairs } = await readRequest(wire));
      wire.write(F01);
    });
    await request({
      ...to,
      method: "POST",
      url: "/caf%C3%A9/b%20c?q=%41&r",
      headers: [
        ["Host", "example.test:8182"],
        ["X-Dup", "1"],
        ["cookie", "a=1"],
        ["x-dup", "2"],
        ["Cookie", "b=2"],
        ["Content-Type", "text/x"],
      ],
      params: { REMOTE_USER: "bob", SERVER_SOFTWARE: undefined },
      body: "hello",
    });
    expect(Object.fromEntries(pairs)).toEqual({
      CONTENT_LENGTH: "5",
      CONTENT_TYPE: "text/x",
      REQUEST_METHOD: "POST",
      REQUEST_URI: "/caf%C3%A9/b%20c?q=%41&r",
      QUERY_STRING: "q=%41&r",
      SCRIPT_NAME: "",
      PATH_INFO: "/caf\u00c3\u00a9/b c",
      SERVER_PROTOCOL: "HTTP/1.1",
      GATEWAY_INTERFACE: "CGI/1.1",
      SERVER_NAME: "example.test",
      SERVER_PORT: "8182",
      REMOTE_ADDR: "127.0.0.1",
      REMOTE_USER: "bob",
      HTTP_HOST: "example.test:8182",
      HTTP_X_DUP: "1, 2",
      HTTP_COOKIE: "a=1; b=2",
    });
    expect(new Set(pairs.map(([name]) => name)).size).toBe(pairs.length);
  });

  test("writes lengths in one byte up to 127 and in four above (FastCGI §3.4)", async () => {
    let params: Buffer = Buffer.alloc(0);
    const to = await listen(async (wire) => {
      const records = await wire.readStream(PARAMS);
      params = Buffer.concat(records.slice(1).map(({ content }) => content));
      wire.write(F01);
    });
    const value = (length: number): string => "v".repeat(length);
    const lengths = [0, 127, 128, 65_535, 65_536, 200_000];
    const names = Object.fromEntries(lengths.map((length) => [`P${length}`, value(length)]));
    await request({ ...to, params: names });
    const decoded = Object.fromEntries(decodePairs(params));
    for (const length of lengths) expect(decoded[`P${length}`]?.length).toBe(length);
    const prefix = (name: string): string =>
      params.subarray(params.indexOf(name) - 5, params.indexOf(name)).toString("hex");
    expect(prefix("P127").endsWith("047f")).toBe(true);
    expect(prefix("P128v")).toBe("0480000080");
    expect(prefix("P65536")).toBe("0680010000");
  });

  test("sends bytes, text and streams as STDIN, a stream without CONTENT_LENGTH", async () => {
    const seen: [string | undefined, string][] = [];
    const to = await listen(async (wire) => {
      const { variables, body } = await readRequest(wire);
      seen.push([variables.CONTENT_LENGTH, body.toString()]);
      wire.write(F01);
    });
    const stream = async function* () {
      yield Buffer.from("one ");
      yield Buffer.alloc(0);
      yield Buffer.from("two");
    };
    await request({ ...to, method: "POST", body: Buffer.from("bytes") });
    await request({ ...to, method: "POST", body: "t\u00e9xt" });
    await request({ ...to, method: "POST", body: stream() });
    await request({ ...to, method: "POST", body: stream(), headers: { "content-length": "7" } });
    await request({ ...to, method: "POST" });
    await request({ ...to, method: "GET" });
    expect(seen).toEqual([
      ["5", "bytes"],
      ["5", "t\u00e9xt"],
      [undefined, "one two"],
      ["7", "one two"],
      ["0", ""],
      [undefined, ""],
    ]);
  });

  test("of an Authorizer has no STDIN and no length, path or script (FastCGI §6.3)", async () => {
    let head: Awaited<ReturnType<typeof readHead>> | undefined;
    let rest: Buffer | undefined;
    const to = await listen(async (wire) => {
      head = await readHead(wire);
      wire.write(
        hex(`01 06 00 01 00 2c 00 00 53 74 61 74 75 73 3a 20 32 30 30 20 4f 4b 0d 0a 56 61 72 69 61 62 6c 65
        2d 41 55 54 48 5f 4d 45 54 48 4f 44 3a 20 64 62 0d 0a 0d 0a 01 06 00 01 00 00 00 00 01 03 00 01
        00 08 00 00 00 00 00 00 00 00 00 00`),
      );
      rest = await wire.readToEnd();
    });
    const response = await request({ ...to, role: "authorizer", method: "POST" });
    expect(response.headers["variable-auth_method"]).toBe("db");
    await response.buffer();
    await peer!.close();
    expect(head!.begin).toEqual(hex("00 02 00 00 00 00 00 00"));
    const absent = ["CONTENT_LENGTH", "PATH_INFO", "SCRIPT_NAME"];
    expect(absent.filter((name) => name in head!.variables)).toEqual([]);
    expect(rest).toEqual(Buffer.alloc(0));
  });

  test("of a Filter sends the file as DATA after STDIN (FastCGI §6.4)", async () => {
    let data = "";
    let variables: Record<string, string> = {};
    const to = await listen(async (wire) => {
      ({ variables } = await readRequest(wire));
      const records = await wire.readStream(DATA);
      data = records.map(({ type, content }) => `${type}:${content}`).join(" ");
      wire.write(F01);
    });
    await request({
      ...to,
      role: "filter",
      data: "file",
      params: { FCGI_DATA_LAST_MOD: "1700000000" },
    });
    expect(data).toBe("8:file 8:");
    expect([variables.FCGI_DATA_LENGTH, variables.FCGI_DATA_LAST_MOD]).toEqual(["4", "1700000000"]);
  });
});

describe("a FastCGI answer", () => {
  test("is the same when it comes byte by byte, with STDERR and skipped records between", async () => {
    const strange = Buffer.concat([
      record(7, 1, "note\n"),
      record(99, 1, "unknown type"),
      record(6, 9, "unknown id"),
      record(11, 0, "\x20\0\0\0\0\0\0\0"),
    ]);
    const to = await listen(async (wire) => {
      await readRequest(wire);
      await wire.writeBytewise(Buffer.concat([strange, F01]));
    });
    const response = await request(to);
    expect(await response.text()).toBe("hi");
    expect(response.headers["content-type"]).toBe("text/plain");
    expect([response.stderr, response.appStatus, response.protocolStatus]).toEqual([
      "note\n",
      0,
      0,
    ]);
  });

  test("joins repeated headers but not Set-Cookie", async () => {
    const to = await listen(async (wire) => {
      await readRequest(wire);
      wire.write(
        record(6, 1, "Set-Cookie: a=1\r\nX-A: 1\r\nset-cookie: b=2\r\nX-A: 2\r\n\r\n"),
        end(1, 0, 7),
      );
    });
    const response = await request(to);
    await response.buffer();
    expect({ ...response.headers }).toEqual({ "set-cookie": ["a=1", "b=2"], "x-a": "1, 2" });
    expect(response.rawHeaders).toHaveLength(8);
    expect(response.appStatus).toBe(7);
  });

  test.each([
    ["ERR_CLIENT_EMPTY", end(1)],
    ["ERR_CLIENT_CANT_MPX", end(1, 1)],
    ["ERR_CLIENT_OVERLOADED", end(1, 2)],
    ["ERR_CLIENT_ROLE", end(1, 3)],
    ["ERR_CLIENT_RESPONSE", hex("00 06 00 01 00 00 00 00")],
    ["ERR_CLIENT_RESPONSE", record(6, 1, "no head\r\n\r\n")],
    ["ERR_CLIENT_RESPONSE", hex("01 03 00 01 00 04 00 00 00 00 00 00")],
  ])("fails with %s (%#)", async (code, bytes) => {
    const to = await listen(async (wire) => {
      await readRequest(wire);
      wire.write(bytes);
    });
    await expect(request(to)).rejects.toMatchObject({ name: "ClientError", code });
  });

  test("fails with ERR_CLIENT_CLOSED at EOF before END, but not when Content-Length is there", async () => {
    const to = await listen(async (wire, index) => {
      await readRequest(wire);
      const length = index === 0 ? 3 : 2;
      if (index < 2) wire.write(record(6, 1, `Content-Length: ${length}\r\n\r\nhi`));
      wire.end();
    });
    const short = await request(to);
    await expect(short.text()).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED", answered: true });
    expect(await (await request(to)).text()).toBe("hi");
    await expect(request(to)).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED", answered: false });
  });

  test("fails when its body and its Content-Length disagree", async () => {
    const to = await listen(async (wire, index) => {
      await readRequest(wire);
      const head = `Content-Length: ${index === 0 ? 3 : 1}\r\n\r\nhi`;
      wire.write(record(6, 1, head), end(1));
    });
    await expect((await request(to)).text()).rejects.toMatchObject({
      code: "ERR_CLIENT_TRUNCATED",
    });
    // The excess comes in the same record as the head, which is there already.
    await expect((await request(to)).text()).rejects.toMatchObject({ code: "ERR_CLIENT_RESPONSE" });
  });

  test("to HEAD and 304 may have a Content-Length without a body", async () => {
    const to = await listen(async (wire, index) => {
      await readRequest(wire);
      const status = index === 0 ? "200 OK" : "304 Not Modified";
      wire.write(record(6, 1, `Status: ${status}\r\nContent-Length: 99\r\n\r\n`), end(1));
    });
    expect(await (await request({ ...to, method: "HEAD" })).text()).toBe("");
    expect(await (await request(to)).text()).toBe("");
  });

  test("may come before the body is sent; the rest of it stays here", async () => {
    let stopped = false;
    const to = await listen(async (wire) => {
      await readHead(wire);
      await wire.readRecord();
      wire.write(record(6, 1, "Status: 413 Content Too Large\r\n\r\n"), record(6, 1), end(1));
      await wire.readToEnd();
    });
    const endless = async function* () {
      try {
        for (;;) yield Buffer.alloc(10_000);
      } finally {
        stopped = true;
      }
    };
    const response = await request({ ...to, method: "POST", body: endless() });
    expect([response.status, await response.text()]).toEqual([413, ""]);
    await expect.poll(() => stopped).toBe(true);
  });

  test("is not read on while nobody takes it, and arrives whole", async () => {
    const piece = Buffer.alloc(65_000, "x");
    let written = 0;
    const to = await listen(async (wire) => {
      await readRequest(wire);
      wire.write(record(6, 1, "A: b\r\n\r\n"));
      for (let i = 0; i < 300; i++) {
        if (!wire.socket.write(record(6, 1, piece))) {
          await new Promise((resolve) => wire.socket.once("drain", resolve));
        }
        written += piece.length;
      }
      wire.write(record(6, 1), end(1));
    });
    const response = await request(to);
    let held = -1;
    await expect
      .poll(
        () => {
          const same = held === written;
          held = written;
          return same;
        },
        { interval: 100 },
      )
      .toBe(true);
    expect(held).toBeLessThan(4_000_000);
    expect((await response.buffer()).length).toBe(300 * piece.length);
  });
});

describe("a kept FastCGI connection", () => {
  test("carries one request after the other with KEEP_CONN and id 1", async () => {
    const begins: string[] = [];
    const to = await listen(async (wire) => {
      for (;;) {
        const { id, begin } = await readRequest(wire);
        begins.push(`${id} ${begin.toString("hex")}`);
        wire.write(F02);
      }
    });
    const connection = new ClientConnection(to);
    const responses = await Promise.all([1, 2, 3].map(() => connection.request()));
    for (const response of responses) await response.buffer();
    expect(responses.map(({ status, reused }) => [status, reused])).toEqual([
      [204, false],
      [204, true],
      [204, true],
    ]);
    expect(begins).toEqual(Array(3).fill("1 0001010000000000"));
    expect(peer!.connectionCount).toBe(1);
    connection.close();
    await expect(connection.request()).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED" });
    // The script waits for a fourth request and meets the end.
    await expect(peer!.close()).rejects.toThrow("then the end");
    peer = undefined;
  });

  test("ends the body of a request that was answered early, and goes on", async () => {
    const bodies: string[] = [];
    const to = await listen(async (wire) => {
      await readHead(wire);
      await wire.readRecord();
      wire.write(answer(1, "early"));
      const rest = await wire.readStream(STDIN);
      bodies.push(`${rest.at(-1)!.content.length}`);
      await readRequest(wire);
      wire.write(answer(1, "next"));
    });
    const connection = new ClientConnection(to);
    const waiting = async function* () {
      yield Buffer.from("first");
      await new Promise(() => undefined);
    };
    const early = await connection.request({ method: "POST", body: waiting() });
    expect(await early.text()).toBe("early");
    expect(await (await connection.request()).text()).toBe("next");
    expect(bodies).toEqual(["0"]);
    connection.close();
  });

  test("tries an idempotent request again when the connection was closed under it, and no other", async () => {
    const to = await listen(async (wire, index) => {
      await readRequest(wire);
      wire.write(answer(1, `${index}`));
      // Gone by the time of the second request, as an application that restarts.
      await readHead(wire);
      wire.end();
    });
    const connection = new ClientConnection(to);
    expect(await (await connection.request()).text()).toBe("0");
    const again = await connection.request();
    expect([await again.text(), again.reused]).toEqual(["1", false]);
    await expect(connection.request({ method: "POST", body: "x" })).rejects.toMatchObject({
      code: "ERR_CLIENT_CLOSED",
      answered: false,
    });
    connection.close();
  });

  test("is aborted by ABORT_REQUEST and used again after END (FastCGI §5.4)", async () => {
    const types: number[] = [];
    const to = await listen(async (wire) => {
      await readHead(wire);
      types.push((await wire.readRecord()).type);
      types.push((await wire.readRecord()).type);
      // Late output of the aborted request, then the end of vector F10.
      wire.write(
        record(6, 1, "A: late\r\n\r\n"),
        hex("01 03 00 01 00 08 00 00 00 00 00 00 00 00 00 00"),
      );
      await readRequest(wire);
      wire.write(answer(1, "after"));
    });
    const connection = new ClientConnection(to);
    const controller = new AbortController();
    const body = async function* () {
      yield Buffer.from("he");
      controller.abort(new Error("changed my mind"));
      await new Promise(() => undefined);
    };
    const aborted = connection.request({ method: "POST", body: body(), signal: controller.signal });
    await expect(aborted).rejects.toThrow("changed my mind");
    expect(await (await connection.request()).text()).toBe("after");
    expect(types).toEqual([STDIN, 2]);
    expect(peer!.connectionCount).toBe(1);
    connection.close();
  });

  test("is given up when no END follows an ABORT_REQUEST", async () => {
    const to = await listen(async (wire, index) => {
      if (index === 0) return void (await wire.readToEnd());
      await readRequest(wire);
      wire.write(answer(1, "anew"));
    });
    const connection = new ClientConnection(to);
    await expect(connection.request({ signal: AbortSignal.timeout(50) })).rejects.toThrow(
      "timeout",
    );
    expect(await (await connection.request()).text()).toBe("anew");
    connection.close();
  });
});

describe("a private FastCGI connection", () => {
  test("is closed to abort its request", async () => {
    let rest: Buffer | undefined;
    const to = await listen(async (wire) => {
      await readRequest(wire);
      wire.write(record(6, 1, "A: b\r\n\r\nbegun"));
      rest = await wire.readToEnd();
    });
    const controller = new AbortController();
    const response = await request({ ...to, signal: controller.signal });
    const reading = response.text();
    controller.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
    await expect.poll(() => rest).toEqual(Buffer.alloc(0));
  });

  test("is closed when the caller leaves the body", async () => {
    let closed = false;
    const to = await listen(async (wire) => {
      await readRequest(wire);
      wire.write(record(6, 1, "A: b\r\n\r\nbegun"));
      await wire.readToEnd();
      closed = true;
    });
    const response = await request(to);
    for await (const piece of response.body) {
      expect(Buffer.from(piece).toString()).toBe("begun");
      break;
    }
    await expect.poll(() => closed).toBe(true);
  });
});

describe("management and multiplexing", () => {
  test("GET_VALUES brings the values that are known (FastCGI §4.1)", async () => {
    let asked: Buffer = Buffer.alloc(0);
    const to = await listen(async (wire) => {
      asked = await wire.read(56);
      await wire.writeBytewise(F07);
    });
    const connection = new ClientConnection(to);
    const values = await connection.getValues();
    expect(values).toEqual({
      FCGI_MAX_CONNS: "64",
      FCGI_MAX_REQS: "1024",
      FCGI_MPXS_CONNS: "1",
    });
    expect(asked.subarray(0, 8)).toEqual(hex("01 09 00 00 00 30 00 00"));
    connection.close();
  });

  test("GET_VALUES fails on UNKNOWN_TYPE, silence and another protocol", async () => {
    const to = await listen(async (wire, index) => {
      await wire.readRecord();
      if (index === 0) wire.write(F08);
    });
    const unknown = new ClientConnection(to);
    await expect(unknown.getValues()).rejects.toMatchObject({ code: "ERR_CLIENT_RESPONSE" });
    const silent = new ClientConnection(to);
    await expect(silent.getValues(undefined, 30)).rejects.toMatchObject({
      code: "ERR_CLIENT_TIMEOUT",
    });
    const scgi = new ClientConnection({ ...to, protocol: "scgi" });
    await expect(scgi.getValues()).rejects.toThrow("fastcgi only");
    unknown.close();
    silent.close();
  });

  test("several requests share a connection, answered in any order and mixed (vector F09)", async () => {
    const to = await listen(async (wire) => {
      await wire.readRecord();
      wire.write(F07);
      const urls: Record<string, number> = {};
      for (let i = 0; i < 3; i++) {
        const { id, variables } = await readHead(wire);
        urls[variables.REQUEST_URI!] = id;
        if (variables.REQUEST_METHOD === "GET") await wire.readRecord();
      }
      expect(Object.values(urls).sort()).toEqual([1, 2, 3]);
      wire.write(answer(urls["/c"]!, "see"), record(6, urls["/a"]!, "A: b\r\n"));
      wire.write(record(7, urls["/a"]!, "note\n"), answer(urls["/b"]!, "bee"));
      // The body of /a goes on while the others are over.
      let body = "";
      for (;;) {
        const { id, content } = await wire.readRecord();
        expect(id).toBe(urls["/a"]);
        if (content.length === 0) break;
        body += content;
      }
      wire.write(record(6, urls["/a"]!, `\r\n${body}`), end(urls["/a"]!));
    });
    const connection = new ClientConnection({ ...to, multiplex: true });
    let release: () => void = () => undefined;
    const others = new Promise<void>((resolve) => {
      release = resolve;
    });
    const body = async function* () {
      yield Buffer.from("hel");
      await others;
      yield Buffer.from("lo");
    };
    const a = connection.request({ url: "/a", method: "POST", body: body() });
    const b = connection.request({ url: "/b" });
    const c = connection.request({ url: "/c" });
    expect([await (await c).text(), await (await b).text()]).toEqual(["see", "bee"]);
    expect(connection.active).toBe(1);
    release();
    const late = await a;
    expect([await late.text(), late.stderr]).toEqual(["hello", "note\n"]);
    expect(peer!.connectionCount).toBe(1);
    connection.close();
  });

  test("an application that does not multiplex gets one request at a time", async () => {
    const to = await listen(async (wire) => {
      await wire.readRecord();
      wire.write(record(10, 0, "\x0f\x01FCGI_MPXS_CONNS0"));
      for (const text of ["one", "two"]) {
        await readRequest(wire);
        // The second must not be here before the first is answered.
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(wire.socket.readableLength).toBe(0);
        wire.write(answer(1, text));
      }
    });
    const connection = new ClientConnection({ ...to, multiplex: true });
    const texts = [connection.request(), connection.request()].map(async (r) => (await r).text());
    expect(await Promise.all(texts)).toEqual(["one", "two"]);
    connection.close();
  });

  test("a refused second request leaves the first alone (vector F11)", async () => {
    const to = await listen(async (wire) => {
      await readRequest(wire);
      await readRequest(wire);
      wire.write(hex("01 03 00 02 00 08 00 00 00 00 00 00 01 00 00 00"), answer(1, "first"));
    });
    const connection = new ClientConnection({ ...to, multiplex: "force" });
    const first = connection.request();
    await expect(connection.request()).rejects.toMatchObject({ code: "ERR_CLIENT_CANT_MPX" });
    expect(await (await first).text()).toBe("first");
    connection.close();
  });

  test("an abort on a shared connection leaves the others alone", async () => {
    const to = await listen(async (wire) => {
      const ids: Record<string, number> = {};
      for (let i = 0; i < 2; i++) {
        const { id, variables } = await readRequest(wire);
        ids[variables.REQUEST_URI!] = id;
      }
      const { type, id } = await wire.readRecord();
      expect([type, id]).toEqual([2, ids["/first"]]);
      wire.write(end(id), answer(ids["/second"]!, "second"));
    });
    const connection = new ClientConnection({ ...to, multiplex: "force" });
    const controller = new AbortController();
    const first = connection.request({ url: "/first", signal: controller.signal });
    const second = connection.request({ url: "/second" });
    await expect.poll(() => connection.active).toBe(2);
    controller.abort(new Error("only this one"));
    await expect(first).rejects.toThrow("only this one");
    expect(await (await second).text()).toBe("second");
    connection.close();
  });
});

describe("an upgrade over FastCGI (vector F16)", () => {
  test("holds STDIN open until the 101, then carries bytes both ways", async () => {
    let up = "";
    const to = await listen(async (wire) => {
      const { variables } = await readHead(wire);
      expect(variables.HTTP_UPGRADE).toBe("websocket");
      wire.write(
        hex(`01 06 00 01 00 37 00 00 53 74 61 74 75 73 3a 20 31 30 31 20 53 77 69 74 63 68 69 6e 67 20 50 72
        6f 74 6f 63 6f 6c 73 0d 0a 55 70 67 72 61 64 65 3a 20 77 65 62 73 6f 63 6b 65 74 0d 0a 0d 0a`),
      );
      up = (await wire.readRecord()).content.toString("hex");
      wire.write(hex("01 06 00 01 00 04 00 00 81 02 6f 6b 01 06 00 01 00 00 00 00"), end(1));
    });
    const frames = async function* () {
      yield hex("81 82 37 fa 21 3d 5f 93");
    };
    const headers = { Upgrade: "websocket", Connection: "Upgrade" };
    const response = await request({ ...to, headers, upgrade: frames() });
    expect(response.status).toBe(101);
    expect(await response.buffer()).toEqual(hex("81 02 6f 6b"));
    expect(up).toBe("818237fa213d5f93");
  });

  test("ends STDIN when it is refused", async () => {
    const to = await listen(async (wire) => {
      await readHead(wire);
      wire.write(record(6, 1, "Status: 426 Upgrade Required\r\n\r\n"));
      expect(await wire.readRecord()).toMatchObject({ type: STDIN, content: Buffer.alloc(0) });
      wire.write(record(6, 1), end(1));
    });
    const frames = async function* () {
      yield Buffer.from("never sent");
    };
    const response = await request({ ...to, upgrade: frames() });
    expect([response.status, await response.text()]).toEqual([426, ""]);
  });
});
