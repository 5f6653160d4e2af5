/**
 * The AJP decoder: packets, what is due, and bodies.
 * Rule by rule, on both engines; the wire bytes of the reference are in test/vectors/ajp.json.
 */
import { expect, test } from "vitest";
import { Note } from "../../../src/wire/abi.ts";
import { DEFAULT_LIMITS, type DecoderOptions } from "../../../src/wire/limits.ts";
import { decoderOptions, describeEngines } from "../../support/engines.ts";
import { bodyPacket, forward, packet, u16 } from "../../support/frames.ts";
import { DecodedConnection, type ReadableRow } from "../../support/rows.ts";

const CPING = packet("\x0a");
const EMPTY = packet();
const LENGTH = 0xa008;
const post = (contentLength?: string): Buffer =>
  forward({ method: 4, headers: contentLength === undefined ? [] : [[LENGTH, contentLength]] });

describeEngines("ajp packets", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const connect = (changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    new DecodedConnection(engine, "ajp", decoderOptions(changed));
  const decode = (bytes: Uint8Array[], changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    connect(changed).receive(Buffer.concat(bytes));
  const error = (code: string, id = 0): ReadableRow => ({ kind: "ERROR", id, code });
  /** Rows after BEGIN and HEAD. */
  const later = (connection: DecodedConnection): ReadableRow[] => connection.rows.slice(2);

  test("the magic is judged byte by byte (AJP, packet structure)", () => {
    expect(decode([Buffer.from([0x41])]).rows).toEqual([error("ERR_AJP_MAGIC")]);
    expect(decode([Buffer.from([0x12])]).rows).toEqual([]);
    expect(decode([Buffer.from([0x12, 0x35])]).rows).toEqual([error("ERR_AJP_MAGIC")]);
    expect(later(decode([post("5"), Buffer.from([0])]))).toEqual([error("ERR_AJP_MAGIC", 1)]);
  });

  test("a packet over ajp.packetSize is refused at its header (AJP, packet size, A-9)", () => {
    const header = (length: number): Buffer => Buffer.concat([u16(0x1234), u16(length)]);
    expect(decode([header(8188)]).rows).toEqual([]);
    expect(decode([header(8189)]).rows).toEqual([error("ERR_AJP_PACKET_BYTES")]);
    expect(decode([header(65_532)], { ajpPacketBytes: 65_536 }).rows).toEqual([]);
    expect(decode([header(65_533)], { ajpPacketBytes: 65_536 }).codes).toHaveLength(1);
  });

  test("a packet waits until it is whole (AJP, packet structure)", () => {
    const bytes = forward();
    const connection = decode([bytes.subarray(0, -1)]);
    expect([connection.kinds, connection.remainderBytes]).toEqual(["", bytes.length - 1]);
    expect(connection.receive(bytes.subarray(-1)).kinds).toBe("BEGIN HEAD BODY_END");
  });

  test("CPing between requests is a CONTROL, any number of them; empty packets are dropped (AJP, CPing)", () => {
    const connection = decode([...Array.from({ length: 1500 }, () => CPING), EMPTY, CPING]);
    expect(connection.rows).toHaveLength(1501);
    expect(connection.rows[0]).toEqual({ kind: "CONTROL", id: 0, type: 10, text: "" });
    expect(connection.moreCount).toBe(1);
  });

  test.each([0x00, 0x03, 0x07, 0x08, 0x0b, 0x10, 0xff])(
    "packet type %i ends the connection when idle (AJP, packet types)",
    (type) => {
      expect(decode([packet(Buffer.from([type]))]).rows).toEqual([error("ERR_AJP_PACKET_TYPE")]);
    },
  );

  test("a packet that is not due ends the connection, also CPing; an empty one is dropped (AJP, packet types)", () => {
    expect(later(decode([forward(), EMPTY, CPING]))).toEqual([
      { kind: "BODY_END", id: 1 },
      error("ERR_AJP_PACKET_TYPE", 1),
    ]);
    expect(later(decode([forward(), forward()])).at(-1)).toEqual(error("ERR_AJP_PACKET_TYPE", 1));
    const ended = decode([forward()]).note(Note.ENDED, 1).receive(packet("\x07"));
    expect(ended.rows.at(-1)).toEqual(error("ERR_AJP_PACKET_TYPE", 0));
  });

  test("nothing is decoded after an error, whoever's it is: bytes under way could pass for a request (ajp13.md §6, A-4, D-6)", () => {
    const connection = decode([post("x"), bodyPacket("hello")]).note(Note.ENDED, 1);
    connection.receive(forward());
    expect(connection.rows).toEqual([error("ERR_CONTENT_LENGTH", 1)]);
    expect(connection.remainderBytes).toBe(0);
  });

  test("the first packet of a known body comes unasked, the others are asked for (ajp13.md §6)", () => {
    const connection = decode([post("10"), bodyPacket("hello")]);
    expect(later(connection)).toEqual([{ kind: "BODY", id: 1, text: "hello" }]);
    connection.note(Note.ASKED, 1).receive(bodyPacket("world"));
    expect(later(connection)).toEqual([
      { kind: "BODY", id: 1, text: "helloworld" },
      { kind: "BODY_END", id: 1 },
    ]);
    expect(decode([post("10"), bodyPacket("hello"), bodyPacket("world")]).codes).toEqual([
      "ERR_AJP_PACKET_TYPE",
    ]);
  });

  test("several packets may be asked for, and each may be short; one more than that is not due (ajp13.md §6)", () => {
    const connection = decode([post("100"), bodyPacket("a")]);
    for (let i = 0; i < 3; i++) connection.note(Note.ASKED, 1);
    connection.receive(Buffer.concat(["b", "c", "d"].map((text) => bodyPacket(text))));
    expect(later(connection)).toEqual([{ kind: "BODY", id: 1, text: "abcd" }]);
    connection.receive(bodyPacket("e"));
    expect(later(connection).at(-1)).toEqual(error("ERR_AJP_PACKET_TYPE", 1));
  });

  test("an end marker among several packets is ERR_BODY_SHORT, and the others are dropped (ajp13.md §6)", () => {
    const connection = decode([post("100"), bodyPacket("a")]);
    for (let i = 0; i < 3; i++) connection.note(Note.ASKED, 1);
    connection.receive(Buffer.concat([bodyPacket("b"), EMPTY, bodyPacket("c"), forward()]));
    expect(later(connection)).toEqual([
      { kind: "BODY", id: 1, text: "ab" },
      error("ERR_BODY_SHORT", 1),
    ]);
    expect(connection.remainderBytes).toBe(0);
  });

  test("both end markers end a body of unknown length (ajp13.md §6)", () => {
    for (const end of [EMPTY, packet("\0\0"), packet("\0\0\0")]) {
      const connection = decode([post()]).note(Note.ASKED, 1).receive(bodyPacket("x"));
      connection.note(Note.ASKED, 1).receive(end);
      expect(later(connection).at(-1)).toEqual({ kind: "BODY_END", id: 1 });
      connection.note(Note.ASKED, 1).receive(end);
      expect(later(connection)).toHaveLength(2);
    }
  });

  test("an end marker before Content-Length bytes is ERR_BODY_SHORT (ajp13.md §6)", () => {
    for (const end of [EMPTY, packet("\0\0")]) {
      expect(later(decode([post("5"), end]))).toEqual([error("ERR_BODY_SHORT", 1)]);
    }
  });

  test("more bytes than Content-Length, or than the ended body, are ERR_AJP_BODY_EXCESS (ajp13.md §6)", () => {
    expect(later(decode([post("5"), bodyPacket("hello!")]))).toEqual([
      error("ERR_AJP_BODY_EXCESS", 1),
    ]);
    const asked = decode([post("5"), bodyPacket("hello")]).note(Note.ASKED, 1);
    expect(asked.receive(bodyPacket("!")).rows.at(-1)).toEqual(error("ERR_AJP_BODY_EXCESS", 1));
  });

  test("the inner length is the packet's minus 2, or minus 3 with a final NUL (decisions: AJP body packet, A-14)", () => {
    const body = (payload: string) => later(decode([post("5"), packet(payload)]))[0];
    expect(body("\0\x05hello")).toEqual({ kind: "BODY", id: 1, text: "hello" });
    expect(body("\0\x05hello\0")).toEqual({ kind: "BODY", id: 1, text: "hello" });
    for (const payload of ["\0", "\0\x05hello!", "\0\x05hello\0\0", "\0\x06hello", "\0\x04hello"]) {
      expect(body(payload)).toEqual(error("ERR_AJP_BODY_LENGTH", 1));
    }
  });

  test("with ajp.rawBody every body packet is bytes alone, nothing is guessed (decisions: AJP body packet)", () => {
    const changed = { ajpRawBody: true };
    expect(later(decode([post("5"), packet("hello")], changed))[0]?.text).toBe("hello");
    expect(later(decode([post("7"), bodyPacket("hello")], changed))[0]?.text).toBe("\0\x05hello");
    expect(later(decode([post("5"), EMPTY], changed))).toEqual([error("ERR_BODY_SHORT", 1)]);
  });

  test("a body of unknown length over limits.bodyBytes is refused at its packet (limits.bodyBytes)", () => {
    const connection = decode([post()], { bodyBytes: 8 }).note(Note.ASKED, 1);
    connection.receive(bodyPacket("hello")).note(Note.ASKED, 1).receive(bodyPacket("hell"));
    expect(later(connection)).toEqual([
      { kind: "BODY", id: 1, text: "hello" },
      error("ERR_LIMIT_BODY_BYTES", 1),
    ]);
  });

  test("note ENDED while a packet is due: it is swallowed, then the connection is idle (ajp13.md §6, A-5)", () => {
    const first = decode([post("5")]).note(Note.ENDED, 1);
    const asked = decode([post()]).note(Note.ASKED, 1).note(Note.ENDED, 1);
    for (const connection of [first, asked]) {
      connection.receive(Buffer.concat([packet("\x02\x02 not a request"), CPING]));
      expect(later(connection)).toEqual([
        { kind: "BODY_END", id: 1, leftover: true },
        { kind: "CONTROL", id: 0, type: 10, text: "" },
      ]);
    }
  });

  test("note ENDED while several packets are due: each is swallowed, then comes the next request (ajp13.md §6)", () => {
    const connection = decode([post("100"), bodyPacket("a")]);
    for (let i = 0; i < 3; i++) connection.note(Note.ASKED, 1);
    connection.receive(bodyPacket("b")).note(Note.ENDED, 1);
    connection.receive(packet("\x02\x02 not a request"));
    expect(later(connection)).toEqual([{ kind: "BODY", id: 1, text: "ab" }]);
    connection.receive(Buffer.concat([EMPTY, forward()]));
    expect(later(connection).slice(1)).toEqual([
      { kind: "BODY_END", id: 1, leftover: true },
      expect.objectContaining({ kind: "BEGIN" }),
      expect.objectContaining({ kind: "HEAD" }),
      { kind: "BODY_END", id: 1 },
    ]);
  });

  test("one request after the other on one connection (ajp13.md §8)", () => {
    const connection = connect();
    for (let i = 0; i < 3; i++) {
      connection.receive(Buffer.concat([CPING, post("5")])).receive(bodyPacket("hello"));
      connection.note(Note.ENDED, 1);
    }
    expect(connection.kinds).toBe(
      Array.from({ length: 3 }, () => "CONTROL BEGIN HEAD BODY BODY_END").join(" "),
    );
  });

  test("note ASKED when a packet is already due, or none is open, changes nothing (AJP, request body)", () => {
    const due = decode([post("5")])
      .note(Note.ASKED, 1)
      .receive(bodyPacket("hello"));
    expect(later(due.receive(EMPTY))).toHaveLength(2);
    expect(connect().note(Note.ASKED, 1).receive(CPING).kinds).toBe("CONTROL");
  });
});
