/**
 * Chunks from a slab: each is its owner's alone, and no chunk keeps more than one piece alive.
 */
import { expect, test } from "vitest";
import { SLAB_BYTES, Slab } from "../../src/wire/slab.ts";

const SIZES = [
  0,
  1,
  4_096,
  4_097,
  65_536,
  65_530,
  8_186,
  SLAB_BYTES - 1,
  SLAB_BYTES,
  SLAB_BYTES + 1,
];

test("chunks of every size have their length and share no byte", () => {
  const slab = new Slab();
  const chunks = Array.from({ length: 200 }, (_, i) => slab.take(SIZES[i % SIZES.length]!));
  chunks.forEach((chunk, i) => void chunk.fill(i));
  chunks.forEach((chunk, i) => {
    expect(chunk.length).toBe(SIZES[i % SIZES.length]!);
    expect(chunk.every((byte) => byte === i)).toBe(true);
  });
});

test("a chunk keeps at most one piece alive", () => {
  const slab = new Slab();
  for (const size of SIZES) {
    expect(slab.take(size).buffer.byteLength).toBeLessThanOrEqual(Math.max(SLAB_BYTES, size));
  }
});
