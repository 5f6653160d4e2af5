/**
 * Limits are borders: what measures as much as a limit passes, one more is refused with that limit's own code, and a raised
 * limit never refuses what passed (reliability P-7, and P-9: in both engines).
 * What a refusal is answered is test/connection/transcript/refused-heads.test.ts.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { DEFAULT_LIMITS, type DecoderOptions } from "../../src/wire/limits.ts";
import { type DecodedProtocol, decoderOptions, describeEngines } from "../support/engines.ts";
import { PROPERTY_SEED, tried } from "../support/properties.ts";
import { DecodedConnection } from "../support/rows.ts";
import {
  ajpBytes,
  fastcgiRecords,
  type PlannedRequest,
  plannedRequest,
  scgiBytes,
} from "../support/valid-streams.ts";

type Limit = "headBytes" | "fieldCount" | "nameBytes" | "valueBytes" | "bodyBytes" | "headRecords";

const CODES: Readonly<Record<Limit, string>> = {
  headBytes: "ERR_LIMIT_HEAD_BYTES",
  fieldCount: "ERR_LIMIT_FIELD_COUNT",
  nameBytes: "ERR_LIMIT_NAME_BYTES",
  valueBytes: "ERR_LIMIT_VALUE_BYTES",
  bodyBytes: "ERR_LIMIT_BODY_BYTES",
  headRecords: "ERR_LIMIT_HEAD_RECORDS",
};

/** Parameters whose PARAMS come in records of five bytes. */
const SMALL = { sizes: [5], paddings: [0] };

function encode(protocol: DecodedProtocol, request: PlannedRequest): Buffer {
  if (protocol === "fastcgi") return Buffer.concat(fastcgiRecords(request, 1, SMALL));
  return protocol === "scgi" ? scgiBytes(request) : ajpBytes(request);
}

/** Error codes of a request under changed options. */
function refusals(
  engine: Engine,
  protocol: DecodedProtocol,
  bytes: Buffer,
  changed: Partial<DecoderOptions>,
): readonly string[] {
  const connection = new DecodedConnection(engine, protocol, decoderOptions(changed));
  connection.receive(bytes);
  return connection.codes;
}

/** How much a request measures by each limit that its protocol has. */
function measures(protocol: DecodedProtocol, { fields, body }: PlannedRequest): Map<Limit, number> {
  const own: Record<DecodedProtocol, readonly (readonly [string, string])[]> = {
    fastcgi: body === "" ? [] : [["CONTENT_LENGTH", String(body.length)]],
    scgi: [
      ["CONTENT_LENGTH", String(body.length)],
      ["SCGI", "1"],
    ],
    ajp: [["Content-Length", String(body.length)]],
  };
  const all = [...own[protocol], ...fields];
  // The strings that every Forward Request has (transcript-frames.ts).
  const fixed = protocol === "ajp" ? ["example.test"] : [];
  const longest = (texts: readonly string[]): number =>
    Math.max(0, ...texts.map((one) => one.length));
  const result = new Map<Limit, number>([
    ["fieldCount", all.length],
    ["nameBytes", longest(all.map(([name]) => name))],
    ["valueBytes", longest([...all.map(([, value]) => value), ...fixed])],
    ["bodyBytes", body.length],
  ]);
  const lengthBytes = (length: number): number => (length < 128 ? 1 : 4);
  const pairBytes = all.map(([name, value]) =>
    protocol === "scgi"
      ? name.length + value.length + 2
      : name.length + value.length + lengthBytes(name.length) + lengthBytes(value.length),
  );
  const headBytes = pairBytes.reduce((sum, one) => sum + one, 0);
  if (protocol !== "ajp") result.set("headBytes", headBytes);
  if (protocol === "fastcgi") result.set("headRecords", Math.ceil(headBytes / SMALL.sizes[0]!));
  return result;
}

describe.each(["fastcgi", "scgi", "ajp"] as const)("limits of %s", (protocol) => {
  describeEngines(`(POSTERN_SEED=${PROPERTY_SEED})`, (create) => {
    const engine = create(DEFAULT_LIMITS);
    test("P-7: what a limit allows passes, one more is refused by its name, and more room never refuses", () => {
      const property = fc.property(
        plannedRequest,
        fc.integer({ min: 1, max: 50 }),
        (request, more) => {
          const bytes = encode(protocol, request);
          for (const [limit, measure] of measures(protocol, request)) {
            const under = (value: number): readonly string[] =>
              refusals(engine, protocol, bytes, { [limit]: value });
            expect([limit, measure, under(measure)]).toEqual([limit, measure, []]);
            expect([limit, measure, under(measure + more)]).toEqual([limit, measure, []]);
            // AJP refuses at the first string over the limit, whatever it is; nothing is below nothing.
            if (measure === 0) continue;
            expect([limit, measure, under(measure - 1)]).toEqual([limit, measure, [CODES[limit]]]);
          }
        },
      );
      fc.assert(property, tried(0.3));
    }, 600_000);
  });
});
