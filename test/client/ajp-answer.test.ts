/**
 * AJP packets of a scripted application → a response, or an error of the client; packets are those of the test vectors.
 * What follows on the same connection is in ajp-connection.test.ts.
 */
import { describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { A01, OK } from "../support/ajp-application.ts";
import { scriptedApplication } from "../support/scripted-application.ts";
import { hex } from "../support/scripted-peer.ts";

const application = scriptedApplication("ajp");

describe("an AJP answer", () => {
  test("is the same byte by byte", async () => {
    const to = await application.listen(async (wire) => {
      await wire.readPacket();
      await wire.writeBytewise(A01);
    });
    expect(await (await request(to)).text()).toBe("hi");
  });

  test("has repeated headers, several chunks and flushes (vector A15)", async () => {
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire, index) => {
      await wire.readPacket();
      const chunk = index === 0 ? "41 42 1f fc 03 1f f8 61*8184 00" : "41 42 00 05 03 00 02 68 69";
      wire.write(head, hex(chunk), hex("41 42 00 02 05 01"));
    });
    expect(await (await request(to)).buffer()).toHaveLength(8184);
    expect(await (await request(to)).text()).toBe("hi");
  });

  test("403 and End Response without reuse is an answer like others (vector A12)", async () => {
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire) => {
      await wire.readPacket();
      wire.write(hex(bytes));
    });
    const text = request(to).then((response) => response.text());
    await expect(text).rejects.toMatchObject({ code: "ERR_CLIENT_RESPONSE" });
  });

  test("without a head is ERR_CLIENT_EMPTY, without an end ERR_CLIENT_CLOSED", async () => {
    const to = await application.listen(async (wire, index) => {
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
