/**
 * Generated and damaged streams decode to the same rows however they are cut into reads.
 * Invariant: cuts change where BODY is cut and where a head's bytes lie, and nothing else; no decoder ever throws.
 */
import { expect, test } from "vitest";
import { ERRORS } from "../../src/errors.ts";
import { describeEngines } from "../support/engines.ts";
import { DecodedConnection } from "../support/rows.ts";
import { generate, STREAM_LIMITS, Stream } from "../support/streams.ts";

const STREAMS = process.env.POSTERN_TEST_FULL === "1" ? 200_000 : 20_000;
const seed = Number(process.env.POSTERN_SEED || Date.now() % 1_000_000_000);

/** Errors that need more bytes or records than a generated stream has; decoder.test.ts of each protocol has them. */
const RARE: readonly string[] = ["ERR_FCGI_STRAY_BYTES", "ERR_FCGI_CONTROLS", "ERR_FCGI_REFUSALS"];

describeEngines("splits", (create) => {
  test(`${STREAMS} streams, whole and cut (POSTERN_SEED=${seed})`, () => {
    const engine = create(STREAM_LIMITS);
    const stream = new Stream();
    let moreCount = 0;
    const seen = new Map<string, number>();
    for (let index = 0; index < STREAMS; index++) {
      generate(stream, seed, index);
      const cut = new DecodedConnection(engine, stream.protocol, stream.options);
      stream.play(cut);
      const text = stream.describe();
      stream.uncut();
      const whole = new DecodedConnection(engine, stream.protocol, stream.options);
      stream.play(whole);
      moreCount += whole.moreCount;
      for (const row of whole.rows) {
        const key = row.code ?? row.kind;
        seen.set(key, (seen.get(key) ?? 0) + 1);
      }
      if (JSON.stringify(cut.rows) === JSON.stringify(whole.rows)) continue;
      expect(cut.rows, `POSTERN_SEED=${seed}, stream ${index}: ${text}`).toEqual(whole.rows);
    }
    expect(moreCount).toBeGreaterThan(0);
    // The generator must reach what decoders can say, or it proves little.
    const kinds = ["BEGIN", "HEAD", "BODY", "BODY_END", "DATA", "DATA_END", "ABORT", "CONTROL"];
    const codes = Object.values(ERRORS)
      .filter((row) => row.number <= ERRORS.AJP_BODY_EXCESS.number && !RARE.includes(row.code))
      .map((row) => row.code);
    expect([...kinds, ...codes].filter((key) => !seen.has(key))).toEqual([]);
  }, 1_200_000);
});
