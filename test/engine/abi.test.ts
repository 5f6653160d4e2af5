/**
 * The addon's numbers and names against ours, and what its constructor and calls refuse.
 * It decodes no protocol: vectors.test.ts and agree.test.ts do. Runs where the addon is built.
 */
import { describe, expect, test } from "vitest";
import {
  type AbiReport,
  type Addon,
  abiDifference,
  expectedNumbers,
  loadAddon,
} from "../../src/engine/native.ts";
import { FIELD_NAMES } from "../../src/http/field-names.ts";
import { EVENT_WIDTH, FIELD_WIDTH, STATE_CELLS } from "../../src/wire/abi.ts";
import type { Decoder } from "../../src/wire/decoder.ts";
import { createRing, type Ring } from "../../src/wire/ring.ts";
import { createTables, type Tables } from "../../src/wire/tables.ts";
import { testAddonPaths } from "../support/addon.ts";

const loaded = loadAddon(testAddonPaths());

/** What a constructor is given, each of which a test may replace. */
interface Parts {
  protocol: unknown;
  ring: unknown;
  events: unknown;
  fields: unknown;
  state: unknown;
  readEnd: unknown;
  headEnd: unknown;
  options: unknown;
}

const HEAD_BYTES = 1024;
const FIELD_COUNT = 10;

function goodParts(): Parts & { ring: Uint8Array; tables: Tables; memory: Ring } {
  const memory = createRing(HEAD_BYTES);
  const tables = createTables(FIELD_COUNT);
  return {
    protocol: 1,
    ring: memory.bytes,
    ...tables,
    readEnd: memory.readEnd,
    headEnd: memory.headEnd,
    options: Float64Array.of(HEAD_BYTES, FIELD_COUNT, 100, 100, 1e9, 100, 1, 8192, 0, 0),
    tables,
    memory,
  };
}

/** Makes a decoder from whatever it is given. */
function construct(addon: Addon, parts: Parts): Decoder {
  const { protocol, ring, events, fields, state, readEnd, headEnd, options } = parts;
  const parameters = [ring, events, fields, state, readEnd, headEnd];
  const memory = Reflect.apply(addon.createMemory, undefined, parameters);
  const handle = Reflect.apply(addon.createDecoder, undefined, [memory, protocol, options]);
  return {
    decode: (start, end) => addon.decode(handle, start, end),
    note: (event, exchangeId) => addon.note(handle, event, exchangeId),
    get resting(): boolean {
      return addon.isResting(handle);
    },
  };
}

/** A typed array whose memory was given away. */
function detached<T extends Uint8Array | Int32Array | Float64Array>(array: T): T {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}

test("the addon is built where CI asks for it", () => {
  if (process.env["CI"] === "true") expect(loaded).toHaveProperty("addon");
});

describe.skipIf(loaded.addon === undefined)("the addon's numbers", () => {
  const { addon } = loaded as { addon: Addon };

  test("every number of the seam is the same there and here (N-7)", () => {
    const report = addon.abi();
    expect(report.numbers).toEqual(Object.fromEntries(expectedNumbers()));
    expect(Object.keys(report.numbers).length).toBeGreaterThan(80);
  });

  test("every field name has the same id there and here", () => {
    expect(addon.abi().fieldNames).toEqual(FIELD_NAMES);
  });

  test("a number that differs is named, on whichever side it is", () => {
    const report = addon.abi();
    const altered = (numbers: Record<string, number>): AbiReport => ({ ...report, numbers });
    expect(abiDifference(report)).toBeUndefined();
    expect(abiDifference(altered({ ...report.numbers, "RowKind.HEAD": 99 }))).toBe(
      "RowKind.HEAD is 99 there and 2 here",
    );
    const { EVENT_WIDTH: _, ...others } = report.numbers;
    expect(abiDifference(altered(others))).toBe("EVENT_WIDTH is absent there and 6 here");
    expect(abiDifference(altered({ ...report.numbers, NOVELTY: 1 }))).toBe(
      "NOVELTY is absent here",
    );
    const fieldNames = report.fieldNames.with(1, "OTHER");
    expect(abiDifference({ ...report, fieldNames })).toBe(
      "field name 1 is OTHER there and REQUEST_METHOD here",
    );
    expect(abiDifference({ ...report, fieldNames: report.fieldNames.slice(0, -1) })).toMatch(
      /^field name \d+ is absent there and ajp:stored_method here$/,
    );
  });
});

describe.skipIf(loaded.addon === undefined)("the addon refuses", () => {
  const { addon } = loaded as { addon: Addon };
  const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes);
  const resizable = (bytes: number): ArrayBuffer =>
    Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: bytes * 2 }]);

  test.each<[string, Partial<Parts>]>([
    ["no protocol", { protocol: 0 }],
    ["an unknown protocol", { protocol: 4 }],
    ["a protocol by name", { protocol: "fastcgi" }],
    ["a fraction of a protocol", { protocol: 1.5 }],
    ["no ring", { ring: undefined }],
    ["an array of numbers as ring", { ring: [1, 2, 3] }],
    ["an Int32Array as ring", { ring: new Int32Array(100_000) }],
    ["an ArrayBuffer as ring", { ring: new ArrayBuffer(200_000) }],
    ["an empty ring", { ring: new Uint8Array(0) }],
    ["a shared ring", { ring: new Uint8Array(shared(200_000)) }],
    ["a resizable ring", { ring: new Uint8Array(resizable(200_000)) }],
    ["a ring given away", { ring: detached(new Uint8Array(200_000)) }],
    ["a ring smaller than its offsets", { ring: new Uint8Array(1000) }],
    ["a DataView as events", { events: new DataView(new ArrayBuffer(6144)) }],
    ["a Uint8Array as events", { events: new Uint8Array(6144) }],
    ["too few events", { events: new Int32Array(EVENT_WIDTH) }],
    ["shared events", { events: new Int32Array(shared(6144 * 4)) }],
    ["events given away", { events: detached(new Int32Array(6144)) }],
    ["too few fields", { fields: new Int32Array(FIELD_WIDTH * FIELD_COUNT) }],
    ["null as fields", { fields: null }],
    ["fields given away", { fields: detached(new Int32Array(6144)) }],
    ["too small a state", { state: new Int32Array(STATE_CELLS - 1) }],
    ["a state of floats", { state: new Float64Array(STATE_CELLS) }],
    ["a state given away", { state: detached(new Int32Array(STATE_CELLS)) }],
    ["a negative offset", { readEnd: -1 }],
    ["an offset that is none", { readEnd: Number.NaN }],
    ["an offset past the ring", { headEnd: 1e9 }],
    ["offsets the wrong way round", { readEnd: 5000, headEnd: 4000 }],
    ["no options", { options: undefined }],
    ["too few options", { options: new Float64Array(9) }],
    ["a negative limit", { options: Float64Array.of(-1, 10, 9, 9, 9, 9, 1, 8192, 0, 0) }],
    ["a limit that is none", { options: new Float64Array(10).fill(Number.NaN) }],
    ["a limit of half a byte", { options: Float64Array.of(1.5, 9, 9, 9, 9, 9, 1, 8192, 0, 0) }],
    ["options given away", { options: detached(new Float64Array(10)) }],
  ])("%s", (_, part) => {
    expect(() => construct(addon, { ...goodParts(), ...part })).toThrow(TypeError);
  });

  test.each([
    ["undefined", undefined],
    ["null", null],
    ["a number", 1],
    ["an object", {}],
    ["an object that looks like one", { kind: "memory" }],
    ["a handle of the other kind", "other"],
  ])("%s as handle", (_, value) => {
    const { protocol, ring, events, fields, state, readEnd, headEnd, options } = goodParts();
    const parameters = [ring, events, fields, state, readEnd, headEnd];
    const memory = Reflect.apply(addon.createMemory, undefined, parameters);
    const decoder = Reflect.apply(addon.createDecoder, undefined, [memory, protocol, options]);
    const noMemory = value === "other" ? decoder : value;
    const noDecoder = value === "other" ? memory : value;
    expect(() =>
      Reflect.apply(addon.createDecoder, undefined, [noMemory, protocol, options]),
    ).toThrow(TypeError);
    expect(() => Reflect.apply(addon.renewDecoder, undefined, [noDecoder])).toThrow(TypeError);
    expect(() => Reflect.apply(addon.decode, undefined, [noDecoder, 0, 0])).toThrow(TypeError);
    expect(() => Reflect.apply(addon.note, undefined, [noDecoder, 1, 1])).toThrow(TypeError);
  });

  test("calls without arguments", () => {
    for (const name of [
      "createMemory",
      "createDecoder",
      "renewDecoder",
      "decode",
      "note",
    ] as const) {
      expect(() => Reflect.apply(addon[name], undefined, [])).toThrow(TypeError);
    }
  });

  test.each([
    [-1, 0],
    [0, -1],
    [10, 9],
    [0, 1e9],
    [0, 2 ** 32],
    [0.5, 10],
    [Number.NaN, 10],
    [0, Number.POSITIVE_INFINITY],
    ["0", 10],
    [undefined, undefined],
    [0n, 10n],
  ])("to decode from %s to %s", (start, end) => {
    const decoder = construct(addon, goodParts());
    expect(() => Reflect.apply(decoder.decode, decoder, [start, end])).toThrow(RangeError);
  });

  test("to decode into the head area", () => {
    const parts = goodParts();
    const decoder = construct(addon, parts);
    expect(() => decoder.decode(0, parts.memory.readEnd + 1)).toThrow(RangeError);
    expect(decoder.decode(parts.memory.readEnd, parts.memory.readEnd)).toBe(0);
  });

  test.each([
    ["1", 1],
    [1, "1"],
    [undefined, undefined],
    [1, -1],
    [1, 0.5],
  ])("to note %s of %s", (event, id) => {
    const decoder = construct(addon, goodParts());
    expect(() => Reflect.apply(decoder.note, decoder, [event, id])).toThrow(TypeError);
  });

  test.each(["ring", "events", "fields", "state"] as const)(
    "to go on when %s was given away (N-2)",
    (name) => {
      const parts = goodParts();
      const decoder = construct(addon, parts);
      const start = parts.memory.readStart;
      expect(decoder.decode(start, start)).toBe(0);
      detached(parts[name] as Uint8Array | Int32Array);
      expect(() => decoder.decode(start, start)).toThrow(TypeError);
    },
  );
});

describe.skipIf(loaded.addon === undefined)("the addon", () => {
  const { addon } = loaded as { addon: Addon };

  test("takes Infinity as a limit that is switched off", () => {
    const parts = goodParts();
    const off = Number.POSITIVE_INFINITY;
    parts.options = Float64Array.of(HEAD_BYTES, FIELD_COUNT, off, off, off, off, off, 8192, 0, 0);
    expect(construct(addon, parts).decode(0, 0)).toBe(0);
  });

  test("ignores notes about exchanges it does not know", () => {
    const decoder = construct(addon, goodParts());
    for (const event of [0, 1, 2, 3, 4, 4_294_967_295]) {
      for (const id of [0, 1, 65_535, 4_294_967_295]) decoder.note(event, id);
    }
    expect(decoder.decode(0, 0)).toBe(0);
  });
});
