/**
 * An AJP connection that is kept: when it is used again (the reuse flag of End Response), pinged, or closed.
 * What single packets mean is in the other ajp-*.test.ts files.
 */
import { describe, expect, test } from "vitest";
import { ClientConnection } from "../../src/client/client.ts";
import { GET_BODY, NO_REUSE, OK } from "../support/ajp-application.ts";
import { scriptedApplication } from "../support/scripted-application.ts";
import { hex } from "../support/scripted-peer.ts";

const CPONG = hex("41 42 00 01 09");

const application = scriptedApplication("ajp");

describe("a kept AJP connection", () => {
  test("is used again after reuse 1, and not after reuse 0", async () => {
    const to = await application.listen(async (wire, index) => {
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
    expect(application.connectionCount).toBe(2);
    connection.close();
  });

  test("is not used again while a body packet is owed", async () => {
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire, index) => {
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
    expect(application.connectionCount).toBe(1);
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
    const to = await application.listen(async (wire) => {
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
