/** The AJP client against scripted applications; answers are the `<` sides of the test vectors. */
import { afterEach, describe, expect, test } from "vitest";
import { ClientConnection, request } from "../../src/client/client.ts";
import { hex, listenScripted, type ScriptedPeer, type Wire } from "../support/scripted-peer.ts";

/** Vector A01: Send Headers, Send Body Chunk, End Response with reuse. */
const A01 =
  hex(`41 42 00 1f 04 00 c8 00 02 4f 4b 00 00 02 a0 01 00 0a 74 65 78 74 2f 70 6c 61 69 6e 00 a0 03 00
  01 32 00 41 42 00 06 03 00 02 68 69 00 41 42 00 02 05 01`);
/** Vectors A02 and A04: 200, and the end. */
const OK = hex("41 42 00 0a 04 00 c8 00 02 4f 4b 00 00 00 41 42 00 02 05 01");
const NO_REUSE = hex("41 42 00 0a 04 00 c8 00 02 4f 4b 00 00 00 41 42 00 02 05 00");
const GET_BODY = hex("41 42 00 03 06 1f fa");
const CPONG = hex("41 42 00 01 09");

let peer: ScriptedPeer | undefined;
afterEach(async () => {
  await peer?.close();
  peer = undefined;
});

async function listen(script: (wire: Wire, index: number) => Promise<void>) {
  peer = await listenScripted(script);
  return { protocol: "ajp" as const, address: peer.address };
}

/** Reads the strings and codes of a Forward Request, by the specification and not by the client's own tables. */
function decodeForward(payload: Buffer) {
  let at = 0;
  const byte = (): number => payload[at++]!;
  const u16 = (): number => byte() * 256 + byte();
  const text = (length = u16()): string | null => {
    if (length === 0xffff) return null;
    const value = payload.toString("latin1", at, at + length);
    at += length;
    expect(byte()).toBe(0);
    return value;
  };
  expect(byte()).toBe(2);
  const method = byte();
  const [protocol, uri, address, host, server] = [text(), text(), text(), text(), text()];
  const [port, tls] = [u16(), byte()];
  const headers = [];
  for (let count = u16(); count > 0; count--) {
    const code = u16();
    headers.push([code >> 8 === 0xa0 ? code.toString(16) : text(code), text()]);
  }
  const attributes = [];
  for (let code = byte(); code !== 0xff; code = byte()) {
    if (code === 0x0a) attributes.push([code, text(), text()]);
    else if (code === 0x0b) attributes.push([code, u16()]);
    else attributes.push([code, text()]);
  }
  expect(at).toBe(payload.length);
  return { method, protocol, uri, address, host, server, port, tls, headers, attributes };
}

describe("an AJP request", () => {
  test("is a Forward Request as Apache writes it (vector A01)", async () => {
    let packet: Buffer = Buffer.alloc(0);
    const to = await listen(async (wire) => {
      packet = await wire.readPacket();
      wire.write(A01);
    });
    const response = await request({
      ...to,
      url: "/a/a%20b?q=1&r=%41",
      secret: "s3cret",
      headers: [
        ["Host", "Example.test:8182"],
        ["X-Dup", "1, 2"],
        ["Cookie", "a=1, b=2"],
        ["X-Seven", ""],
      ],
      params: { REMOTE_PORT: "59124", SERVER_ADDR: "127.0.0.1", SERVER_NAME: "example.test" },
    });
    expect([response.status, await response.text()]).toEqual([200, "hi"]);
    expect({ ...response.headers }).toEqual({
      "content-type": "text/plain",
      "content-length": "2",
    });
    expect(decodeForward(packet)).toEqual({
      method: 2,
      protocol: "HTTP/1.1",
      uri: "/a/a%20b",
      address: "127.0.0.1",
      host: null,
      server: "example.test",
      port: 8182,
      tls: 0,
      headers: [
        ["a00b", "Example.test:8182"],
        ["X-Dup", "1, 2"],
        ["a009", "a=1, b=2"],
        ["X-Seven", ""],
      ],
      attributes: [
        [0x0c, "s3cret"],
        [0x05, "q=1&r=%41"],
        [0x0a, "AJP_REMOTE_PORT", "59124"],
        [0x0a, "AJP_LOCAL_ADDR", "127.0.0.1"],
      ],
    });
  });

  test("stores a method without a code, and carries user, TLS and attributes (vectors A05, A09)", async () => {
    let packet: Buffer = Buffer.alloc(0);
    const to = await listen(async (wire) => {
      packet = await wire.readPacket();
      wire.write(OK);
    });
    await request({
      ...to,
      method: "PATCH",
      params: {
        HTTPS: "on",
        REMOTE_USER: "bob",
        AUTH_TYPE: "Basic",
        JVM_ROUTE: "node1",
        SSL_CIPHER: "TLS_AES_128_GCM_SHA256",
        SSL_SESSION_ID: "ab12",
        SSL_PROTOCOL: "TLSv1.3",
        SSL_CIPHER_USEKEYSIZE: "128",
        REMOTE_HOST: "host.test",
      },
      attributes: { mine: "yes" },
    });
    expect(decodeForward(packet)).toMatchObject({
      method: 255,
      tls: 1,
      host: "host.test",
      headers: [["a008", "0"]],
      attributes: [
        [0x03, "bob"],
        [0x04, "Basic"],
        [0x06, "node1"],
        [0x08, "TLS_AES_128_GCM_SHA256"],
        [0x09, "ab12"],
        [0x0a, "AJP_SSL_PROTOCOL", "TLSv1.3"],
        [0x0b, 128],
        [0x0a, "mine", "yes"],
        [0x0d, "PATCH"],
      ],
    });
  });

  test("with a param that AJP has no place for, or too large for a packet, is a UsageError", async () => {
    const to = await listen(async (wire) => void (await wire.readToEnd()));
    await expect(request({ ...to, params: { SCRIPT_NAME: "/x" } })).rejects.toThrow(
      "AJP has no place for the param SCRIPT_NAME; use attributes.",
    );
    const headers = { "X-Long": "x".repeat(9_000) };
    await expect(request({ ...to, headers })).rejects.toThrow("more than packetSize 8192");
  });

  test("takes larger packets where both sides agree on them", async () => {
    const to = await listen(async (wire) => {
      const packet = await wire.readPacket();
      expect(packet.length).toBeGreaterThan(60_000);
      wire.write(hex("41 42 ff fc 04 00 c8 00 02 4f 4b 00 00 01 00 01 58 00 ff eb 61*65515 00"));
      wire.write(hex("41 42 ff fc 03 ff f8 62*65528 00 41 42 00 02 05 01"));
    });
    const headers = { "X-Long": "x".repeat(60_000) };
    const response = await request({ ...to, packetSize: 65_536, headers });
    expect(response.headers.x).toHaveLength(65_515);
    expect(await response.buffer()).toHaveLength(65_528);
  });
});

describe("an AJP body", () => {
  test("of known length: the first packet unasked, the rest when asked (vectors A02, A03)", async () => {
    const lengths: number[] = [];
    const to = await listen(async (wire) => {
      await wire.readPacket();
      for (const ask of [true, true, false]) {
        const packet = await wire.readPacket();
        expect(packet.readUInt16BE(0)).toBe(packet.length - 2);
        lengths.push(packet.length - 2);
        if (ask) wire.write(GET_BODY);
      }
      wire.write(
        hex("41 42 00 12 04 00 cc 00 0a 4e 6f 20 43 6f 6e 74 65 6e 74 00 00 00 41 42 00 02 05 01"),
      );
    });
    const response = await request({ ...to, method: "POST", body: Buffer.alloc(20_000, "a") });
    expect([response.status, response.reason]).toEqual([204, "No Content"]);
    expect(lengths).toEqual([8186, 8186, 3628]);
  });

  test("of unknown length: nothing unasked, an end marker at the end (vector A04)", async () => {
    const packets: string[] = [];
    const to = await listen(async (wire) => {
      const forward = decodeForward(await wire.readPacket());
      expect(forward.headers).toEqual([["Transfer-Encoding", "chunked"]]);
      for (let i = 0; i < 3; i++) {
        wire.write(GET_BODY);
        packets.push((await wire.readPacket()).toString("hex"));
      }
      wire.write(OK);
    });
    const stream = async function* () {
      yield Buffer.from("hel");
      yield Buffer.from("lo");
    };
    await request({ ...to, method: "POST", body: stream() });
    expect(packets).toEqual(["000368656c", "00026c6f", "0000"]);
  });

  test("is sent in packets no larger than asked for", async () => {
    const packets: string[] = [];
    const to = await listen(async (wire) => {
      await wire.readPacket();
      packets.push((await wire.readPacket()).subarray(2).toString());
      for (const wanted of [1, 3, 100, 100]) {
        wire.write(Buffer.from([0x41, 0x42, 0, 3, 6, 0, wanted]));
        packets.push((await wire.readPacket()).subarray(2).toString());
      }
      wire.write(OK);
    });
    const stream = async function* () {
      yield Buffer.from("first");
      yield Buffer.from("second");
    };
    const headers = { "Content-Length": "11" };
    await request({ ...to, method: "POST", headers, body: stream() });
    expect(packets).toEqual(["first", "s", "eco", "nd", ""]);
  });

  test("is raw with rawBody, and an empty packet follows where there is none (vectors A13, A14)", async () => {
    const sent: Buffer[] = [];
    const to = await listen(async (wire) => {
      await wire.readPacket();
      sent.push(await wire.readPacket());
      wire.write(NO_REUSE);
    });
    await request({ ...to, rawBody: true, method: "POST", body: "hello" });
    await request({ ...to, rawBody: true });
    expect(sent.map(String)).toEqual(["hello", ""]);
  });

  test("that is shorter or longer than its Content-Length ends the connection with a UsageError", async () => {
    const to = await listen(async (wire) => {
      await wire.readPacket();
      await wire.readPacket();
      wire.write(GET_BODY);
      await wire.readToEnd();
    });
    const stream = async function* () {
      yield Buffer.from("hello");
    };
    for (const [length, word] of [
      ["6", "only 5 bytes"],
      ["4", "more bytes"],
    ]) {
      const headers = { "Content-Length": length! };
      const sent = request({ ...to, method: "POST", headers, body: stream() });
      await expect(sent).rejects.toThrow(`Content-Length is ${length}, but the body has ${word}`);
    }
    await peer!.close().catch(() => undefined);
    peer = undefined;
  });
});

describe("an AJP answer", () => {
  test("is the same byte by byte", async () => {
    const to = await listen(async (wire) => {
      await wire.readPacket();
      await wire.writeBytewise(A01);
    });
    expect(await (await request(to)).text()).toBe("hi");
  });

  test("has repeated headers, several chunks and flushes (vector A15)", async () => {
    const to = await listen(async (wire) => {
      await wire.readPacket();
      wire.write(
        hex(`41 42 00 34 04 00 c8 00 02 4f 4b 00 00 04 a0 01 00 09 74 65 78 74 2f 68 74 6d 6c 00 a0 07 00 03 61 3d 31 00
          a0 07 00 03 62 3d 32 00 00 05 58 2d 41 6e 79 00 00 01 76 00`),
        hex("41 42 00 07 03 00 03 6f 6e 65 00"),
        hex("41 42 00 04 03 00 00 00"),
        hex("41 42 00 07 03 00 03 74 77 6f 00 41 42 00 02 05 01"),
      );
    });
    const response = await request(to);
    expect(await response.text()).toBe("onetwo");
    expect(response.flushCount).toBe(1);
    expect({ ...response.headers }).toEqual({
      "content-type": "text/html",
      "set-cookie": ["a=1", "b=2"],
      "x-any": "v",
    });
  });

  test("may fill a packet, and lack the NUL behind a chunk (vectors A16, A17)", async () => {
    const head = OK.subarray(0, 14);
    const to = await listen(async (wire, index) => {
      await wire.readPacket();
      const chunk = index === 0 ? "41 42 1f fc 03 1f f8 61*8184 00" : "41 42 00 05 03 00 02 68 69";
      wire.write(head, hex(chunk), hex("41 42 00 02 05 01"));
    });
    expect(await (await request(to)).buffer()).toHaveLength(8184);
    expect(await (await request(to)).text()).toBe("hi");
  });

  test("403 and End Response without reuse is an answer like others (vector A12)", async () => {
    const to = await listen(async (wire) => {
      await wire.readPacket();
      wire.write(
        hex("41 42 00 11 04 01 93 00 09 46 6f 72 62 69 64 64 65 6e 00 00 00 41 42 00 02 05 00"),
      );
    });
    const response = await request(to);
    expect([response.status, response.reason, await response.text()]).toEqual([
      403,
      "Forbidden",
      "",
    ]);
  });

  test.each([
    ["another magic", "12 34 00 02 05 01"],
    ["a packet over the size", "41 42 1f fd"],
    ["an unknown type", "41 42 00 01 20"],
    ["an unasked CPONG", "41 42 00 01 09"],
    ["a chunk before the head", "41 42 00 06 03 00 02 68 69 00"],
    [
      "a chunk longer than its packet",
      "41 42 00 0a 04 00 c8 00 02 4f 4b 00 00 00 41 42 00 04 03 00 02 68",
    ],
    [
      "headers twice",
      "41 42 00 0a 04 00 c8 00 02 4f 4b 00 00 00 41 42 00 0a 04 00 c8 00 02 4f 4b 00 00 00",
    ],
    ["headers cut off", "41 42 00 0a 04 00 c8 00 02 4f 4b 00 00 01"],
    ["an unknown header code", "41 42 00 0f 04 00 c8 00 02 4f 4b 00 00 01 a0 0c 00 00 00"],
    ["an empty payload", "41 42 00 00"],
  ])("with %s is ERR_CLIENT_RESPONSE", async (_, bytes) => {
    const to = await listen(async (wire) => {
      await wire.readPacket();
      wire.write(hex(bytes));
    });
    const text = request(to).then((response) => response.text());
    await expect(text).rejects.toMatchObject({ code: "ERR_CLIENT_RESPONSE" });
  });

  test("without a head is ERR_CLIENT_EMPTY, without an end ERR_CLIENT_CLOSED", async () => {
    const to = await listen(async (wire, index) => {
      await wire.readPacket();
      if (index === 0) wire.write(hex("41 42 00 02 05 01"));
      else wire.write(A01.subarray(0, -6));
      wire.end();
    });
    await expect(request(to)).rejects.toMatchObject({ code: "ERR_CLIENT_EMPTY" });
    // Content-Length is satisfied, yet the end is what says that nothing went wrong.
    await expect((await request(to)).text()).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED" });
  });
});

describe("a kept AJP connection", () => {
  test("is used again after reuse 1, and not after reuse 0", async () => {
    const to = await listen(async (wire, index) => {
      await wire.readPacket();
      wire.write(OK);
      if (index === 1) return;
      await wire.readPacket();
      wire.write(NO_REUSE);
    });
    const connection = new ClientConnection(to);
    const reused = [];
    for (let i = 0; i < 3; i++) {
      const response = await connection.request();
      await response.buffer();
      reused.push(response.reused);
    }
    expect(reused).toEqual([false, true, false]);
    expect(peer!.connectionCount).toBe(2);
    connection.close();
  });

  test("is not used again while a body packet is owed", async () => {
    const to = await listen(async (wire) => {
      await wire.readPacket();
      // Asks, and answers without waiting: what comes would be taken for the next request.
      wire.write(GET_BODY, OK);
    });
    const connection = new ClientConnection(to);
    const body = async function* () {
      await new Promise(() => undefined);
      yield Buffer.alloc(0);
    };
    await (await connection.request({ method: "POST", body: body() })).buffer();
    expect(connection.open).toBe(false);
    connection.close();
  });

  test("answers CPING with CPONG, between requests (vector A06)", async () => {
    const to = await listen(async (wire, index) => {
      if (index > 0) return void (await wire.readToEnd());
      expect(await wire.read(5)).toEqual(hex("12 34 00 01 0a"));
      wire.write(CPONG);
      await wire.readPacket();
      wire.write(OK);
    });
    const connection = new ClientConnection(to);
    await connection.ping();
    const response = await connection.request();
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(peer!.connectionCount).toBe(1);
    connection.close();
    const silent = new ClientConnection(to);
    await expect(silent.ping(30)).rejects.toMatchObject({ code: "ERR_CLIENT_TIMEOUT" });
    await expect(new ClientConnection({ ...to, protocol: "fastcgi" }).ping()).rejects.toThrow(
      "ajp only",
    );
    silent.close();
  });

  test("is closed to abort a request", async () => {
    let closed = false;
    const to = await listen(async (wire) => {
      await wire.readPacket();
      await wire.readToEnd();
      closed = true;
    });
    const connection = new ClientConnection(to);
    const aborted = connection.request({ signal: AbortSignal.timeout(30) });
    await expect(aborted).rejects.toThrow("timeout");
    await expect.poll(() => closed).toBe(true);
    expect(connection.open).toBe(false);
    connection.close();
  });
});
