/**
 * Every seed of the fuzzers, those of findings among them: both engines say the same, for every cut that is tried.
 * The corpus is native/fuzz/corpus; what a seed once broke is in its name and in docs/fuzzing.md.
 */
import { describe, expect, test } from "vitest";
import { createTypescriptEngine } from "../../src/engine/typescript.ts";
import { type DecodedProtocol, describeEngines } from "../support/engines.ts";
import { type FuzzSeed, readCorpus, streamOf } from "../support/fuzz-inputs.ts";
import { firstDifference, Recorder } from "../support/recording.ts";
import { DecodedConnection } from "../support/rows.ts";
import { STREAM_LIMITS, Stream } from "../support/streams.ts";

const PROTOCOLS: readonly DecodedProtocol[] = ["fastcgi", "scgi", "ajp"];
/** Besides the whole. */
const CUTS = process.env["POSTERN_TEST_FULL"] === "1" ? 100 : 8;

describe.each(PROTOCOLS)("the corpus of %s", (protocol) => {
  const seeds = readCorpus(protocol);

  test("has the vectors and what grew from them, each under its own name", () => {
    expect(seeds.filter(({ name }) => name.startsWith("vector-")).length).toBeGreaterThan(20);
    expect(new Set(seeds.map(({ name }) => name)).size).toBe(seeds.length);
  });

  describeEngines("cuts", (create) => {
    test("decodes to the same rows however it is cut (P-1)", () => {
      const engine = create(STREAM_LIMITS);
      const stream = new Stream();
      const rows = (seed: FuzzSeed, cuts: number) => {
        streamOf(stream, protocol, seed.bytes, cuts);
        const connection = new DecodedConnection(engine, protocol, stream.options);
        stream.play(connection);
        return connection.rows;
      };
      for (const seed of seeds) {
        const whole = JSON.stringify(rows(seed, 0));
        for (let cuts = 1; cuts <= CUTS; cuts++) {
          if (JSON.stringify(rows(seed, cuts)) === whole) continue;
          expect(rows(seed, cuts), `${seed.name}, cut ${cuts}`).toEqual(rows(seed, 0));
        }
      }
    });
  });

  describeEngines(
    "agreement",
    (create) => {
      test("decodes to the same integers in both engines (P-9)", () => {
        const specification = new Recorder(createTypescriptEngine(STREAM_LIMITS));
        const other = new Recorder(create(STREAM_LIMITS));
        const stream = new Stream();
        for (const { name, bytes } of seeds) {
          for (let cuts = 0; cuts <= CUTS; cuts++) {
            streamOf(stream, protocol, bytes, cuts);
            specification.record(stream);
            other.record(stream);
            expect(firstDifference(specification, other), `${name}, cut ${cuts}`).toBe(-1);
          }
        }
      });
    },
    ["native"],
  );
});
