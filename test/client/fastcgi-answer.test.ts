/**
 * Records of a scripted FastCGI application → a response, or an error of the client that says what was wrong.
 * One request on a connection of its own; kept ones are in fastcgi-connection.test.ts.
 */
import { describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { end, F01, readHead, readRequest, record } from "../support/fastcgi-application.ts";
import { scriptedApplication } from "../support/scripted-application.ts";
import { hex } from "../support/scripted-peer.ts";

const application = scriptedApplication("fastcgi");

describe("a FastCGI answer", () => {
  test("is the same when it comes byte by byte, with STDERR and skipped records between", async () => {
    const strange = Buffer.concat([
      record(7, 1, "note\n"),
      record(99, 1, "unknown type"),
      record(6, 9, "unknown id"),
      record(11, 0, "\x20\0\0\0\0\0\0\0"),
    ]);
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire) => {
      await readRequest(wire);
      wire.write(bytes);
    });
    await expect(request(to)).rejects.toMatchObject({ name: "ClientError", code });
  });

  test("fails with ERR_CLIENT_CLOSED at EOF before END, but not when Content-Length is there", async () => {
    const to = await application.listen(async (wire, index) => {
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
    const to = await application.listen(async (wire, index) => {
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
    const to = await application.listen(async (wire, index) => {
      await readRequest(wire);
      const status = index === 0 ? "200 OK" : "304 Not Modified";
      wire.write(record(6, 1, `Status: ${status}\r\nContent-Length: 99\r\n\r\n`), end(1));
    });
    expect(await (await request({ ...to, method: "HEAD" })).text()).toBe("");
    expect(await (await request(to)).text()).toBe("");
  });

  test("may come before the body is sent; the rest of it stays here", async () => {
    let stopped = false;
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire) => {
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
