/**
 * What holds for decoders whatever valid stream they are given (reliability P-1 to P-4, and P-9: in both engines).
 * Streams are made by fast-check; hostile ones are test/engine and the fuzzers (docs/fuzzing.md).
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { createTypescriptEngine } from "../../src/engine/typescript.ts";
import { DEFAULT_LIMITS } from "../../src/wire/limits.ts";
import { decoderOptions, describeEngines } from "../support/engines.ts";
import { PROPERTY_SEED, tried } from "../support/properties.ts";
import { DecodedConnection, type ReadableRow } from "../support/rows.ts";
import {
  ajpBytes,
  fastcgiRecords,
  plannedRequest,
  type PlannedRequest,
  scgiBytes,
  segmentation,
  type ValidStream,
  validStream,
} from "../support/valid-streams.ts";
import type { Step } from "../support/vectors.ts";

/** Streams up to this are cut at every byte. */
const EVERY_CUT_BYTES = 1_024;

const reference = createTypescriptEngine(DEFAULT_LIMITS);

/** Rows of a stream; `cuts` are offsets in all of its bytes. */
function rowsOf(engine: Engine, stream: ValidStream, cuts: readonly number[] = []): ReadableRow[] {
  const options = decoderOptions(stream.options);
  const connection = new DecodedConnection(engine, stream.protocol, options);
  let offset = 0;
  for (const step of stream.steps) {
    if (!("bytes" in step)) {
      connection.note(step.event, step.exchangeId);
      continue;
    }
    let at = 0;
    for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
      const end = Math.min(cut - offset, step.bytes.length);
      if (end <= at) continue;
      connection.receive(step.bytes.subarray(at, end));
      at = end;
    }
    offset += step.bytes.length;
  }
  return connection.rows;
}

const sizeOf = (steps: readonly Step[]): number =>
  steps.reduce((sum, step) => sum + ("bytes" in step ? step.bytes.length : 0), 0);

/** What an engine says of one request on a connection of its own. */
function alone(engine: Engine, request: PlannedRequest, id: number): ReadableRow[] {
  const cut = { sizes: [65_535], paddings: [0] };
  const bytes = Buffer.concat(fastcgiRecords(request, id, cut));
  return rowsOf(engine, { protocol: "fastcgi", options: {}, steps: [{ bytes }] });
}

describeEngines(`decoders (POSTERN_SEED=${PROPERTY_SEED})`, (create) => {
  const engine = create(DEFAULT_LIMITS);

  test("P-1, P-9: any split of a valid stream gives the same rows, in this engine and in TypeScript", () => {
    const property = fc.property(validStream, fc.array(fc.nat(4_000)), (stream, some) => {
      const whole = rowsOf(engine, stream);
      const size = sizeOf(stream.steps);
      expect(whole.filter(({ kind }) => kind === "ERROR")).toEqual([]);
      expect(whole).toEqual(rowsOf(reference, stream));
      const all = Array.from({ length: size }, (_, i) => i);
      const expected = JSON.stringify(whole);
      const ways = [all, some.map((one) => one % size).sort((a, b) => a - b)];
      if (size <= EVERY_CUT_BYTES) ways.push(...all.map((cut) => [cut]));
      const wrong = ways.find((cuts) => JSON.stringify(rowsOf(engine, stream, cuts)) !== expected);
      expect(wrong, "cuts that give other rows").toBeUndefined();
    });
    fc.assert(property, tried(0.05));
  }, 600_000);

  test("P-2: what is encoded is decoded again: pairs, netstrings, AJP strings", () => {
    const property = fc.property(plannedRequest, (request) => {
      const { fields, body } = request;
      const heads = [
        alone(engine, request, 7),
        rowsOf(engine, { protocol: "scgi", options: {}, steps: [{ bytes: scgiBytes(request) }] }),
        rowsOf(engine, { protocol: "ajp", options: {}, steps: [{ bytes: ajpBytes(request) }] }),
      ].map((rows) => rows.find(({ kind }) => kind === "HEAD")!.fields!);
      const length = [["CONTENT_LENGTH", String(body.length)]];
      expect(heads[0]).toEqual([...fields, ...(body === "" ? [] : length)]);
      expect(heads[1]).toEqual([...length, ["SCGI", "1"], ...fields]);
      expect(heads[2]!.slice(5, 5 + fields.length)).toEqual(fields);
    });
    fc.assert(property, tried());
  }, 600_000);

  test.each([127, 128, 255, 256, 1_024])(
    "P-2: a name of %i bytes, and values around each border",
    (size) => {
      const name = "N".repeat(size);
      for (const length of [0, 127, 128, 129, 255, 256, 65_535, 65_536, 100_000]) {
        const request = { fields: [[name, "v".repeat(length)]] as const, body: "" };
        const head = (rows: ReadableRow[]) => rows.find(({ kind }) => kind === "HEAD")?.fields;
        expect(head(alone(engine, request, 1))).toEqual(request.fields);
        const scgi = rowsOf(engine, {
          protocol: "scgi",
          options: {},
          steps: [{ bytes: scgiBytes(request) }],
        });
        expect(head(scgi)!.slice(2)).toEqual(request.fields);
      }
    },
  );

  test("P-3: padding and the cutting into records never change the rows", () => {
    const property = fc.property(plannedRequest, segmentation, (request, cut) => {
      const bytes = Buffer.concat(fastcgiRecords(request, 1, cut));
      const rows = rowsOf(engine, { protocol: "fastcgi", options: {}, steps: [{ bytes }] });
      expect(rows).toEqual(alone(engine, request, 1));
    });
    fc.assert(property, tried());
  }, 600_000);

  test("P-4: up to 100 requests whose records are shuffled together are each as if alone", () => {
    const many = fc.array(fc.tuple(plannedRequest, segmentation), { minLength: 2, maxLength: 100 });
    const property = fc.property(many, fc.infiniteStream(fc.nat()), (plans, random) => {
      const queues = plans.map(([request, cut], i) => fastcgiRecords(request, i + 1, cut));
      const mixed: Buffer[] = [];
      for (let left = queues.filter((queue) => queue.length > 0); left.length > 0; ) {
        mixed.push(left[random.next().value! % left.length]!.shift()!);
        left = left.filter((queue) => queue.length > 0);
      }
      const options = { requestsPerConnection: 100 };
      const steps = [{ bytes: Buffer.concat(mixed) }];
      const rows = rowsOf(engine, { protocol: "fastcgi", options, steps });
      for (const [i, [request]] of plans.entries()) {
        const own = joined(rows.filter(({ id }) => id === i + 1));
        expect(own).toEqual(alone(engine, request, i + 1));
      }
    });
    fc.assert(property, tried(0.05));
  }, 600_000);
});

/** Pieces of one body that others stood between are one. */
function joined(rows: readonly ReadableRow[]): ReadableRow[] {
  const result: ReadableRow[] = [];
  for (const row of rows) {
    const last = result.at(-1);
    if (row.kind === "BODY" && last?.kind === "BODY") last.text += row.text!;
    else result.push({ ...row });
  }
  return result;
}
