/**
 * What a worker says is judged before it is believed: it runs other people's code (reliability O-7).
 */
import { expect, test } from "vitest";
import { readReport } from "../../src/workers/messages.ts";

const load = {
  utilisation: 0.5,
  requests: 10,
  inFlight: 1,
  connections: 2,
  rssBytes: 3,
  heapBytes: 4,
  delayMs: 0,
  counters: { refused: 1 },
};

test("a load is read as it was sent, and without what does not belong", () => {
  expect(readReport({ kind: "load", load: { ...load, more: 1 }, more: 2 })).toEqual({
    kind: "load",
    load,
  });
  expect(readReport({ kind: "worn", more: 2 })).toEqual({ kind: "worn" });
});

test.each([
  ["no load", undefined],
  ["a missing number", { ...load, requests: undefined }],
  ["text", { ...load, requests: "10" }],
  ["less than nothing", { ...load, inFlight: -1 }],
  ["no number", { ...load, utilisation: Number.NaN }],
  ["no end", { ...load, rssBytes: Number.POSITIVE_INFINITY }],
  ["no counters", { ...load, counters: undefined }],
  ["a counter that is none", { ...load, counters: { refused: {} } }],
  ["a long name", { ...load, counters: { ["x".repeat(129)]: 1 } }],
  ["many counters", { ...load, counters: Object.fromEntries([...Array(257).keys()].entries()) }],
])("a load with %s is none (O-7)", (_, given) => {
  expect(readReport({ kind: "load", load: given })).toBeUndefined();
});
