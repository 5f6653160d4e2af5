/**
 * The addon in the main thread and in worker threads at once: the same rows everywhere, and no crash when one ends.
 * What the rows have to be is vectors.test.ts's matter. Reliability N-4 and N-5. Runs where the addon is built.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { writeOptions } from "../../src/engine/decoder-options.ts";
import { loadAddon } from "../../src/engine/native.ts";
import { EVENT_ROWS, EVENT_WIDTH, FIELD_WIDTH } from "../../src/wire/abi.ts";
import { createRing } from "../../src/wire/ring.ts";
import { testAddonPaths } from "../support/addon.ts";
import { decoderOptions } from "../support/engines.ts";
import { bytesCount, vectorsOf } from "../support/vectors.ts";

const loaded = loadAddon(testAddonPaths());
const isFull = process.env["POSTERN_TEST_FULL"] === "1";
const FIELD_ROWS = 1_032;
const ring = createRing(decoderOptions().headBytes);

/** What a thread needs to decode everything: plain data, so that it can be posted. */
interface Work {
  readonly path: string;
  readonly rounds: number;
  readonly layout: Readonly<Record<"size" | "readStart" | "readEnd" | "headEnd", number>>;
  readonly rows: Readonly<Record<"events" | "fields", number>>;
  readonly vectors: readonly {
    readonly protocol: number;
    readonly options: Float64Array;
    readonly steps: readonly (Uint8Array | readonly [number, number])[];
  }[];
}

/**
 * Decodes all vectors `rounds` times and hashes every row of every call. Plain JavaScript without anything from
 * outside, because its text is what the workers run.
 */
function decodeAll(require: NodeJS.Require, work: Work): string {
  const { createHash } = require("node:crypto");
  const { createMemory, createDecoder, decode, note } = require(work.path);
  const hash = createHash("sha256");
  const { size, readStart, readEnd, headEnd } = work.layout;
  for (let round = 0; round < work.rounds; round++) {
    for (const vector of work.vectors) {
      const bytes = new Uint8Array(size);
      const events = new Int32Array(work.rows.events);
      const fields = new Int32Array(work.rows.fields);
      const state = new Int32Array(4);
      const { protocol, options } = vector;
      const memory = createMemory(bytes, events, fields, state, readEnd, headEnd);
      const decoder = createDecoder(memory, protocol, options);
      let left = new Uint8Array(0);
      for (const step of vector.steps) {
        if (!(step instanceof Uint8Array)) {
          note(decoder, step[0], step[1]);
          continue;
        }
        for (let at = 0; at < step.length; at += 60_000) {
          const chunk = step.subarray(at, at + 60_000);
          let start = readStart - left.length;
          const end = readStart + chunk.length;
          bytes.set(left, start);
          bytes.set(chunk, readStart);
          do {
            const count = decode(decoder, start, end);
            hash.update(Buffer.from(events.slice(0, count * 6).buffer));
            hash.update(Buffer.from(fields.slice(0, 64).buffer));
            start = state[0] as number;
          } while (state[1] === 1);
          left = bytes.slice(start, end);
        }
      }
    }
  }
  return hash.digest("hex");
}

/** All vectors that are not huge, as plain data. */
function makeWork(rounds: number): Work {
  const numbers = { fastcgi: 1, scgi: 2, ajp: 3 } as const;
  const all = (["fastcgi", "scgi", "ajp"] as const).flatMap((name) => vectorsOf(name));
  return {
    path: loaded.addon === undefined ? "" : loaded.path,
    rounds,
    layout: {
      size: ring.headEnd,
      readStart: ring.readStart,
      readEnd: ring.readEnd,
      headEnd: ring.headEnd,
    },
    rows: { events: EVENT_ROWS * EVENT_WIDTH, fields: FIELD_ROWS * FIELD_WIDTH },
    vectors: all
      .filter((vector) => bytesCount(vector) < 200_000)
      .map((vector) => {
        const options = writeOptions(new Float64Array(10), decoderOptions(vector.options));
        const steps = vector.steps.map((step) =>
          "bytes" in step
            ? new Uint8Array(step.bytes)
            : ([step.event, step.exchangeId] as [number, number]),
        );
        return { protocol: numbers[vector.protocol], options, steps };
      }),
  };
}

/** Starts a worker that decodes everything and posts its hash. */
function startWorker(work: Work): Worker {
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    const decodeAll = ${decodeAll.toString()};
    parentPort.postMessage(decodeAll(require, workerData));`;
  return new Worker(code, { eval: true, workerData: work });
}

test("the addon is built where CI asks for it", () => {
  if (process.env["CI"] === "true") expect(loaded).toHaveProperty("addon");
});

describe.skipIf(loaded.addon === undefined)("the addon", () => {
  test("gives the same rows in the main thread and in two workers at once (N-4)", async () => {
    const work = makeWork(isFull ? 50 : 3);
    expect(work.vectors.length).toBeGreaterThan(50);
    const workers = [startWorker(work), startWorker(work)];
    const messages = workers.map((worker) => once(worker, "message"));
    const { createRequire } = await import("node:module");
    const here = decodeAll(createRequire(import.meta.url), work);
    for (const message of messages) expect((await message)[0]).toBe(here);
    await Promise.all(workers.map((worker) => worker.terminate()));
    // Were the hash that of nothing, all threads would agree as well.
    expect(decodeAll(createRequire(import.meta.url), { ...work, vectors: [] })).not.toBe(here);
  });

  test("survives workers that are terminated in the middle (N-4)", async () => {
    const work = makeWork(1_000);
    for (let i = 0; i < (isFull ? 125 : 3); i++) {
      const workers = Array.from({ length: 8 }, () => startWorker(work));
      await Promise.all(workers.map((worker) => once(worker, "online")));
      await new Promise((done) => setTimeout(done, Math.random() * 100));
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
    const [message] = await once(startWorker(makeWork(1)), "message");
    expect(message).toMatch(/^[0-9a-f]{64}$/);
  });

  test("gives memory back when decoders are dropped (N-5)", async () => {
    const code = `
      const { parentPort, workerData } = require("node:worker_threads");
      const { createMemory, createDecoder, decode } = require(workerData.path);
      const { size, readEnd, headEnd } = workerData.layout;
      const arrays = [new Uint8Array(size), new Int32Array(6144), new Int32Array(4128), new Int32Array(4)];
      const memory = createMemory(...arrays, readEnd, headEnd);
      const options = workerData.vectors[0].options;
      const make = (count) => {
        for (let i = 0; i < count; i++) decode(createDecoder(memory, 1, options), 0, 0);
      };
      const settle = async () => {
        for (let i = 0; i < 5; i++) {
          globalThis.gc();
          await new Promise((done) => setTimeout(done, 10));
        }
        return process.memoryUsage().rss;
      };
      (async () => {
        make(50_000);
        const before = await settle();
        for (let i = 0; i < workerData.rounds; i++) {
          make(10_000);
          await settle();
        }
        parentPort.postMessage((await settle()) - before);
      })();`;
    // Flags of the engine belong to the whole process: set before the worker compiles its code.
    const { setFlagsFromString } = await import("node:v8");
    setFlagsFromString("--expose-gc");
    const worker = new Worker(code, {
      eval: true,
      workerData: makeWork(isFull ? 100 : 10),
    });
    const [grown] = await once(worker, "message");
    expect(grown).toBeLessThan(32 * 1024 * 1024);
  });
});
