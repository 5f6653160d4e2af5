/**
 * A request's body → AJP body packets, unasked or asked for by Get Body Chunk, as the scripted application counts them.
 * Nothing is said here about the Forward Request before it.
 */
import { describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { decodeForward, GET_BODY, NO_REUSE, OK } from "../support/ajp-application.ts";
import { scriptedApplication } from "../support/scripted-application.ts";
import { hex } from "../support/scripted-peer.ts";

const application = scriptedApplication("ajp");

describe("an AJP body", () => {
  test("of known length: the first packet unasked, the rest when asked (vectors A02, A03)", async () => {
    const lengths: number[] = [];
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire) => {
      await wire.readPacket();
      sent.push(await wire.readPacket());
      wire.write(NO_REUSE);
    });
    await request({ ...to, rawBody: true, method: "POST", body: "hello" });
    await request({ ...to, rawBody: true });
    expect(sent.map(String)).toEqual(["hello", ""]);
  });

  test("that is shorter or longer than its Content-Length ends the connection with a UsageError", async () => {
    const to = await application.listen(async (wire) => {
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
    await application.close().catch(() => undefined);
  });
});
