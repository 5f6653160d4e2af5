/**
 * Forward Requests whose lengths lie: each string, number and packet against the end of its packet (reliability A-9),
 * bits turned over and pieces of other packets (B-68 to B-75). Decoders alone, on both engines.
 */
import { expect, test } from "vitest";
import { DEFAULT_LIMITS, type DecoderOptions } from "../../src/wire/limits.ts";
import { decoderOptions, describeEngines } from "../support/engines.ts";
import { ajpString, forward, packet, u16 } from "../support/frames.ts";
import { DecodedConnection } from "../support/rows.ts";

/** A request with a string in every place that can have one. */
const RICH = forward({
  method: 4,
  headers: [
    [0xa007, "text/plain"],
    ["X-Forwarded-For", "192.0.2.9"],
    ["X-Real-Ip", "192.0.2.9"],
    [0xa00b, "example.test"],
  ],
  attributes: [
    [0x01, "context"],
    [0x04, "Basic"],
    [0x05, "q=1"],
    [0x06, "route"],
    [0x0b, u16(128)],
    [0x0a, "AJP_REMOTE_PORT", "4711"],
    [0x0d, "PATCH"],
  ],
});

/** Where the length words of the strings of a packet are. */
function stringsOf(bytes: Buffer, texts: readonly string[]): number[] {
  return texts.map((text) => {
    const at = bytes.indexOf(ajpString(text));
    if (at < 0) throw new Error(`no ${text}`);
    return at;
  });
}
const PLACES = stringsOf(RICH, [
  "HTTP/1.1",
  "/",
  "192.0.2.7",
  "example.test",
  "text/plain",
  "X-Forwarded-For",
  "192.0.2.9",
  "context",
  "Basic",
  "q=1",
  "route",
  "AJP_REMOTE_PORT",
  "4711",
  "PATCH",
]);

describeEngines("ajp lengths", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const decode = (bytes: Uint8Array, changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    new DecodedConnection(engine, "ajp", decoderOptions(changed)).receive(bytes);

  /** One outcome: rows of a request, or one error and nothing behind it. */
  function expectSound(connection: DecodedConnection, what: string): void {
    expect(connection.kinds, what).toMatch(
      /^(|BEGIN HEAD( BODY_END)?|BEGIN HEAD( BODY)?( BODY_END)? ERROR|ERROR|CONTROL)$/,
    );
  }

  test("strings that reach to the end of their packet, or one byte further, are refused (A-9)", () => {
    expect(decode(RICH).kinds).toBe("BEGIN HEAD");
    for (const at of PLACES) {
      const left = RICH.length - at - 2;
      for (const length of [left, left + 1, left + 2, 0x7fff, 0x8000, 0xfffe]) {
        const bytes = Buffer.from(RICH);
        bytes.writeUInt16BE(length, at);
        expect(decode(bytes).codes, `${length} at ${at}`).toEqual(["ERR_AJP_FORWARD"]);
      }
      const nul = Buffer.from(RICH);
      nul[at + 2 + nul.readUInt16BE(at)] = 0x78;
      expect(decode(nul).codes, `no NUL at ${at}`).toEqual(["ERR_AJP_FORWARD"]);
      const none = Buffer.from(RICH);
      none.writeUInt16BE(0xffff, at);
      expectSound(decode(none), `null at ${at}`);
    }
  });

  test("a number at the last byte of a packet is refused (A-9)", () => {
    const key = forward({ attributes: [[0x0b, Buffer.of(1)]], end: Buffer.alloc(0) });
    expect(decode(key).codes).toEqual(["ERR_AJP_FORWARD"]);
    for (let end = 1; end < RICH.length - 4; end++) {
      expect(decode(packet(RICH.subarray(4, 4 + end))).codes, `${end}`).toEqual([
        "ERR_AJP_FORWARD",
      ]);
    }
  });

  test("packets of 0, 1, 8,188, 8,189, 8,192 and 65,535 bytes: as large as agreed, no larger (A-9)", () => {
    const filled = (size: number): Buffer => {
      const rest = size - (forward({ headers: [["X-Long", ""]] }).length - 4);
      return forward({ headers: [["X-Long", "x".repeat(rest)]] });
    };
    expect(decode(packet("")).kinds).toBe("");
    expect(decode(packet("\x02")).codes).toEqual(["ERR_AJP_FORWARD"]);
    expect(filled(8_188)).toHaveLength(8_192);
    expect(decode(filled(8_188)).kinds).toBe("BEGIN HEAD BODY_END");
    for (const size of [8_189, 8_192, 65_535]) {
      expect(decode(filled(size)).codes).toEqual(["ERR_AJP_PACKET_BYTES"]);
    }
    const large = { ajpPacketBytes: 65_536 };
    expect(decode(filled(65_532), large).kinds).toBe("BEGIN HEAD BODY_END");
    expect(decode(filled(65_533), large).codes).toEqual(["ERR_AJP_PACKET_BYTES"]);
  });

  test("a header name of 40,976 bytes looks like a code and is refused (B-68)", () => {
    const name = "n".repeat(40_976);
    const bytes = forward({ headers: [[name, name.slice(0, 20_000)]] });
    expect(bytes.includes(Buffer.of(0xa0, 0x10))).toBe(true);
    expect(decode(bytes).codes).toEqual(["ERR_AJP_PACKET_BYTES"]);
    const limits = { ajpPacketBytes: 65_536, nameBytes: 65_536 };
    expect(decode(bytes, limits).codes).toEqual(["ERR_AJP_FORWARD"]);
  });

  test("single bits turned over: a request or one error, nothing else (B-69)", () => {
    for (let bit = 0; bit < RICH.length * 8; bit++) {
      const bytes = Buffer.from(RICH);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expectSound(decode(bytes), `bit ${bit}`);
    }
  });

  test("beginnings joined with pieces of other packets: a request or one error (B-70)", () => {
    const pieces = [
      Buffer.of(0x04, 0x00, 0xc8, 0x00, 0x02, 0x4f, 0x4b, 0x00, 0x00, 0x00),
      Buffer.of(0x07),
      Buffer.of(0xff),
      Buffer.of(0x00),
      Buffer.of(0xff, 0xff, 0xff),
      Buffer.of(0x12, 0x34, 0x00, 0x01, 0x0a),
    ];
    for (let end = 1; end < RICH.length - 4; end++) {
      for (const piece of pieces) {
        const bytes = packet(Buffer.concat([RICH.subarray(4, 4 + end), piece]));
        expectSound(decode(bytes), `${end} bytes and ${piece.toString("hex")}`);
      }
    }
  });

  test("each field replaced by odd words: a request or one error (B-75)", () => {
    const words = [
      "",
      "\0",
      "\x01\x02",
      "%00",
      "../../x",
      "\xff\xfe",
      "A".repeat(8_000),
      "\r\n\r\n",
    ];
    words.push("chunked", "-1", "99999999999999999999", "\xa0\x01", "%n%s", "null");
    for (const at of PLACES) {
      const end = at + 3 + RICH.readUInt16BE(at);
      for (const word of words) {
        const payload = [RICH.subarray(4, at), ajpString(word), RICH.subarray(end)];
        expectSound(decode(packet(Buffer.concat(payload))), `${JSON.stringify(word)} at ${at}`);
      }
    }
  });

  test("a CPING that announces 8,242 or 65,535 bytes is refused before they are there (B-74)", () => {
    for (const length of [8_242, 65_535]) {
      const bytes = Buffer.concat([u16(0x1234), u16(length), Buffer.of(0x0a)]);
      expect(decode(bytes).codes).toEqual(["ERR_AJP_PACKET_BYTES"]);
    }
  });
});
