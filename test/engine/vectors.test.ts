/**
 * Every vector × every engine × every way its bytes may arrive: the rows are those of the vector.
 * Invariant: rows do not depend on how a stream is cut into reads, nor on what lies behind a read in memory.
 */
import { expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { DEFAULT_LIMITS } from "../../src/wire/limits.ts";
import { type DecodedProtocol, decoderOptions, describeEngines } from "../support/engines.ts";
import { DecodedConnection, type ReadableRow } from "../support/rows.ts";
import { bytesCount, type Vector, vectorsOf } from "../support/vectors.ts";

/** Streams up to this long are cut at every byte; longer ones near each step and at every 97th byte. */
const EVERY_SPLIT_BYTES = 2048;

/** Plays a vector; each `cuts` is an offset in its bytes where a read ends. */
function play(
  engine: Engine,
  vector: Vector,
  cuts: readonly number[],
  after?: Uint8Array,
): readonly ReadableRow[] {
  const connection = new DecodedConnection(engine, vector.protocol, decoderOptions(vector.options));
  let offset = 0;
  let cut = 0;
  for (const step of vector.steps) {
    if (!("bytes" in step)) {
      connection.note(step.event, step.exchangeId);
      continue;
    }
    let from = 0;
    while (cut < cuts.length && cuts[cut]! <= offset + step.bytes.length) {
      const to = cuts[cut++]! - offset;
      if (to > from) connection.receive(step.bytes.subarray(from, to), after);
      from = to;
    }
    if (from < step.bytes.length) connection.receive(step.bytes.subarray(from), after);
    offset += step.bytes.length;
  }
  return connection.rows;
}

/** Cut everywhere: one byte a read. */
const everyByte = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** Where a vector is cut in two. */
function splits(vector: Vector): number[] {
  const count = bytesCount(vector);
  if (count <= EVERY_SPLIT_BYTES) return everyByte(count - 1);
  const found = new Set<number>();
  let offset = 0;
  for (const step of vector.steps) {
    if (!("bytes" in step)) continue;
    for (let at = offset - 20; at <= offset + 20; at++) found.add(at);
    offset += step.bytes.length;
  }
  for (let at = 1; at < count; at += 97) found.add(at);
  return [...found].filter((at) => at > 0 && at < count);
}

/** All steps' bytes between two notes in one read. */
function merged(vector: Vector): Vector {
  const steps: Vector["steps"][number][] = [];
  for (const step of vector.steps) {
    const last = steps.at(-1);
    if ("bytes" in step && last !== undefined && "bytes" in last) {
      steps[steps.length - 1] = { bytes: Buffer.concat([last.bytes, step.bytes]) };
    } else {
      steps.push(step);
    }
  }
  return { ...vector, steps };
}

describeEngines("vectors", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const protocols: DecodedProtocol[] = ["fastcgi", "scgi", "ajp"];
  for (const vector of protocols.flatMap(vectorsOf)) {
    const name = `${vector.id} ${vector.title}`;
    test(`${name}: a read a step, and all at once`, () => {
      expect(play(engine, vector, [])).toEqual(vector.rows);
      expect(play(engine, merged(vector), [])).toEqual(vector.rows);
    });
    test(`${name}: one byte a read`, () => {
      expect(play(engine, merged(vector), everyByte(bytesCount(vector)))).toEqual(vector.rows);
    });
    test(`${name}: cut in two at every byte`, () => {
      const whole = merged(vector);
      const wanted = JSON.stringify(vector.rows.map(ordered));
      for (const at of splits(vector)) {
        const rows = JSON.stringify(play(engine, whole, [at]).map(ordered));
        if (rows !== wanted) expect(JSON.parse(rows), `cut at ${at}`).toEqual(JSON.parse(wanted));
      }
    });
    test(`${name}: with bytes behind the read that are not part of it`, () => {
      const whole = merged(vector);
      const behind = Buffer.concat(
        whole.steps.flatMap((step) => ("bytes" in step ? [step.bytes] : [])),
      );
      expect(play(engine, whole, [], behind)).toEqual(vector.rows);
      const cuts = everyByte(Math.min(bytesCount(vector), EVERY_SPLIT_BYTES));
      expect(play(engine, whole, cuts, behind)).toEqual(vector.rows);
    });
  }
});

/** Members in one order, so that rows can be compared as text. */
function ordered(row: ReadableRow): [string, unknown][] {
  return Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));
}
