/**
 * Lengths of names and values that lie: near 2^31, past the end, long and cut everywhere (reliability F-1, F-8, F-12).
 * Decoders first, on both engines; then what a peer gets to see.
 */
import { expect, test } from "vitest";
import { RecordType } from "../../src/protocols/fastcgi/constants.ts";
import { DEFAULT_LIMITS, type DecoderOptions } from "../../src/wire/limits.ts";
import { echo, echoed } from "../support/behaviour.ts";
import { decoderOptions, describeEngines } from "../support/engines.ts";
import { begin as beginRecord, record as recordOf } from "../support/frames.ts";
import { DecodedConnection } from "../support/rows.ts";
import { transcript } from "../support/transcript.ts";
import { begin, pairs, params, record, stdin, Type, USUAL } from "../support/transcript-frames.ts";

const { PARAMS } = RecordType;
/** 0xffffffff on the wire is 2^31 − 1: the first bit says that four bytes follow. */
const LENGTHS = [0, 1, 127, 128, 255, 65_535, 33_554_431, 2 ** 31 - 1];

function lengthBytes(n: number): Buffer {
  if (n < 128) return Buffer.of(n);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n + 2 ** 31);
  return bytes;
}

/** Two lengths and what follows them. */
const lying = (name: number, value: number, following: number): Buffer =>
  Buffer.concat([lengthBytes(name), lengthBytes(value), Buffer.alloc(following, "x")]);

describeEngines("declared lengths", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const decode = (content: Buffer, changed: Partial<DecoderOptions> = {}): DecodedConnection =>
    new DecodedConnection(engine, "fastcgi", decoderOptions(changed)).receive(
      Buffer.concat([beginRecord(1), recordOf(PARAMS, 1, content), recordOf(PARAMS, 1)]),
    );
  const unlimited = { nameBytes: Infinity, valueBytes: Infinity };

  test.each([{}, unlimited])(
    "of any size are compared with what may come: a head, or one error (F-1; limits %j)",
    (limits) => {
      const before = process.memoryUsage();
      for (const name of LENGTHS) {
        for (const value of LENGTHS) {
          for (let following = 0; following <= 20; following++) {
            const connection = decode(lying(name, value, following), limits);
            const what = `${name}, ${value} and ${following} bytes`;
            const isWhole = name + value === following;
            expect(connection.kinds, what).toBe(isWhole ? "BEGIN HEAD" : "BEGIN ERROR");
            if (!isWhole)
              expect(connection.codes[0], what).toMatch(/^ERR_(FCGI_PARAMS|LIMIT_\w+)$/);
          }
        }
      }
      const after = process.memoryUsage();
      expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1_048_576);
    },
  );

  test("of 33,554,431 bytes are read from 81 ff ff ff, and refused as soon as they are there (B-76, F-1)", () => {
    const connection = new DecodedConnection(engine, "fastcgi", decoderOptions(unlimited));
    connection.receive(beginRecord(1));
    connection.receive(recordOf(PARAMS, 1, Buffer.from("81ffffff00", "hex")));
    expect(connection.codes).toEqual(["ERR_LIMIT_HEAD_BYTES"]);
  });

  test.each([8_190, 8_192, 16_384, 65_535])(
    "names and values of %i bytes are whole, in 1, 2, 3 and 100 records (F-8)",
    (size) => {
      for (const field of [
        ["A".repeat(size), "short"],
        ["N", "v".repeat(size)],
      ] as const) {
        const stream = pairs([field]);
        for (const count of [1, 2, 3, 100]) {
          const step = Math.min(65_535, Math.ceil(stream.length / count));
          const pieces = [];
          for (let at = 0; at < stream.length; at += step)
            pieces.push(recordOf(PARAMS, 1, stream.subarray(at, at + step), { padding: at & 7 }));
          const limits = decoderOptions({ nameBytes: 70_000 });
          const connection = new DecodedConnection(engine, "fastcgi", limits);
          connection.receive(Buffer.concat([beginRecord(1), ...pieces, recordOf(PARAMS, 1)]));
          expect(connection.codes).toEqual([]);
          expect(connection.rows[1]?.fields).toEqual([field]);
        }
      }
    },
  );

  test("a pair cut at each of its bytes, by a record and by a read, is whole (F-8, F-9)", () => {
    const fields = [["N".repeat(130), "v".repeat(300)]] as const;
    const stream = pairs(fields);
    for (let at = 1; at < stream.length; at++) {
      const bytes = Buffer.concat([
        beginRecord(1),
        recordOf(PARAMS, 1, stream.subarray(0, at)),
        recordOf(PARAMS, 1, stream.subarray(at)),
        recordOf(PARAMS, 1),
      ]);
      const cut = new DecodedConnection(engine, "fastcgi", decoderOptions());
      cut.receive(bytes.subarray(0, 16 + 8 + at)).receive(bytes.subarray(16 + 8 + at));
      expect(cut.rows[1]?.fields, `cut at ${at}`).toEqual(fields);
    }
  });
});

let calls = 0;
const counted = {
  handler: (req: Parameters<typeof echo>[0], res: Parameters<typeof echo>[1]) => {
    calls++;
    return echo(req, res);
  },
};

for (const [what, content] of [
  [
    "two lengths of 50 with eight bytes left (B-80, F-12)",
    Buffer.from("32324142434445464748", "hex"),
  ],
  [
    "a last pair that reaches past the end (F-12)",
    Buffer.concat([pairs(USUAL), lying(4, 200, 20)]),
  ],
  ["half a length (F-12)", Buffer.concat([pairs(USUAL), Buffer.of(1, 0x80, 0)])],
  [
    "lengths of 2^31 - 1 each (F-1)",
    Buffer.concat([pairs(USUAL), lying(2 ** 31 - 1, 2 ** 31 - 1, 9)]),
  ],
] as const) {
  transcript(
    `${what}: refused whole, closed, and no handler sees it`,
    counted,
    async ({ peer }) => {
      calls = 0;
      peer.sends(begin(1, { keep: true }), record({ type: Type.PARAMS, content }), params(1, []));
      const answer = await peer.answer();
      expect([400, 431]).toContain(answer.status);
      expect(answer).toMatchObject({ protocolStatus: 0 });
      await peer.expectsClose();
      expect(calls).toBe(0);
    },
  );
}

transcript(
  "a value of 65,535 bytes in 100 records arrives (F-8, B-89)",
  counted,
  async ({ peer }) => {
    const value = "v".repeat(65_535);
    const stream = pairs({ ...USUAL, HTTP_X_LONG: value });
    const step = Math.ceil(stream.length / 100);
    peer.sends(begin(1));
    for (let at = 0; at < stream.length; at += step)
      peer.sends(record({ type: Type.PARAMS, content: stream.subarray(at, at + step) }));
    peer.sends(record({ type: Type.PARAMS }), stdin(1));
    expect(echoed(await peer.answer()).headers["x-long"]).toBe(value);
  },
);
