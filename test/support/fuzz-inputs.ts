/**
 * The corpus of native/fuzz → streams for decoders of either engine: options, notes and bytes.
 * Twin: native/fuzz/fuzz_input.h and seed_file.cc. It decodes nothing of what the bytes mean.
 */
import { readFileSync } from "node:fs";
import type { DecoderOptions } from "../../src/wire/limits.ts";
import type { DecodedProtocol } from "./engines.ts";
import { Random } from "./random.ts";
import type { Stream } from "./streams.ts";

/** One input with its name. */
export interface FuzzSeed {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const HEADER_BYTES = 3;
const NOTE_BYTES = 4;
const NOTES_MAX = 160;
const STREAM_BYTES_MAX = 65_535;

/** Columns as in kPresets: headBytes, fieldCount, nameBytes, valueBytes, bodyBytes, headRecords, ajpPacketBytes. */
// biome-ignore format: a table
const PRESETS: readonly (readonly number[])[] = [
  [4_096, 64, 1_024, 4_096, 1_073_741_824, 10_000, 8_192],
  [4_096, 64, 1_024, 4_096, 1_073_741_824, 10_000, 65_536],
  [60, 64, 1_024, 4_096, 1_073_741_824, 10_000, 8_192],
  [200, 8, 16, 130, 300, 3, 8_192],
  [4_096, 2, 1_024, 3, 9, 10_000, 8_192],
  [4_096, 64, 4, 4_096, 0, 1, 8_192],
  [Infinity, Infinity, Infinity, Infinity, Infinity, Infinity, 65_536],
  [4_096, 64, 1_024, 130, 17, 10_000, 8_192],
];

function optionsOf(bits: number): DecoderOptions {
  const [headBytes, fieldCount, nameBytes, valueBytes, bodyBytes, headRecords, ajpPacketBytes] =
    PRESETS[bits & 7] as [number, number, number, number, number, number, number];
  return {
    headBytes,
    fieldCount,
    nameBytes,
    valueBytes,
    bodyBytes,
    headRecords,
    ajpPacketBytes,
    requestsPerConnection: bits & 0x08 ? 100 : bits & 0x10 ? 2 : 1,
    ajpRawBody: (bits & 0x20) !== 0,
    scgiStrict: (bits & 0x40) !== 0,
  };
}

/** The seeds of one target. */
export function readCorpus(protocol: DecodedProtocol): FuzzSeed[] {
  const path = new URL(`../../native/fuzz/corpus/${protocol}.txt`, import.meta.url);
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [name = "", hex = ""] = line.split(" ");
      return { name, bytes: Buffer.from(hex, "hex") };
    });
}

/**
 * Makes a stream of an input, as the fuzzer plays it.
 *
 * @param cuts seed of the cuts; 0 for none
 */
export function streamOf(
  stream: Stream,
  protocol: DecodedProtocol,
  input: Uint8Array,
  cuts: number,
): void {
  stream.clear(protocol, optionsOf(input[0] ?? 0));
  const room = Math.floor(Math.max(0, input.length - HEADER_BYTES) / NOTE_BYTES);
  const count = Math.min(input[2] ?? 0, NOTES_MAX, room);
  const start = HEADER_BYTES + count * NOTE_BYTES;
  const bytes = input.subarray(start, start + STREAM_BYTES_MAX);
  const notes = Array.from({ length: count }, (_, n) => {
    const at = HEADER_BYTES + n * NOTE_BYTES;
    const id = input[at + 3]!;
    return {
      offset: Math.min(input[at]! | (input[at + 1]! << 8), bytes.length),
      event: (input[at + 2]! % 3) + 1,
      id: id === 0xff ? 65_535 : id,
    };
  }).sort((one, other) => one.offset - other.offset);
  let at = 0;
  for (const { offset, event, id } of notes) {
    stream.copy(bytes, at, offset);
    at = offset;
    stream.note(event, id);
  }
  stream.copy(bytes, at, bytes.length);
  if (cuts > 0) stream.cut(new Random(cuts));
}
