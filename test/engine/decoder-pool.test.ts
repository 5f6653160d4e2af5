/**
 * Handles of native decoders are used again by later connections, which see nothing of the earlier ones.
 * What a decoder makes of bytes is agree.test.ts's, which uses its handles again, too.
 */
import { expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { type Addon, loadAddon, nativeEngine } from "../../src/engine/native.ts";
import { scgi } from "../../src/protocols/scgi/protocol.ts";
import { EVENT_WIDTH, Note, RowKind, StateCell } from "../../src/wire/abi.ts";
import type { Decoder } from "../../src/wire/decoder.ts";
import { testAddonPaths } from "../support/addon.ts";
import { decoderOptions, describeEngines } from "../support/engines.ts";

const REQUEST = "24:CONTENT_LENGTH\x000\0SCGI\x001\0,";
const WHOLE = [RowKind.BEGIN, RowKind.HEAD, RowKind.BODY_END];
const options = decoderOptions();

/** An engine, and how many handles it has made. */
function countedEngine(): { engine: Engine; made: () => number } {
  const addon = loadAddon(testAddonPaths()).addon!;
  let made = 0;
  const counted: Addon = {
    ...addon,
    createDecoder(...parameters) {
      made++;
      return addon.createDecoder(...parameters);
    },
  };
  return { engine: nativeEngine(counted)(options), made: () => made };
}

/** Kinds of the rows that a decoder makes of a text. */
function kindsOf({ ring, tables }: Engine, decoder: Decoder, text: string): number[] {
  ring.bytes.write(text, ring.readStart, "latin1");
  const count = decoder.decode(ring.readStart, ring.readStart + text.length);
  expect(tables.state[StateCell.CONSUMED]).toBe(ring.readStart + text.length);
  return Array.from({ length: count }, (_, row) => tables.events[row * EVENT_WIDTH]!);
}

describeEngines("handles of decoders", () => {
  test("a released one is as new, whatever it was in the midst of", () => {
    const { engine, made } = countedEngine();
    for (let cut = 1; cut < REQUEST.length; cut++) {
      const first = engine.createDecoder(scgi, options);
      expect(kindsOf(engine, first, REQUEST.slice(0, cut))).toEqual([]);
      first.release?.();
      const second = engine.createDecoder(scgi, options);
      expect(kindsOf(engine, second, REQUEST)).toEqual(WHOLE);
      second.note(Note.ENDED, 1);
      second.release?.();
    }
    expect(made()).toBe(1);
  });

  test("what is said to a released decoder does not reach its successor", () => {
    const { engine } = countedEngine();
    const first = engine.createDecoder(scgi, options);
    first.release?.();
    first.release?.();
    const [second, third] = [scgi, scgi].map((one) => engine.createDecoder(one, options));
    first.note(Note.ENDED, 1);
    expect(kindsOf(engine, first, REQUEST)).toEqual([]);
    expect(kindsOf(engine, second!, REQUEST)).toEqual(WHOLE);
    expect(kindsOf(engine, third!, REQUEST)).toEqual(WHOLE);
  });

  test("other options get a handle of their own", () => {
    const { engine, made } = countedEngine();
    engine.createDecoder(scgi, options).release?.();
    const strict = engine.createDecoder(scgi, { ...options, headBytes: 10 });
    expect(kindsOf(engine, strict, REQUEST)).toEqual([RowKind.ERROR]);
    expect(made()).toBe(2);
  });
}, ["native"]);
