/**
 * The FastCGI decoder: records, BEGIN_REQUEST, management, refusals; the tables when they are full.
 * Rule by rule, on both engines; the wire bytes of the reference are in test/vectors/fastcgi.json.
 */
import { expect, test } from "vitest";
import { RecordType } from "../../../src/protocols/fastcgi/constants.ts";
import { Note } from "../../../src/wire/abi.ts";
import {
  CONTROLS_MAX,
  DEFAULT_LIMITS,
  type DecoderOptions,
  REFUSALS_MAX,
  STRAY_BYTES_MAX,
} from "../../../src/wire/limits.ts";
import { decoderOptions, describeEngines } from "../../support/engines.ts";
import { begin, pairs, params, record, stdin } from "../../support/frames.ts";
import { DecodedConnection, type ReadableRow } from "../../support/rows.ts";

const { ABORT_REQUEST, GET_VALUES, PARAMS, STDIN } = RecordType;
const length = (n: number | string) => ["CONTENT_LENGTH", `${n}`] as const;
/** BEGIN and PARAMS of a request with this CONTENT_LENGTH. */
const request = (id: number, contentLength: number | string, role = 1): Buffer =>
  Buffer.concat([begin(id, role), params(id, [length(contentLength)])]);
const RECORD_MAX = "x".repeat(65_535);

describeEngines("fastcgi records", (create) => {
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

  test.each([1, 2, 4, 5, 8])(
    "type %i with id 0 ends the connection (FastCGI §3.3, F-5)",
    (type) => {
      expect(decode([record(type, 0, "12345678")]).rows).toEqual([error("ERR_FCGI_REQUEST_ID")]);
    },
  );

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

  test("a second request without multiplexing is CANT_MPX, beyond the limit OVERLOADED (FastCGI §5.5, F-4)", () => {
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

  test("GET_VALUES is a CONTROL with its content, when that is whole (FastCGI §4.1)", () => {
    const bytes = record(GET_VALUES, 0, pairs([["FCGI_MAX_CONNS", ""]]), { padding: 3 });
    const connection = decode([bytes.subarray(0, 20)]);
    expect(connection.kinds).toBe("");
    connection.receive(bytes.subarray(20));
    expect(connection.rows).toEqual([
      { kind: "CONTROL", id: 0, type: 9, text: "\x0e\0FCGI_MAX_CONNS" },
    ]);
  });

  test("unknown types with id 0 are a CONTROL, 10, 11 and GET_VALUES with an id are dropped (FastCGI §4.2, F-5)", () => {
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

  test(`${CONTROLS_MAX} controls may come between two heads (FastCGI §4, X-10)`, () => {
    const controls = [9, 10, 11, 32].flatMap((type) =>
      Array.from({ length: CONTROLS_MAX / 4 }, () => record(type, 0)),
    );
    const connection = decode([...controls, request(1, 0), ...controls]);
    expect(connection.codes).toEqual([]);
    connection.receive(record(10, 0));
    expect(connection.rows.at(-1)).toEqual(error("ERR_FCGI_CONTROLS"));
  });

  test("records for idle ids are dropped, up to a bound in content and headers (FastCGI §3.3, X-10)", () => {
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

  test.each([
    ["0", "NONE"],
    ["5", "KNOWN"],
    ["", "UNKNOWN"],
    ["-1", "UNKNOWN"],
  ])("CONTENT_LENGTH %j means a body that is %s (decisions: CONTENT_LENGTH)", (text, body) => {
    expect(decode([request(1, text)]).rows[1]?.body).toBe(body);
  });

  test("unknown types on an active id are skipped (FastCGI §3.3)", () => {
    expect(decode([begin(1), record(99, 1, "junk"), params(1, [length(0)])]).kinds).toBe(
      "BEGIN HEAD BODY_END",
    );
  });

  test("padding and content may be cut anywhere, in place or gathered (FastCGI §3.3, F-9)", () => {
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
});
