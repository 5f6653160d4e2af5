/**
 * The AJP decoder: what a Forward Request holds, and the body it announces.
 * Rule by rule, on both engines; the wire bytes of the reference are in test/vectors/ajp.json.
 */
import { expect, test } from "vitest";
import { DEFAULT_LIMITS, type DecoderOptions } from "../../../src/wire/limits.ts";
import { decoderOptions, describeEngines } from "../../support/engines.ts";
import { ajpString, forward, packet, u16 } from "../../support/frames.ts";
import { DecodedConnection, type ReadableRow } from "../../support/rows.ts";

const LENGTH = 0xa008;
const FIXED = 5;

describeEngines("ajp forward request", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const connect = (changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    new DecodedConnection(engine, "ajp", decoderOptions(changed));
  const decode = (bytes: Uint8Array[], changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    connect(changed).receive(Buffer.concat(bytes));
  const error = (code: string, id = 0): ReadableRow => ({ kind: "ERROR", id, code });
  const fields = (connection: DecodedConnection) => connection.rows[1]?.fields?.slice(FIXED);

  test("method codes 1 to 27, and 255 with a stored method, are methods (AJP, Forward Request, A-11)", () => {
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

  test("a Forward Request cut short anywhere is ERR_AJP_FORWARD (AJP, Forward Request, A-9)", () => {
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
});
