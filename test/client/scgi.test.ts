/** The SCGI client against scripted applications; answers are the `<` sides of the test vectors. */
import { afterEach, describe, expect, test } from "vitest";
import { ClientConnection, request } from "../../src/client/client.ts";
import { hex, listenScripted, type ScriptedPeer, type Wire } from "../support/scripted-peer.ts";

/** Vector S01: head and body; the end of the connection is the end. */
const S01 =
  hex(`53 74 61 74 75 73 3a 20 32 30 30 20 4f 4b 0d 0a 43 6f 6e 74 65 6e 74 2d 54 79 70 65 3a 20 74 65
  78 74 2f 70 6c 61 69 6e 0d 0a 0d 0a 34 32`);

let peer: ScriptedPeer | undefined;
afterEach(async () => {
  await peer?.close();
  peer = undefined;
});

async function listen(script: (wire: Wire, index: number) => Promise<void>, transport?: "tcp") {
  peer = await listenScripted(script, transport);
  return { protocol: "scgi" as const, address: peer.address };
}

/** Reads a head: names and values in order. */
async function readPairs(wire: Wire): Promise<string[][]> {
  const parts = (await wire.readNetstring()).toString("latin1").split("\0");
  expect(parts.pop()).toBe("");
  return parts.flatMap((name, i) => (i % 2 === 0 ? [[name, parts[i + 1]!]] : []));
}

describe("an SCGI request", () => {
  test("is a netstring with CONTENT_LENGTH first, SCGI second, no name twice, then the body", async () => {
    let pairs: string[][] = [];
    let body = "";
    const to = await listen(async (wire) => {
      pairs = await readPairs(wire);
      body = (await wire.read(27)).toString();
      wire.write(S01);
      wire.end();
    });
    const response = await request({
      ...to,
      method: "POST",
      url: "/deepthought",
      headers: [
        ["X-A", "1"],
        ["X-A", "2"],
      ],
      body: "What is the answer to life?",
    });
    expect([response.status, await response.text()]).toEqual([200, "42"]);
    expect(pairs.slice(0, 4)).toEqual([
      ["CONTENT_LENGTH", "27"],
      ["SCGI", "1"],
      ["REQUEST_METHOD", "POST"],
      ["REQUEST_URI", "/deepthought"],
    ]);
    expect(pairs).toContainEqual(["HTTP_X_A", "1, 2"]);
    expect(new Set(pairs.map(([name]) => name)).size).toBe(pairs.length);
    expect(body).toBe("What is the answer to life?");
  });

  test("has length 0 without a body, and the real one for a stream, which is collected", async () => {
    const lengths: (string | undefined)[] = [];
    const to = await listen(async (wire) => {
      const [first] = await readPairs(wire);
      lengths.push(first![1]);
      await wire.read(Number(first![1]));
      wire.write(S01);
      wire.end();
    });
    const stream = async function* () {
      yield Buffer.from("one ");
      yield Buffer.from("two");
    };
    await (await request(to)).buffer();
    await (await request({ ...to, method: "POST", body: stream() })).buffer();
    await (await request({ ...to, body: stream(), headers: { "Content-Length": "7" } })).buffer();
    expect(lengths).toEqual(["0", "7", "7"]);
  });

  test("does not half-close, which several applications take for an abort", async () => {
    const to = await listen(async (wire) => {
      await readPairs(wire);
      let ended = false;
      wire.socket.on("end", () => {
        ended = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(ended).toBe(false);
      wire.write(S01);
      wire.end();
    });
    expect(await (await request(to)).text()).toBe("42");
  });
});

describe("an SCGI answer", () => {
  test("is the same byte by byte", async () => {
    const to = await listen(async (wire) => {
      await readPairs(wire);
      await wire.writeBytewise(S01);
      wire.end();
    });
    const response = await request(to);
    expect(await response.text()).toBe("42");
    expect([response.appStatus, response.reused]).toEqual([undefined, false]);
  });

  test("ends with its Content-Length, though the connection stays open", async () => {
    const to = await listen(async (wire) => {
      await readPairs(wire);
      wire.write("Content-Length: 2\r\n\r\nok");
      await wire.readToEnd();
    });
    expect(await (await request(to)).text()).toBe("ok");
  });

  test("that is cut by a FIN is told from a whole one only by its Content-Length", async () => {
    const to = await listen(async (wire, index) => {
      await readPairs(wire);
      wire.write(index === 0 ? "Content-Length: 9\r\n\r\npart" : "A: b\r\n\r\npart");
      wire.end();
    });
    await expect((await request(to)).text()).rejects.toMatchObject({
      code: "ERR_CLIENT_TRUNCATED",
    });
    expect(await (await request(to)).text()).toBe("part");
  });

  test("that is cut by a reset is an error", async () => {
    const to = await listen(async (wire) => {
      await readPairs(wire);
      wire.write("A: b\r\n\r\npart");
      await new Promise((resolve) => setTimeout(resolve, 50));
      wire.reset();
    }, "tcp");
    const response = await request(to);
    await expect(response.text()).rejects.toMatchObject({
      code: "ERR_CLIENT_CLOSED",
      answered: true,
    });
  });

  test.each([
    ["ERR_CLIENT_CLOSED", false, ""],
    ["ERR_CLIENT_CLOSED", true, "Status: 200 OK\r\nX"],
    ["ERR_CLIENT_RESPONSE", true, "nothing of the kind\n\n"],
  ])("without a head fails with %s, answered %s", async (code, answered, text) => {
    const to = await listen(async (wire) => {
      await readPairs(wire);
      wire.write(text);
      wire.end();
    });
    await expect(request(to)).rejects.toMatchObject({ code, answered });
  });

  test("may come before the body is sent", async () => {
    const to = await listen(async (wire) => {
      await readPairs(wire);
      wire.write("Status: 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
      await wire.readToEnd();
    });
    let stopped = false;
    const endless = async function* () {
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        stopped = true;
      }
    };
    const headers = { "Content-Length": "1000000000000" };
    const response = await request({ ...to, method: "PUT", body: endless(), headers });
    expect([response.status, await response.text()]).toEqual([413, ""]);
    await expect.poll(() => stopped).toBe(true);
  });

  test("of 101 makes the connection carry bytes both ways (vector S13)", async () => {
    let up = "";
    const to = await listen(async (wire) => {
      await readPairs(wire);
      wire.write(
        hex(`53 74 61 74 75 73 3a 20 31 30 31 20 53 77 69 74 63 68 69 6e 67 20 50 72 6f 74 6f 63 6f 6c 73 0d
        0a 55 70 67 72 61 64 65 3a 20 77 65 62 73 6f 63 6b 65 74 0d 0a 43 6f 6e 6e 65 63 74 69 6f 6e 3a
        20 55 70 67 72 61 64 65 0d 0a 0d 0a`),
      );
      up = (await wire.read(4)).toString();
      wire.write(hex("81 02 6f 6b"));
      wire.end();
    });
    const frames = async function* () {
      yield Buffer.from("ping");
    };
    const response = await request({ ...to, headers: { Upgrade: "websocket" }, upgrade: frames() });
    expect(response.status).toBe(101);
    expect(await response.buffer()).toEqual(hex("81 02 6f 6b"));
    expect(up).toBe("ping");
  });
});

describe("an SCGI connection object", () => {
  test("opens one connection a request, several at once, and destroys them together", async () => {
    const to = await listen(async (wire, index) => {
      await readPairs(wire);
      if (index >= 2) return void (await wire.readToEnd());
      wire.write(S01);
      wire.end();
    });
    const connection = new ClientConnection(to);
    const texts = [1, 2].map(async () => (await connection.request()).text());
    expect(await Promise.all(texts)).toEqual(["42", "42"]);
    const third = connection.request();
    await expect.poll(() => peer!.connectionCount).toBe(3);
    connection.destroy(new Error("enough"));
    await expect(third).rejects.toThrow("enough");
  });

  test("closes the connection of a request that is aborted", async () => {
    let closed = false;
    const to = await listen(async (wire) => {
      await readPairs(wire);
      await wire.readToEnd();
      closed = true;
    });
    await expect(request({ ...to, signal: AbortSignal.timeout(30) })).rejects.toThrow("timeout");
    await expect.poll(() => closed).toBe(true);
  });
});
