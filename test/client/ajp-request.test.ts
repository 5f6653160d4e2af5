/**
 * A request's options → one Forward Request packet (AJP 1.3, test vectors A01, A05, A09), and the options refused.
 * Its body is in ajp-body.test.ts.
 */
import { describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { A01, decodeForward, OK } from "../support/ajp-application.ts";
import { scriptedApplication } from "../support/scripted-application.ts";
import { hex } from "../support/scripted-peer.ts";

const application = scriptedApplication("ajp");

describe("an AJP request", () => {
  test("is a Forward Request as Apache writes it (vector A01)", async () => {
    let packet: Buffer = Buffer.alloc(0);
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire) => {
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
    const to = await application.listen(async (wire) => void (await wire.readToEnd()));
    await expect(request({ ...to, params: { SCRIPT_NAME: "/x" } })).rejects.toThrow(
      "AJP has no place for the param SCRIPT_NAME; use attributes.",
    );
    const headers = { "X-Long": "x".repeat(9_000) };
    await expect(request({ ...to, headers })).rejects.toThrow("more than packetSize 8192");
  });

  test("takes larger packets where both sides agree on them", async () => {
    const to = await application.listen(async (wire) => {
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
