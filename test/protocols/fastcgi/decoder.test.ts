/** The rules of the FastCGI decoder one by one, on both engines. Wire bytes of the reference are in test/vectors/fastcgi.json. */
import { expect, test } from "vitest";
import { RecordType } from "../../../src/protocols/fastcgi/constants.ts";
import { Note } from "../../../src/wire/abi.ts";
import {
  CONTROLS_MAX,
  DEFAULT_LIMITS,
  type DecoderOptions,
  REFUSALS_MAX,
  STRAY_BYTES_MAX,
  ZOMBIE_BYTES_MAX,
  ZOMBIES_MAX,
} from "../../../src/wire/limits.ts";
import { decoderOptions, describeEngines } from "../../support/engines.ts";
import { begin, latin1, pairs, params, record, stdin } from "../../support/frames.ts";
import { DecodedConnection, type ReadableRow } from "../../support/rows.ts";

const { ABORT_REQUEST, DATA, GET_VALUES, PARAMS, STDIN } = RecordType;
const length = (n: number | string) => ["CONTENT_LENGTH", `${n}`] as const;
/** BEGIN and PARAMS of a request with this CONTENT_LENGTH. */
const request = (id: number, contentLength: number | string, role = 1): Buffer =>
  Buffer.concat([begin(id, role), params(id, [length(contentLength)])]);
const RECORD_MAX = "x".repeat(65_535);

describeEngines("fastcgi decoder", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const connect = (changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    new DecodedConnection(engine, "fastcgi", decoderOptions(changed));
  const decode = (bytes: Uint8Array[], changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    connect(changed).receive(Buffer.concat(bytes));
  const multiplexed = { requestsPerConnection: 100 };
  const error = (code: string, id = 0): ReadableRow => ({ kind: "ERROR", id, code });

  test("a version other than 1 is refused at its first byte (FastCGI §3.3)", () => {
    expect(decode([Buffer.from([2])]).rows).toEqual([error("ERR_FCGI_VERSION")]);
    const second = decode([begin(), Buffer.from([0])]);
    expect(second.rows.at(-1)).toEqual(error("ERR_FCGI_VERSION"));
  });

  test("nothing is said after an error of the connection, and every byte is consumed (FastCGI §3.3)", () => {
    const connection = decode([Buffer.from([0]), request(1, 0)]).receive(request(2, 0));
    expect(connection.rows).toHaveLength(1);
    expect(connection.remainderBytes).toBe(0);
  });

  test.each([1, 2, 4, 5, 8])("type %i with id 0 ends the connection (FastCGI §3.3)", (type) => {
    expect(decode([record(type, 0, "12345678")]).rows).toEqual([error("ERR_FCGI_REQUEST_ID")]);
  });

  test.each([3, 6, 7])("type %i is for the application to send (FastCGI §3.3)", (type) => {
    for (const id of [0, 1]) {
      expect(decode([record(type, id)]).rows).toEqual([error("ERR_FCGI_DIRECTION")]);
    }
  });

  test("BEGIN_REQUEST is 8 bytes long, judged at its header (FastCGI §5.1)", () => {
    for (const content of ["", "1234567", "123456789"]) {
      const header = record(RecordType.BEGIN_REQUEST, 1, content).subarray(0, 8);
      expect(decode([header]).rows).toEqual([error("ERR_FCGI_BEGIN_LENGTH")]);
    }
  });

  test("BEGIN_REQUEST waits until it is whole (FastCGI §5.1)", () => {
    const connection = decode([begin(7).subarray(0, 15)]);
    expect([connection.kinds, connection.remainderBytes]).toEqual(["", 15]);
    connection.receive(begin(7).subarray(15));
    expect(connection.rows).toEqual([{ kind: "BEGIN", id: 7, role: "RESPONDER", keep: true }]);
  });

  test("only bit 0 of the flags counts (FastCGI §5.1)", () => {
    expect(decode([begin(1, 1, 0xfe)]).rows[0]?.keep).toBe(false);
    expect(decode([begin(1, 1, 0xff)]).rows[0]?.keep).toBe(true);
  });

  test.each([0, 4, 257, 65_535])(
    "role %i is refused, and its id not remembered (FastCGI §5.5)",
    (role) => {
      const connection = decode([begin(1, role), params(1, [length(0)]), begin(1)]);
      expect(connection.rows).toEqual([
        error("ERR_FCGI_ROLE", 1),
        { kind: "BEGIN", id: 1, role: "RESPONDER", keep: true },
      ]);
    },
  );

  test("a second request without multiplexing is CANT_MPX, beyond the limit OVERLOADED (FastCGI §5.5)", () => {
    expect(decode([begin(1), begin(2)]).rows.at(-1)).toEqual(error("ERR_FCGI_CANT_MPX", 2));
    const three = decode([begin(1), begin(2), begin(3)], { requestsPerConnection: 2 });
    expect(three.rows.at(-1)).toEqual(error("ERR_FCGI_OVERLOADED", 3));
    three.note(Note.ENDED, 1).receive(begin(4));
    expect(three.rows.at(-1)?.kind).toBe("BEGIN");
  });

  test(`after ${REFUSALS_MAX} refusals the connection ends (FastCGI §5.5)`, () => {
    const connection = decode(Array.from({ length: REFUSALS_MAX }, () => begin(1, 9)));
    expect(connection.rows).toHaveLength(REFUSALS_MAX);
    connection.receive(begin(1, 9));
    expect(connection.rows.at(-1)).toEqual(error("ERR_FCGI_REFUSALS"));
  });

  test("BEGIN for an id that is active, failed or a zombie ends the connection (FastCGI §3.3)", () => {
    const duplicate = error("ERR_FCGI_DUPLICATE_BEGIN");
    expect(decode([begin(1), begin(1)]).rows.at(-1)).toEqual(duplicate);
    const failed = decode([request(1, "x"), begin(1)]);
    expect(failed.rows.slice(1)).toEqual([error("ERR_CONTENT_LENGTH", 1), duplicate]);
    const zombie = decode([request(1, 5)])
      .note(Note.ENDED, 1)
      .receive(begin(1));
    expect(zombie.rows.at(-1)).toEqual(duplicate);
  });

  test("GET_VALUES is a CONTROL with its content, when that is whole (FastCGI §4.1)", () => {
    const bytes = record(GET_VALUES, 0, pairs([["FCGI_MAX_CONNS", ""]]), { padding: 3 });
    const connection = decode([bytes.subarray(0, 20)]);
    expect(connection.kinds).toBe("");
    connection.receive(bytes.subarray(20));
    expect(connection.rows).toEqual([
      { kind: "CONTROL", id: 0, type: 9, text: "\x0e\0FCGI_MAX_CONNS" },
    ]);
  });

  test("unknown types with id 0 are a CONTROL, 10, 11 and GET_VALUES with an id are dropped (FastCGI §4.2)", () => {
    const connection = decode([
      record(0, 0),
      record(12, 0, "abc"),
      record(255, 0),
      record(10, 0, "abc"),
      record(11, 1),
      record(GET_VALUES, 1, "abc"),
    ]);
    expect(connection.rows.map((row) => row.type)).toEqual([0, 12, 255]);
  });

  test(`${CONTROLS_MAX} controls may come between two heads (FastCGI §4)`, () => {
    const controls = [9, 10, 11, 32].flatMap((type) =>
      Array.from({ length: CONTROLS_MAX / 4 }, () => record(type, 0)),
    );
    const connection = decode([...controls, request(1, 0), ...controls]);
    expect(connection.codes).toEqual([]);
    connection.receive(record(10, 0));
    expect(connection.rows.at(-1)).toEqual(error("ERR_FCGI_CONTROLS"));
  });

  test("records for idle ids are dropped, up to a bound in content and headers (FastCGI §3.3)", () => {
    const stray = record(STDIN, 9, RECORD_MAX);
    const count = Math.floor(STRAY_BYTES_MAX / stray.length);
    const connection = connect();
    for (let i = 0; i < count; i++) connection.receive(stray);
    const left = STRAY_BYTES_MAX - count * stray.length;
    connection.receive(record(99, 9, "x".repeat(left - 8)));
    expect(connection.kinds).toBe("");
    connection.receive(record(ABORT_REQUEST, 9));
    expect(connection.rows).toEqual([error("ERR_FCGI_STRAY_BYTES")]);
  });

  test("lengths of names and values: one byte below 128, four from there, small ones too (FastCGI §3.4)", () => {
    const sizes = [0, 1, 127, 128, 255, 256, 65_535, 65_536];
    const fields = sizes.map((n, i): [string, string] => [`N${i}`, "v".repeat(n)]);
    for (const field of fields) {
      expect(decode([begin(1), params(1, [field])]).rows[1]?.fields).toEqual([field]);
    }
    for (const n of [1, 127, 128, 1024]) {
      const field = ["N".repeat(n), "v"] as const;
      expect(decode([begin(1), params(1, [field])]).rows[1]?.fields).toEqual([field]);
    }
    const long = Buffer.from([0x80, 0, 0, 1, 0x80, 0, 0, 2, 0x41, 0x6f, 0x6b]);
    const connection = decode([begin(1), record(PARAMS, 1, long), record(PARAMS, 1)]);
    expect(connection.rows[1]?.fields).toEqual([["A", "ok"]]);
  });

  test("a head passes up to exactly limits.headBytes, in place and gathered (limits.headBytes)", () => {
    const bytes = pairs([["A", "v".repeat(200)]]);
    const cut = [record(PARAMS, 1, bytes.subarray(0, 50)), record(PARAMS, 1, bytes.subarray(50))];
    const whole = [record(PARAMS, 1, bytes)];
    for (const records of [cut, whole]) {
      const all = [begin(1), ...records, record(PARAMS, 1)];
      expect(decode(all, { headBytes: bytes.length }).kinds).toBe("BEGIN HEAD");
      expect(decode(all, { headBytes: bytes.length - 1 }).codes).toEqual(["ERR_LIMIT_HEAD_BYTES"]);
    }
  });

  test("limits of the pairs in their order, each as soon as it is known (limits)", () => {
    const failed = (content: Buffer, changed: Partial<DecoderOptions>) =>
      decode([begin(1), record(PARAMS, 1, content)], changed).codes;
    expect(failed(Buffer.from([0, 0, 0, 0, 0]), { fieldCount: 2 })).toEqual([
      "ERR_LIMIT_FIELD_COUNT",
    ]);
    expect(failed(Buffer.from([5]), { nameBytes: 4 })).toEqual(["ERR_LIMIT_NAME_BYTES"]);
    expect(failed(Buffer.from([4, 6]), { nameBytes: 4, valueBytes: 5 })).toEqual([
      "ERR_LIMIT_VALUE_BYTES",
    ]);
    expect(failed(Buffer.from([4, 0x80, 0, 0]), { nameBytes: 4, valueBytes: 5 })).toEqual([]);
    const huge = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    expect(failed(huge, { nameBytes: Infinity, valueBytes: Infinity })).toEqual([
      "ERR_LIMIT_HEAD_BYTES",
    ]);
  });

  test("limits.headRecords counts PARAMS records with content (limits.headRecords)", () => {
    const one = record(PARAMS, 1, pairs([["A", "b"]]));
    const records = [begin(1), one, one, record(PARAMS, 1)];
    expect(decode(records, { headRecords: 2 }).kinds).toBe("BEGIN HEAD");
    expect(decode(records, { headRecords: 1 }).codes).toEqual(["ERR_LIMIT_HEAD_RECORDS"]);
  });

  test("half a pair at the end of PARAMS fails the request, whether gathered or not (FastCGI §3.4)", () => {
    for (const content of [Buffer.from([1]), Buffer.from([1, 0x80, 0]), latin1("\x01\x05Ax")]) {
      for (const padding of [0, 5]) {
        const records = [begin(1), record(PARAMS, 1, content, { padding }), record(PARAMS, 1)];
        expect(decode(records).rows.slice(1)).toEqual([error("ERR_FCGI_PARAMS", 1)]);
      }
      const gathered = connect()
        .receive(begin(1))
        .receive(record(PARAMS, 1, content));
      expect(gathered.kinds).toBe("BEGIN");
      expect(gathered.receive(record(PARAMS, 1)).codes).toEqual(["ERR_FCGI_PARAMS"]);
    }
  });

  test.each([
    ["0", "NONE"],
    ["5", "KNOWN"],
    ["", "UNKNOWN"],
    ["-1", "UNKNOWN"],
  ])("CONTENT_LENGTH %j means a body that is %s (decisions: CONTENT_LENGTH)", (text, body) => {
    expect(decode([request(1, text)]).rows[1]?.body).toBe(body);
  });

  test.each(["-2", "5x", " 5", "0x10", "9007199254740992", "-"])(
    "CONTENT_LENGTH %j is refused instead of HEAD (RFC 3875 §4.1.2)",
    (text) => {
      expect(decode([request(1, text)]).rows.slice(1)).toEqual([error("ERR_CONTENT_LENGTH", 1)]);
    },
  );

  test("CONTENT_LENGTH twice: equal bytes are one, others refused (decisions: repeated meta-variables)", () => {
    const twice = (one: string, other: string) =>
      decode([begin(1), params(1, [length(one), ["A", ""], length(other)])]).rows[1];
    expect(twice("5", "5")?.body).toBe("KNOWN");
    expect(twice("5", "6")).toEqual(error("ERR_CONTENT_LENGTH", 1));
  });

  test("a body over limits.bodyBytes is refused at the head, or when it passes the limit (limits.bodyBytes)", () => {
    const changed = { bodyBytes: 10 };
    expect(decode([request(1, 10)], changed).rows[1]?.kind).toBe("HEAD");
    expect(decode([request(1, 11)], changed).rows[1]).toEqual(error("ERR_LIMIT_BODY_BYTES", 1));
    const counted = [request(1, ""), stdin(1, "12345"), stdin(1, "67890")];
    expect(decode(counted, changed).codes).toEqual([]);
    expect(decode([...counted, stdin(1, "x")], changed).rows.slice(2)).toEqual([
      { kind: "BODY", id: 1, text: "1234567890" },
      error("ERR_LIMIT_BODY_BYTES", 1),
    ]);
  });

  test("a body of known length ends with its last byte; more is dropped, and its end says nothing new (decisions: end of the body)", () => {
    const connection = decode([request(1, 5), stdin(1, "hel"), stdin(1, "lo more")]);
    expect(connection.kinds).toBe("BEGIN HEAD BODY BODY_END");
    expect(connection.rows[2]?.text).toBe("hello");
    connection.receive(Buffer.concat([stdin(1, "x"), stdin(1), stdin(1), stdin(1, "y")]));
    expect(connection.kinds).toBe("BEGIN HEAD BODY BODY_END");
  });

  test("an end of STDIN before CONTENT_LENGTH bytes is ERR_BODY_SHORT (RFC 3875 §4.2)", () => {
    const connection = decode([request(1, 5), stdin(1, "hell"), stdin(1), stdin(1, "o")]);
    expect(connection.rows.slice(2)).toEqual([
      { kind: "BODY", id: 1, text: "hell" },
      error("ERR_BODY_SHORT", 1),
    ]);
  });

  test("PARAMS after their end, STDIN or DATA before it end the connection (FastCGI §6.1)", () => {
    const wrong = error("ERR_FCGI_PARAMS_ORDER");
    expect(decode([request(1, 5), record(PARAMS, 1)]).rows.at(-1)).toEqual(wrong);
    expect(decode([begin(1), stdin(1)]).rows.at(-1)).toEqual(wrong);
    expect(decode([begin(1), record(DATA, 1, "x")]).rows.at(-1)).toEqual(wrong);
  });

  test("an Authorizer has no body: BODY_END at once, its STDIN dropped, its id free after END (FastCGI §6.3)", () => {
    const connection = decode([request(1, 5, 2), stdin(1, "x"), stdin(1)], { bodyBytes: 0 });
    expect(connection.kinds).toBe("BEGIN HEAD BODY_END");
    connection.note(Note.ENDED, 1).receive(begin(1, 2));
    expect(connection.rows.at(-1)?.kind).toBe("BEGIN");
  });

  test("a Filter's DATA comes after the end of STDIN, by its record or by length (FastCGI §6.4)", () => {
    const file = [record(DATA, 1, "fi"), record(DATA, 1, "le"), record(DATA, 1)];
    const late = record(DATA, 1, "late");
    for (const body of [
      [request(1, "", 3), stdin(1)],
      [request(1, 0, 3)],
      [request(1, 2, 3), stdin(1, "ok")],
    ]) {
      expect(decode([...body, ...file, late]).rows.slice(-2)).toEqual([
        { kind: "DATA", id: 1, text: "file" },
        { kind: "DATA_END", id: 1 },
      ]);
    }
    expect(decode([request(1, 2, 3), stdin(1, "o"), late]).codes).toEqual([
      "ERR_FCGI_PARAMS_ORDER",
    ]);
    expect(decode([request(1, 0), late]).kinds).toBe("BEGIN HEAD BODY_END");
  });

  test("ABORT is a row once; after it the input of the id is dropped until our end (FastCGI §5.4)", () => {
    const abort = record(ABORT_REQUEST, 1, "junk", { padding: 2 });
    const connection = decode([begin(1), abort, abort, record(PARAMS, 1), stdin(1, "x"), stdin(1)]);
    expect(connection.kinds).toBe("BEGIN ABORT");
    connection.note(Note.ENDED, 1).receive(begin(1));
    expect(connection.kinds).toBe("BEGIN ABORT BEGIN");
  });

  test("a request that failed says nothing more until our end; other ids go on (decisions: an error of one request)", () => {
    const connection = decode(
      [begin(1), begin(2), params(1, [length("x")]), stdin(1, "x"), stdin(1), params(2, [])],
      multiplexed,
    );
    expect(connection.kinds).toBe("BEGIN BEGIN ERROR HEAD");
    connection.receive(Buffer.concat([record(ABORT_REQUEST, 1)])).note(Note.ENDED, 1);
    connection.receive(begin(1));
    expect(connection.kinds).toBe("BEGIN BEGIN ERROR HEAD BEGIN");
  });

  test("a request that failed before the end of its PARAMS leaves a zombie, ended by its STDIN (decisions: zombies)", () => {
    const connection = decode([begin(1), record(PARAMS, 1, "\x7f")], { nameBytes: 5 });
    connection.note(Note.ENDED, 1);
    connection.receive(Buffer.concat([record(PARAMS, 1, "x"), record(PARAMS, 1), stdin(1, "x")]));
    expect(connection.kinds).toBe("BEGIN ERROR");
    connection.receive(Buffer.concat([stdin(1), begin(1)]));
    expect(connection.rows.slice(2)).toEqual([
      { kind: "BODY_END", id: 1, leftover: true },
      { kind: "BEGIN", id: 1, role: "RESPONDER", keep: true },
    ]);
  });

  test("a zombie ends with the empty STDIN, with CONTENT_LENGTH bytes, or with ABORT (decisions: zombies)", () => {
    for (const [contentLength, end] of [
      ["", stdin(1)],
      [5, stdin(1, "llo")],
      [5, stdin(1)],
      [5, record(ABORT_REQUEST, 1)],
    ] as const) {
      const connection = decode([request(1, contentLength), stdin(1, "he")]).note(Note.ENDED, 1);
      connection.receive(Buffer.concat([stdin(1, "?"), end]));
      expect(connection.rows.slice(3)).toEqual([{ kind: "BODY_END", id: 1, leftover: true }]);
    }
  });

  test("an ended request whose input is finished leaves its id free (decisions: zombies)", () => {
    for (const records of [
      [request(1, 0)],
      [request(1, 2), stdin(1, "ok")],
      [request(1, ""), stdin(1)],
      [request(1, 5), record(ABORT_REQUEST, 1)],
    ]) {
      const connection = decode(records).note(Note.ENDED, 1).receive(begin(1));
      expect(connection.rows.at(-1)?.kind).toBe("BEGIN");
    }
  });

  test("note ENDED inside a record: the rest of its body belongs to the zombie (decisions: zombies)", () => {
    const connection = decode([request(1, 5), stdin(1, "hello").subarray(0, 10)]);
    expect(connection.rows.at(-1)?.text).toBe("he");
    connection.note(Note.ENDED, 1).receive(latin1("llo"));
    expect(connection.rows.slice(3)).toEqual([{ kind: "BODY_END", id: 1, leftover: true }]);
  });

  test("leftover input is bounded in bytes, and the bound starts again when none is left (decisions: zombies)", () => {
    const chunk = stdin(1, RECORD_MAX);
    const count = Math.floor(ZOMBIE_BYTES_MAX / chunk.length);
    const connection = decode([request(1, 5), stdin(1)]).note(Note.ENDED, 1);
    expect(connection.codes).toEqual(["ERR_BODY_SHORT"]);
    connection.rows.length = 0;
    for (let round = 0; round < 2; round++) {
      connection.receive(request(1, "")).note(Note.ENDED, 1);
      for (let i = 0; i < count; i++) connection.receive(chunk);
      connection.receive(stdin(1));
    }
    expect(connection.codes).toEqual([]);
    connection.receive(request(1, "")).note(Note.ENDED, 1);
    for (let i = 0; i <= count; i++) connection.receive(chunk);
    expect(connection.codes).toEqual(["ERR_FCGI_STRAY_BYTES"]);
  });

  test(`at most ${ZOMBIES_MAX} zombies are remembered, the oldest is forgotten (decisions: zombies)`, () => {
    const connection = connect();
    for (let id = 1; id <= ZOMBIES_MAX + 1; id++) {
      connection.receive(request(id, 5)).note(Note.ENDED, id);
    }
    connection.receive(Buffer.concat([begin(1), begin(2)]));
    expect(connection.rows.slice(-2)).toEqual([
      { kind: "BEGIN", id: 1, role: "RESPONDER", keep: true },
      error("ERR_FCGI_DUPLICATE_BEGIN"),
    ]);
  });

  test("a zombie forgotten inside its record says nothing when the rest comes (decisions: zombies)", () => {
    const ids = Array.from({ length: ZOMBIES_MAX + 1 }, (_, i) => i + 1);
    const connection = decode(
      ids.map((id) => request(id, 5)),
      { requestsPerConnection: 200 },
    ).note(Note.ENDED, 1);
    connection.receive(stdin(1, "hello").subarray(0, 10));
    const rowCount = connection.rows.length;
    for (const id of ids.slice(1)) connection.note(Note.ENDED, id);
    connection.receive(latin1("llo"));
    expect(connection.rows).toHaveLength(rowCount);
    expect(connection.receive(begin(1)).rows.at(-1)?.kind).toBe("BEGIN");
  });

  test("after UPGRADED all STDIN is BODY, and its end BODY_END (FastCGI §6.2, decisions: upgrade)", () => {
    const connection = decode([request(1, 0)], { bodyBytes: 3 }).note(Note.UPGRADED, 1);
    connection.receive(Buffer.concat([stdin(1, "frames"), stdin(1), stdin(1)]));
    expect(connection.rows.slice(3)).toEqual([
      { kind: "BODY", id: 1, text: "frames" },
      { kind: "BODY_END", id: 1 },
    ]);
  });

  test("unknown types on an active id are skipped (FastCGI §3.3)", () => {
    expect(decode([begin(1), record(99, 1, "junk"), params(1, [length(0)])]).kinds).toBe(
      "BEGIN HEAD BODY_END",
    );
  });

  test("padding and content may be cut anywhere, in place or gathered (FastCGI §3.3)", () => {
    const fields = pairs([["A", "b"], length(3)]);
    const bytes = Buffer.concat([
      begin(1),
      record(PARAMS, 1, fields, { padding: 255 }),
      record(PARAMS, 1, "", { padding: 7 }),
      record(STDIN, 1, "abc", { padding: 5 }),
      record(STDIN, 1, "", { padding: 1 }),
    ]);
    for (let at = 0; at <= bytes.length; at++) {
      const connection = connect().receive(bytes.subarray(0, at)).receive(bytes.subarray(at));
      expect(connection.kinds, `cut at ${at}`).toBe("BEGIN HEAD BODY BODY_END");
      expect(connection.rows[1]?.fields).toEqual([["A", "b"], length(3)]);
    }
  });

  test("more rows than the tables hold: MORE, and none is lost (the seam, Decoder.decode)", () => {
    const bodies = Array.from({ length: 3000 }, (_, i) => stdin(1 + (i % 2), "x"));
    const connection = decode([request(1, ""), request(2, ""), ...bodies], multiplexed);
    expect(connection.moreCount).toBeGreaterThan(1);
    expect(connection.rows.filter((row) => row.kind === "BODY")).toHaveLength(3000);
    const fields = Array.from({ length: 900 }, (_, i): [string, string] => [`N${i}`, "v"]);
    const heads = [1, 2, 3].flatMap((id) => [begin(id), params(id, fields)]);
    const many = decode(heads, { ...multiplexed, headRecords: 1 });
    expect(many.moreCount).toBe(2);
    expect(many.rows.map((row) => row.fields?.length ?? 0)).toEqual([0, 900, 0, 900, 0, 900]);
  });

  test("a head that fails leaves its field rows to the next one (the seam, Tables)", () => {
    const fields = Array.from({ length: 900 }, (_, i): [string, string] => [`N${i}`, "v"]);
    const heads = [length("x"), length(11), ["A", ""] as const].map((last, i) =>
      Buffer.concat([begin(i + 1), params(i + 1, [...fields, last])]),
    );
    const connection = decode(heads, { ...multiplexed, bodyBytes: 10 });
    expect(connection.kinds).toBe("BEGIN ERROR BEGIN ERROR BEGIN HEAD");
    expect(connection.moreCount).toBe(0);
  });

  test("gathered heads that do not fit into the head area together: MORE (the seam, Ring)", () => {
    const value = "v".repeat(60_000);
    const connection = connect(multiplexed);
    for (const id of [1, 2, 3]) {
      connection.receive(begin(id)).receive(record(PARAMS, id, pairs([["A", value]])));
    }
    connection.receive(Buffer.concat([1, 2, 3].map((id) => record(PARAMS, id))));
    expect(connection.moreCount).toBe(1);
    expect(connection.rows.slice(3).map((row) => row.fields?.[0]?.[1])).toEqual([
      value,
      value,
      value,
    ]);
  });
});
