/**
 * A request with `upgrade` → bytes both ways behind a 101, over FastCGI (test vector F16), or a plain refusal.
 * The bytes mean nothing here: no WebSocket is spoken.
 */
import { describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { end, readHead, record, STDIN } from "../support/fastcgi-application.ts";
import { scriptedApplication } from "../support/scripted-application.ts";
import { hex } from "../support/scripted-peer.ts";

const application = scriptedApplication("fastcgi");

describe("an upgrade over FastCGI (vector F16)", () => {
  test("holds STDIN open until the 101, then carries bytes both ways", async () => {
    let up = "";
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire) => {
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
