/**
 * The FastCGI decoder: PARAMS, name-value pairs and what a head says of its body.
 * Rule by rule, on both engines; the wire bytes of the reference are in test/vectors/fastcgi.json.
 */
import { expect, test } from "vitest";
import { RecordType } from "../../../src/protocols/fastcgi/constants.ts";
import { DEFAULT_LIMITS, type DecoderOptions } from "../../../src/wire/limits.ts";
import { decoderOptions, describeEngines } from "../../support/engines.ts";
import { begin, latin1, pairs, params, record } from "../../support/frames.ts";
import { DecodedConnection, type ReadableRow } from "../../support/rows.ts";

const { PARAMS } = RecordType;
const length = (n: number | string) => ["CONTENT_LENGTH", `${n}`] as const;
/** BEGIN and PARAMS of a request with this CONTENT_LENGTH. */
const request = (id: number, contentLength: number | string, role = 1): Buffer =>
  Buffer.concat([begin(id, role), params(id, [length(contentLength)])]);

describeEngines("fastcgi params", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const connect = (changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    new DecodedConnection(engine, "fastcgi", decoderOptions(changed));
  const decode = (bytes: Uint8Array[], changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    connect(changed).receive(Buffer.concat(bytes));
  const multiplexed = { requestsPerConnection: 100 };
  const error = (code: string, id = 0): ReadableRow => ({ kind: "ERROR", id, code });

  test("lengths of names and values: one byte below 128, four from there, small ones too (FastCGI §3.4, B-76)", () => {
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

  test("limits.headRecords counts PARAMS records with content (limits.headRecords, X-3)", () => {
    const one = record(PARAMS, 1, pairs([["A", "b"]]));
    const records = [begin(1), one, one, record(PARAMS, 1)];
    expect(decode(records, { headRecords: 2 }).kinds).toBe("BEGIN HEAD");
    expect(decode(records, { headRecords: 1 }).codes).toEqual(["ERR_LIMIT_HEAD_RECORDS"]);
  });

  test("half a pair at the end of PARAMS fails the request, whether gathered or not (FastCGI §3.4, F-12)", () => {
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

  test.each(["-2", "5x", " 5", "0x10", "9007199254740992", "-"])(
    "CONTENT_LENGTH %j is refused instead of HEAD (RFC 3875 §4.1.2, D-4)",
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
