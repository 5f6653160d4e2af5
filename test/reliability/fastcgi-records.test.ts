/**
 * Records of every type with content and padding of every size: where the next one begins (reliability F-3, F-9).
 * Decoders alone, on both engines.
 */
import { expect, test } from "vitest";
import { RecordType } from "../../src/protocols/fastcgi/constants.ts";
import { DEFAULT_LIMITS } from "../../src/wire/limits.ts";
import { decoderOptions, describeEngines } from "../support/engines.ts";
import { begin, pairs, params, record } from "../support/frames.ts";
import { DecodedConnection } from "../support/rows.ts";

const { PARAMS, STDIN, DATA, GET_VALUES } = RecordType;
const HEADER_BYTES = 8;
/** Content and padding; together some of them pass 65,535 in 16 bits. */
const SIZES = [
  [65_535, 255],
  [65_535, 1],
  [65_528, 7],
  [1, 255],
  [0, 255],
  [0, 0],
] as const;

/** What shows where the next record begins. */
const MARKER = record(GET_VALUES, 0, pairs([["FCGI_MAX_REQS", ""]]));

/** A pair that fills a record of this size. */
function filling(size: number): Buffer {
  if (size < 6) return Buffer.alloc(size);
  return pairs([["N", "v".repeat(size - (size > 133 ? 6 : 3))]]);
}

/** Where a record of this type is no mistake: in front of it, and what is in it. */
const PLACES: readonly (readonly [what: string, type: number, id: number, before: Buffer])[] = [
  ["PARAMS", PARAMS, 1, begin(1)],
  ["STDIN", STDIN, 1, Buffer.concat([begin(1), params(1, [])])],
  ["DATA of a Filter", DATA, 1, Buffer.concat([begin(1, 3), params(1, []), record(STDIN, 1)])],
  ["STDIN for an idle id", STDIN, 9, Buffer.alloc(0)],
  ["ABORT_REQUEST for an idle id", RecordType.ABORT_REQUEST, 9, Buffer.alloc(0)],
  ["GET_VALUES with an id", GET_VALUES, 5, Buffer.alloc(0)],
  ["GET_VALUES_RESULT", 10, 0, Buffer.alloc(0)],
  ["UNKNOWN_TYPE with an id", 11, 3, Buffer.alloc(0)],
  ["an unknown type in a request", 99, 1, begin(1)],
];

describeEngines("record lengths", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const connect = (): DecodedConnection =>
    new DecodedConnection(
      engine,
      "fastcgi",
      decoderOptions({ valueBytes: 70_000, headBytes: 200_000 }),
    );

  for (const [what, type, id, before] of PLACES) {
    test(`${what}: the next record begins at exactly its content and padding (F-3)`, () => {
      for (const [size, padding] of SIZES) {
        const content = type === PARAMS ? filling(size) : Buffer.alloc(size, 0x01);
        const one = record(type, id, content, { padding });
        expect(one).toHaveLength(HEADER_BYTES + size + padding);
        const bytes = Buffer.concat([before, one, MARKER]);
        const from = before.length;
        const cuts = [0, 1, 4, 5, 6, 7, 8, 9, one.length >> 1, one.length - 1, one.length];
        cuts.push(HEADER_BYTES + size - 1, HEADER_BYTES + size, HEADER_BYTES + size + 1);
        for (const cut of cuts.map((at) => from + Math.min(at, one.length + 1))) {
          const connection = connect();
          connection.receive(bytes.subarray(0, cut)).receive(bytes.subarray(cut));
          const place = `${size} + ${padding}, cut at ${cut - from}`;
          expect(connection.codes, place).toEqual([]);
          expect(connection.rows.at(-1), place).toMatchObject({ kind: "CONTROL", type: 9 });
          expect(connection.remainderBytes, place).toBe(0);
        }
      }
    });
  }

  test("empty records of every type end a stream or mean nothing, and the request goes on (F-9)", () => {
    const bytes = Buffer.concat([
      ...[2, 4, 5, 8, 99].map((type) => record(type, 7, "", { padding: 3 })),
      begin(1),
      record(99, 1),
      params(1, [["CONTENT_LENGTH", "3"]]),
      record(99, 1, "", { padding: 1 }),
      record(STDIN, 1, "abc"),
      record(STDIN, 1),
      record(STDIN, 1),
      record(DATA, 1),
    ]);
    for (let at = 0; at <= bytes.length; at++) {
      const connection = connect().receive(bytes.subarray(0, at)).receive(bytes.subarray(at));
      expect(connection.kinds, `cut at ${at}`).toBe("BEGIN HEAD BODY BODY_END");
    }
  });
});
