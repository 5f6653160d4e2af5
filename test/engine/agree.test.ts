/**
 * native === TypeScript, row for row and split by split, on generated and on damaged streams.
 * Invariant: for any bytes, cuts and notes both engines say the same integers, call by call.
 *
 * POSTERN_TEST_STREAMS says how many streams (default 100,000), POSTERN_TEST_FULL=1 makes it ten million, POSTERN_FUZZ_MS
 * as many as there is time for; the seed is printed, and POSTERN_SEED repeats it.
 */
import { expect, test } from "vitest";
import { createTypescriptEngine } from "../../src/engine/typescript.ts";
import { describeEngines } from "../support/engines.ts";
import { firstDifference, Recorder } from "../support/recording.ts";
import { generate, STREAM_LIMITS, Stream } from "../support/streams.ts";

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));
const full = process.env.POSTERN_TEST_FULL === "1";
const streamCount = Number(process.env.POSTERN_TEST_STREAMS || (full ? 10_000_000 : 100_000));
const timeMs = Number(process.env.POSTERN_FUZZ_MS || 0);
const seed = Number(process.env.POSTERN_SEED || Date.now() % 1_000_000_000);

describeEngines(
  "agreement with typescript",
  (create) => {
    const how = timeMs > 0 ? `streams of ${timeMs} ms` : `${streamCount} streams`;
    test(
      `${how} decode to the same rows (POSTERN_SEED=${seed})`,
      async () => {
        const specification = new Recorder(createTypescriptEngine(STREAM_LIMITS));
        const other = new Recorder(create(STREAM_LIMITS));
        const stream = new Stream();
        let rowCount = 0;
        let count = 0;
        const began = Date.now();
        const goesOn = (): boolean =>
          timeMs === 0 ? count < streamCount : count % 1_000 > 0 || Date.now() - began < timeMs;
        for (; goesOn(); count++) {
          const index = count;
          // Handles of the addon that are garbage are given back in turns of the loop only: 2 KiB each.
          if (index % 1_000 === 0) await turn();
          generate(stream, seed, index);
          specification.record(stream);
          other.record(stream);
          rowCount += specification.rowCount;
          const at = firstDifference(specification, other);
          if (at < 0) continue;
          const around = [Math.max(0, at - 12), at + 12] as const;
          expect(
            [...other.ints.subarray(0, other.length)].slice(...around),
            `POSTERN_SEED=${seed}, stream ${index}, integer ${at} of the recording: ${stream.describe()}`,
          ).toEqual([...specification.ints.subarray(0, specification.length)].slice(...around));
        }
        // A generator that makes nothing would agree with everything.
        expect(rowCount).toBeGreaterThan(count);
        const perSecond = Math.round((count * 1_000) / (Date.now() - began));
        console.info(`differential: ${count} streams, ${perSecond} a second, ${rowCount} rows`);
      },
      6_000_000 + timeMs,
    );
  },
  ["native"],
);
