/**
 * Every strict prefix of every good vector: no error, nothing beyond its end, and the rows are the first rows of the whole.
 * Invariant: a decoder that has not seen a byte says nothing that this byte could make wrong.
 */
import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/wire/limits.ts";
import { type DecodedProtocol, decoderOptions, describeEngines } from "../support/engines.ts";
import { DecodedConnection, type ReadableRow } from "../support/rows.ts";
import { bytesCount, type Vector, vectorsOf } from "../support/vectors.ts";

/** Prefixes of longer vectors are tried at the first bytes, the last ones and every 101st. */
const EVERY_PREFIX_BYTES = 2048;

function prefixes(count: number): number[] {
  const lengths: number[] = [];
  for (let n = 0; n < count; n++) {
    const sampled = n < EVERY_PREFIX_BYTES || n > count - 300 || n % 101 === 0;
    if (sampled) lengths.push(n);
  }
  return lengths;
}

/** Steps up to the n-th byte: notes that come before it are given, later ones are not. */
function playPrefix(connection: DecodedConnection, vector: Vector, n: number): void {
  let left = n;
  for (const step of vector.steps) {
    if (left === 0) return;
    if ("bytes" in step) {
      const taken = Math.min(left, step.bytes.length);
      connection.receive(step.bytes.subarray(0, taken), step.bytes.subarray(taken));
      left -= taken;
    } else {
      connection.note(step.event, step.exchangeId);
    }
  }
}

/** Is `row` what `whole` is so far? BODY and DATA may still grow. */
function isBeginning(row: ReadableRow, whole: ReadableRow): boolean {
  if (row.text === undefined) return JSON.stringify(row) === JSON.stringify(whole);
  return row.kind === whole.kind && row.id === whole.id && whole.text!.startsWith(row.text);
}

describeEngines("prefixes", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const protocols: DecodedProtocol[] = ["fastcgi", "scgi", "ajp"];
  for (const vector of protocols.flatMap(vectorsOf).filter((one) => one.good)) {
    test(`${vector.id} ${vector.title}: every strict prefix is free of errors`, () => {
      const options = decoderOptions(vector.options);
      const whole = new DecodedConnection(engine, vector.protocol, options);
      playPrefix(whole, vector, bytesCount(vector));
      for (const n of prefixes(bytesCount(vector))) {
        const connection = new DecodedConnection(engine, vector.protocol, options);
        playPrefix(connection, vector, n);
        expect(connection.codes, `prefix of ${n}`).toEqual([]);
        expect(connection.rows.length).toBeLessThanOrEqual(whole.rows.length);
        const wrong = connection.rows.findIndex((row, i) => !isBeginning(row, whole.rows[i]!));
        expect(wrong, `prefix of ${n}: row that is not a beginning`).toBe(-1);
        expect(connection.remainderBytes).toBeLessThanOrEqual(n);
      }
    });
  }
});
