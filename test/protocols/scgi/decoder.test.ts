/** The rules of the SCGI decoder one by one, on both engines. Wire bytes of the reference are in test/vectors/scgi.json. */
import { expect, test } from "vitest";
import { Note } from "../../../src/wire/abi.ts";
import { DEFAULT_LIMITS, type DecoderOptions } from "../../../src/wire/limits.ts";
import { decoderOptions, describeEngines } from "../../support/engines.ts";
import { latin1, netstring } from "../../support/frames.ts";
import { DecodedConnection } from "../../support/rows.ts";

const LENGTH_5 = ["CONTENT_LENGTH", "5"] as const;
const LENGTH_0 = ["CONTENT_LENGTH", "0"] as const;
const ONE = ["SCGI", "1"] as const;

describeEngines("scgi decoder", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const connect = (changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    new DecodedConnection(engine, "scgi", decoderOptions(changed));
  const decode = (bytes: Uint8Array, changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    connect(changed).receive(bytes);

  test("BEGIN comes right before HEAD, both in exchange 1, and nothing before the comma (SCGI, netstring)", () => {
    const bytes = netstring([LENGTH_5, ONE]);
    const connection = decode(bytes.subarray(0, -1));
    expect(connection.kinds).toBe("");
    connection.receive(latin1(",hel")).receive(latin1("lo"));
    expect(connection.rows).toEqual([
      { kind: "BEGIN", id: 1, role: "RESPONDER", keep: false },
      { kind: "HEAD", id: 1, body: "KNOWN", fields: [LENGTH_5, ONE] },
      { kind: "BODY", id: 1, text: "hello" },
      { kind: "BODY_END", id: 1 },
    ]);
  });

  test.each(["01:", "00:", "x", " 5:", "-5:", "+5:", ":", "5 :", "5;", "\x16"])(
    "%j is no netstring length: digits without leading zero, then a colon (SCGI, netstring, S-2)",
    (text) => {
      expect(decode(latin1(text)).rows).toEqual([
        { kind: "ERROR", id: 0, code: "ERR_SCGI_LENGTH" },
      ]);
    },
  );

  test("the length is refused at the digit that passes limits.headBytes, before the colon (decisions: SCGI length prefix, S-2)", () => {
    const connection = decode(latin1("102"), { headBytes: 1024 });
    expect(connection.kinds).toBe("");
    expect(connection.receive(latin1("5")).rows).toEqual([
      { kind: "ERROR", id: 1, code: "ERR_LIMIT_HEAD_BYTES" },
    ]);
    expect(connection.receive(netstring([LENGTH_0])).rows).toHaveLength(1);
  });

  test("a head of exactly limits.headBytes passes (limits.headBytes)", () => {
    const value = "v".repeat(DEFAULT_LIMITS.headBytes - "CONTENT_LENGTH.0.X..".length);
    const bytes = netstring([LENGTH_0, ["X", value]]);
    expect(bytes.length).toBe(DEFAULT_LIMITS.headBytes + "131072:,".length);
    expect(decode(bytes).kinds).toBe("BEGIN HEAD BODY_END");
    expect(decode(bytes, { headBytes: DEFAULT_LIMITS.headBytes - 1 }).codes).toEqual([
      "ERR_LIMIT_HEAD_BYTES",
    ]);
  });

  test("another byte than a comma ends the connection before the pairs are read (SCGI, netstring)", () => {
    expect(decode(latin1("4:A\0\0\0;")).codes).toEqual(["ERR_SCGI_COMMA"]);
  });

  test("an empty name, an odd string, a missing NUL are ERR_SCGI_HEADERS of the connection (SCGI, headers, S-3)", () => {
    for (const block of ["", "\0x\0", "\0", "\0\0\0", "A\0", "A\0x", "A\0x\0B\0", "A\0x\0\0"]) {
      expect(decode(latin1(`${block.length}:${block},`)).rows, JSON.stringify(block)).toEqual([
        { kind: "ERROR", id: 0, code: "ERR_SCGI_HEADERS" },
      ]);
    }
  });

  test("limits are errors of exchange 1, in the order of the pairs; then everything is dropped (limits)", () => {
    const refused = (fields: [string, string][], changed: Partial<DecoderOptions>) =>
      decode(Buffer.concat([netstring(fields), latin1("more")]), changed).rows;
    const error = (code: string) => [{ kind: "ERROR", id: 1, code }];
    expect(refused([[...LENGTH_0], ["A", ""], ["B", ""]], { fieldCount: 2 })).toEqual(
      error("ERR_LIMIT_FIELD_COUNT"),
    );
    expect(refused([["ABCDE", "123456"]], { nameBytes: 4, valueBytes: 5 })).toEqual(
      error("ERR_LIMIT_NAME_BYTES"),
    );
    expect(refused([["ABCD", "123456"]], { nameBytes: 4, valueBytes: 5 })).toEqual(
      error("ERR_LIMIT_VALUE_BYTES"),
    );
    expect(refused([["CONTENT_LENGTH", "11"]], { bodyBytes: 10 })).toEqual(
      error("ERR_LIMIT_BODY_BYTES"),
    );
    expect(decode(netstring([["CONTENT_LENGTH", "10"]]), { bodyBytes: 10 }).kinds).toBe(
      "BEGIN HEAD",
    );
  });

  test("CONTENT_LENGTH twice with equal bytes is one (scgi.md §4, tolerant)", () => {
    expect(decode(netstring([LENGTH_5, LENGTH_5])).kinds).toBe("BEGIN HEAD");
    expect(decode(netstring([LENGTH_5, ["CONTENT_LENGTH", "05"]])).codes).toEqual([
      "ERR_CONTENT_LENGTH",
    ]);
  });

  test("strict: CONTENT_LENGTH first, SCGI 1 there, no name twice (SCGI, rules 1 to 3)", () => {
    const strict = (fields: (readonly [string, string])[]) =>
      decode(netstring(fields), { scgiStrict: true }).rows.map((row) => row.code ?? row.kind);
    expect(strict([LENGTH_0, ["X", "1"], ["x", "1"], ONE])).toEqual(["BEGIN", "HEAD", "BODY_END"]);
    for (const fields of [
      [ONE, LENGTH_0],
      [LENGTH_0],
      [LENGTH_0, ["SCGI", "2"] as const],
      [LENGTH_0, ONE, ["X", "1"] as const, ["X", "2"] as const],
      [LENGTH_0, ONE, ["HTTP_COOKIE", ""] as const, ["HTTP_COOKIE", ""] as const],
      [LENGTH_0, LENGTH_0, ONE],
    ]) {
      expect(strict(fields)).toEqual(["ERR_SCGI_STRICT"]);
    }
    expect(strict([ONE, ["CONTENT_LENGTH", "x"]])).toEqual(["ERR_CONTENT_LENGTH"]);
  });

  test("bytes behind the body are dropped, and all after note ENDED (scgi.md §4, S-4)", () => {
    const connection = decode(Buffer.concat([netstring([LENGTH_5]), latin1("hello more")]));
    expect(connection.rows.at(-2)?.text).toBe("hello");
    expect(connection.kinds).toBe("BEGIN HEAD BODY BODY_END");
    const early = decode(netstring([LENGTH_5]))
      .note(Note.ENDED, 1)
      .receive(latin1("hello"));
    expect(early.kinds).toBe("BEGIN HEAD");
    expect(early.remainderBytes).toBe(0);
  });

  test("bytes behind the head of an upgrade wait for our answer: BODY after UPGRADED, dropped after ENDED (scgi.md §2)", () => {
    const asked = Buffer.concat([
      netstring([LENGTH_0, ["HTTP_UPGRADE", "websocket"]]),
      latin1("early"),
    ]);
    const accepted = decode(asked);
    expect(accepted.kinds).toBe("BEGIN HEAD BODY_END");
    expect(accepted.remainderBytes).toBe(5);
    accepted.note(Note.UPGRADED, 1).receive(latin1(" and late"));
    expect(accepted.rows.at(-1)).toEqual({ kind: "BODY", id: 1, text: "early and late" });
    const refused = decode(asked).note(Note.ENDED, 1).receive(latin1("late"));
    expect(refused.kinds).toBe("BEGIN HEAD BODY_END");
    expect(refused.remainderBytes).toBe(0);
  });

  test("an empty HTTP_UPGRADE asks for nothing (decisions: empty params)", () => {
    const connection = decode(
      Buffer.concat([netstring([LENGTH_0, ["HTTP_UPGRADE", ""]]), latin1("x")]),
    );
    expect(connection.remainderBytes).toBe(0);
  });

  test("UPGRADED after a failed head revives nothing (SCGI, headers)", () => {
    const connection = decode(latin1("0:,")).note(Note.UPGRADED, 1).receive(latin1("x"));
    expect(connection.kinds).toBe("ERROR");
  });
});
