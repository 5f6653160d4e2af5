/** The rules of the AJP decoder one by one, on both engines. Wire bytes of the reference are in test/vectors/ajp.json. */
import { expect, test } from "vitest";
import { Note } from "../../../src/wire/abi.ts";
import { DEFAULT_LIMITS, type DecoderOptions } from "../../../src/wire/limits.ts";
import { decoderOptions, describeEngines } from "../../support/engines.ts";
import { ajpString, bodyPacket, forward, latin1, packet, u16 } from "../../support/frames.ts";
import { DecodedConnection, type ReadableRow } from "../../support/rows.ts";

const CPING = packet("\x0a");
const EMPTY = packet();
const LENGTH = 0xa008;
const post = (contentLength?: string): Buffer =>
  forward({ method: 4, headers: contentLength === undefined ? [] : [[LENGTH, contentLength]] });
const FIXED = 5;

describeEngines("ajp decoder", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const connect = (changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    new DecodedConnection(engine, "ajp", decoderOptions(changed));
  const decode = (bytes: Uint8Array[], changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    connect(changed).receive(Buffer.concat(bytes));
  const error = (code: string, id = 0): ReadableRow => ({ kind: "ERROR", id, code });
  /** Rows after BEGIN and HEAD. */
  const later = (connection: DecodedConnection): ReadableRow[] => connection.rows.slice(2);
  const fields = (connection: DecodedConnection) => connection.rows[1]?.fields?.slice(FIXED);

  test("the magic is judged byte by byte (AJP, packet structure)", () => {
    expect(decode([Buffer.from([0x41])]).rows).toEqual([error("ERR_AJP_MAGIC")]);
    expect(decode([Buffer.from([0x12])]).rows).toEqual([]);
    expect(decode([Buffer.from([0x12, 0x35])]).rows).toEqual([error("ERR_AJP_MAGIC")]);
    expect(later(decode([post("5"), Buffer.from([0])]))).toEqual([error("ERR_AJP_MAGIC", 1)]);
  });

  test("a packet over ajp.packetSize is refused at its header (AJP, packet size)", () => {
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

  test("method codes 1 to 27, and 255 with a stored method, are methods (AJP, Forward Request)", () => {
    for (const method of [1, 27]) {
      expect(decode([forward({ method })]).rows[1]?.meta?.method).toBe(method);
    }
    const stored = decode([forward({ method: 255, attributes: [[0x0d, "PATCH"]] })]);
    expect(fields(stored)).toEqual([["ajp:stored_method", "PATCH"]]);
    const wrong = [forward({ method: 0 }), forward({ method: 28 }), forward({ method: 254 })];
    wrong.push(forward({ method: 255 }), forward({ method: 255, attributes: [[0x0d, ""]] }));
    for (const bytes of wrong) expect(decode([bytes]).rows).toEqual([error("ERR_AJP_FORWARD")]);
  });

  test("the five fixed strings are always rows, null or not; port and TLS are in the head row (AJP, Forward Request)", () => {
    const connection = decode([forward({ uri: null })]);
    expect(connection.rows[1]).toEqual({
      kind: "HEAD",
      id: 1,
      body: "NONE",
      fields: [
        ["SERVER_PROTOCOL", "HTTP/1.1"],
        ["ajp:req_uri", ""],
        ["REMOTE_ADDR", "192.0.2.7"],
        ["REMOTE_HOST", ""],
        ["SERVER_NAME", "example.test"],
      ],
      meta: { method: 2, ssl: false, port: 80, headers: 0 },
    });
  });

  test("coded headers become ids, spelled ones keep their bytes, in their order (AJP, header names)", () => {
    const codes = Array.from({ length: 14 }, (_, i) => [0xa001 + i, `${i}`] as const);
    const connection = decode([forward({ headers: [["X-a", "1"], ...codes, ["X-A", null]] })], {
      bodyBytes: 99,
    });
    expect(fields(connection)?.map(([name]) => name)).toEqual([
      "X-a",
      "HTTP_ACCEPT",
      "HTTP_ACCEPT_CHARSET",
      "HTTP_ACCEPT_ENCODING",
      "HTTP_ACCEPT_LANGUAGE",
      "HTTP_AUTHORIZATION",
      "HTTP_CONNECTION",
      "CONTENT_TYPE",
      "CONTENT_LENGTH",
      "HTTP_COOKIE",
      "HTTP_COOKIE2",
      "HTTP_HOST",
      "HTTP_PRAGMA",
      "HTTP_REFERER",
      "HTTP_USER_AGENT",
      "X-A",
    ]);
    expect(connection.rows[1]?.meta?.headers).toBe(16);
  });

  test("wrong codes, names without bytes and counts that lie are ERR_AJP_FORWARD (AJP, Forward Request)", () => {
    const wrong = [
      forward({ headers: [[0xa000, "x"]] }),
      forward({ headers: [[0xa00f, "x"]] }),
      forward({ headers: [[0xa0ff, "x"]] }),
      forward({ headers: [[null as unknown as string, "x"]] }),
      forward({ headers: [["", "x"]] }),
      forward({ headers: [["a\0b", "x"]] }),
      forward({ headers: [["a", "x\0y"]] }),
      forward({ headerCount: 1 }),
      forward({ attributes: [[0x0e, "x"]] }),
      forward({ attributes: [[0x00]] }),
      forward({ attributes: [[0x0a, "", "x"]] }),
      forward({ attributes: [[0x0a, null, "x"]] }),
      forward({
        attributes: [
          [0x0c, "a"],
          [0x0c, "a"],
        ],
      }),
      forward({ end: Buffer.alloc(0) }),
      packet("\x02"),
    ];
    for (const bytes of wrong) {
      expect(decode([bytes]).rows, bytes.toString("hex")).toEqual([error("ERR_AJP_FORWARD")]);
    }
  });

  test("a Forward Request cut short anywhere is ERR_AJP_FORWARD (AJP, Forward Request)", () => {
    const whole = forward({
      method: 4,
      headers: [
        ["X-A", "1"],
        [0xa00b, "h"],
      ],
      attributes: [
        [0x05, "q"],
        [0x0a, "n", "v"],
        [0x0b, u16(128)],
      ],
    });
    for (let end = 5; end < whole.length; end++) {
      const cut = packet(whole.subarray(4, end));
      expect(decode([cut]).rows, `cut at ${end}`).toEqual([error("ERR_AJP_FORWARD")]);
    }
    expect(decode([whole]).kinds).toBe("BEGIN HEAD");
  });

  test("bytes after the final ff are ignored (AJP, Forward Request)", () => {
    expect(decode([forward({ end: Buffer.from([0xff, 1, 2, 3]) })]).codes).toEqual([]);
  });

  test("attributes become rows in their order (AJP, attributes)", () => {
    const texts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13];
    const connection = decode([
      forward({
        attributes: [
          ...texts.map((code) => [code, `v${code}`] as const),
          [0x0a, "AJP_REMOTE_PORT", "59124"],
          [0x0b, u16(256)],
          [0x0b, ajpString("128")],
          [0x05, null],
        ],
      }),
    ]);
    expect(fields(connection)).toEqual([
      ["ajp:context", "v1"],
      ["ajp:servlet_path", "v2"],
      ["REMOTE_USER", "v3"],
      ["AUTH_TYPE", "v4"],
      ["QUERY_STRING", "v5"],
      ["ajp:jvm_route", "v6"],
      ["ajp:ssl_cert", "v7"],
      ["ajp:ssl_cipher", "v8"],
      ["ajp:ssl_session", "v9"],
      ["ajp:secret", "v12"],
      ["ajp:stored_method", "v13"],
      ["AJP_REMOTE_PORT", "59124"],
      ["ajp:ssl_key_bits", "\x01\0"],
      ["ajp:ssl_key_size", "128"],
      ["QUERY_STRING", ""],
    ]);
  });

  test("ssl_key_size is a string only where 1 to 5 digits and a NUL follow (ajp13.md §15)", () => {
    const name = (value: Uint8Array, end?: Uint8Array) =>
      fields(decode([forward({ attributes: [[0x0b, value]], ...(end && { end }) })]))?.at(-1);
    expect(name(ajpString("1"))).toEqual(["ajp:ssl_key_size", "1"]);
    expect(name(ajpString("12345"))).toEqual(["ajp:ssl_key_size", "12345"]);
    expect(name(u16(5))).toEqual(["ajp:ssl_key_bits", "\0\x05"]);
    expect(name(u16(128))).toEqual(["ajp:ssl_key_bits", "\0\x80"]);
  });

  test("limits are errors of exchange 1, headers and attributes counted together (limits)", () => {
    const limited = (said: Parameters<typeof forward>[0], changed: Partial<DecoderOptions>) =>
      decode([forward(said)], changed).rows;
    const three = {
      headers: [
        ["a", "1"],
        ["b", "2"],
      ],
      attributes: [[0x05, "q"]],
    } as const;
    expect(limited(three, { fieldCount: 3 }).at(-1)?.kind).toBe("BODY_END");
    expect(limited(three, { fieldCount: 2 })).toEqual([error("ERR_LIMIT_FIELD_COUNT", 1)]);
    expect(limited({ headers: [["abcde", "x"]] }, { nameBytes: 4 })).toEqual([
      error("ERR_LIMIT_NAME_BYTES", 1),
    ]);
    expect(limited({ attributes: [[0x0a, "abcde", "x"]] }, { nameBytes: 4 })).toEqual([
      error("ERR_LIMIT_NAME_BYTES", 1),
    ]);
    expect(limited({ headers: [["a", "v".repeat(13)]] }, { valueBytes: 12 })).toEqual([
      error("ERR_LIMIT_VALUE_BYTES", 1),
    ]);
    expect(limited({ headers: [[LENGTH, "11"]] }, { bodyBytes: 10 })).toEqual([
      error("ERR_LIMIT_BODY_BYTES", 1),
    ]);
  });

  test("nothing is decoded after an error, whoever's it is: bytes under way could pass for a request (ajp13.md §6)", () => {
    const connection = decode([post("x"), bodyPacket("hello")]).note(Note.ENDED, 1);
    connection.receive(forward());
    expect(connection.rows).toEqual([error("ERR_CONTENT_LENGTH", 1)]);
    expect(connection.remainderBytes).toBe(0);
  });

  test("Content-Length: coded or spelled in any case, once, digits (ajp13.md §14)", () => {
    const refused = [error("ERR_CONTENT_LENGTH", 1)];
    for (const name of [LENGTH, "content-length", "CONTENT-LENGTH", "Content-Length"]) {
      expect(decode([forward({ method: 4, headers: [[name, "5"]] })]).rows[1]?.body).toBe("KNOWN");
      for (const value of ["", null, "-1", "5x", " 5"]) {
        expect(decode([forward({ headers: [[name, value]] })]).rows).toEqual(refused);
      }
      expect(
        decode([
          forward({
            headers: [
              [name, "5"],
              [LENGTH, "5"],
            ],
          }),
        ]).rows,
      ).toEqual(refused);
    }
    expect(decode([forward({ headers: [["Content_Length", "5x"]] })]).codes).toEqual([]);
  });

  test.each([1, 2, 3, 6, 7])(
    "method %i has no body unless a header says so (ajp13.md §6)",
    (method) => {
      expect(decode([forward({ method })]).rows[1]?.body).toBe("NONE");
      const chunked = forward({ method, headers: [["TRANSFER-encoding", "chunked"]] });
      expect(decode([chunked]).rows[1]?.body).toBe("UNKNOWN");
      expect(decode([forward({ method, headers: [[LENGTH, "5"]] })]).rows[1]?.body).toBe("KNOWN");
    },
  );

  test.each([4, 5, 8])(
    "method %i without Content-Length has a body of unknown length (ajp13.md §6)",
    (method) => {
      expect(decode([forward({ method })]).rows[1]?.body).toBe("UNKNOWN");
      expect(decode([forward({ method, headers: [[LENGTH, "0"]] })]).rows[1]?.body).toBe("NONE");
    },
  );

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

  test("the inner length is the packet's minus 2, or minus 3 with a final NUL (decisions: AJP body packet)", () => {
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

  test("note ENDED while a packet is due: it is swallowed, then the connection is idle (ajp13.md §6)", () => {
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
    expect(latin1("\u00ff")[0]).toBe(255);
  });
});
