/**
 * The FastCGI decoder: STDIN, DATA, ABORT, failed requests and zombies.
 * Rule by rule, on both engines; the wire bytes of the reference are in test/vectors/fastcgi.json.
 */
import { expect, test } from "vitest";
import { RecordType } from "../../../src/protocols/fastcgi/constants.ts";
import { Note } from "../../../src/wire/abi.ts";
import {
  DEFAULT_LIMITS,
  type DecoderOptions,
  ZOMBIE_BYTES_MAX,
  ZOMBIES_MAX,
} from "../../../src/wire/limits.ts";
import { decoderOptions, describeEngines } from "../../support/engines.ts";
import { begin, latin1, params, record, stdin } from "../../support/frames.ts";
import { DecodedConnection, type ReadableRow } from "../../support/rows.ts";

const { ABORT_REQUEST, DATA, PARAMS } = RecordType;
const length = (n: number | string) => ["CONTENT_LENGTH", `${n}`] as const;
/** BEGIN and PARAMS of a request with this CONTENT_LENGTH. */
const request = (id: number, contentLength: number | string, role = 1): Buffer =>
  Buffer.concat([begin(id, role), params(id, [length(contentLength)])]);
const RECORD_MAX = "x".repeat(65_535);

describeEngines("fastcgi streams", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const connect = (changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    new DecodedConnection(engine, "fastcgi", decoderOptions(changed));
  const decode = (bytes: Uint8Array[], changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    connect(changed).receive(Buffer.concat(bytes));
  const multiplexed = { requestsPerConnection: 100 };
  const error = (code: string, id = 0): ReadableRow => ({ kind: "ERROR", id, code });

  test("BEGIN for an id that is active, failed or a zombie ends the connection (FastCGI §3.3, D-1, F-4)", () => {
    const duplicate = error("ERR_FCGI_DUPLICATE_BEGIN");
    expect(decode([begin(1), begin(1)]).rows.at(-1)).toEqual(duplicate);
    const failed = decode([request(1, "x"), begin(1)]);
    expect(failed.rows.slice(1)).toEqual([error("ERR_CONTENT_LENGTH", 1), duplicate]);
    const zombie = decode([request(1, 5)])
      .note(Note.ENDED, 1)
      .receive(begin(1));
    expect(zombie.rows.at(-1)).toEqual(duplicate);
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

  test("PARAMS after their end, STDIN or DATA before it end the connection (FastCGI §6.1, F-11)", () => {
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

  test("a request that failed before the end of its PARAMS leaves a zombie, ended by its STDIN (decisions: zombies, D-1)", () => {
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
});
