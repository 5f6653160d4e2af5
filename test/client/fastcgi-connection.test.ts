/**
 * A FastCGI connection's life: kept for the next request (KEEP_CONN), aborted (§5.4), tried again, or private and closed.
 * Requests here come one after the other; several at once are in fastcgi-multiplex.test.ts.
 */
import { describe, expect, test } from "vitest";
import { ClientConnection, request } from "../../src/client/client.ts";
import { answer, readHead, readRequest, record, STDIN } from "../support/fastcgi-application.ts";
import { scriptedApplication } from "../support/scripted-application.ts";
import { hex } from "../support/scripted-peer.ts";

/** Vector F02: 204, padded. */
const F02 =
  hex(`01 06 00 01 00 1a 06 00 53 74 61 74 75 73 3a 20 32 30 34 20 4e 6f 20 43 6f 6e 74 65 6e 74 0d 0a
  0d 0a 00 00 00 00 00 00 01 06 00 01 00 00 00 00 01 03 00 01 00 08 00 00 00 00 00 00 00 00 00 00`);

const application = scriptedApplication("fastcgi");

describe("a kept FastCGI connection", () => {
  test("carries one request after the other with KEEP_CONN and id 1", async () => {
    const begins: string[] = [];
    const to = await application.listen(async (wire) => {
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
    expect(application.connectionCount).toBe(1);
    connection.close();
    await expect(connection.request()).rejects.toMatchObject({ code: "ERR_CLIENT_CLOSED" });
    // The script waits for a fourth request and meets the end.
    await expect(application.close()).rejects.toThrow("then the end");
  });

  test("ends the body of a request that was answered early, and goes on", async () => {
    const bodies: string[] = [];
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire, index) => {
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
    const to = await application.listen(async (wire) => {
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
    expect(application.connectionCount).toBe(1);
    connection.close();
  });

  test("is given up when no END follows an ABORT_REQUEST", async () => {
    const to = await application.listen(async (wire, index) => {
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
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire) => {
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
