/**
 * The TypeScript engine: memory of its own, and the decoders that the protocols bring.
 * It is the executable specification of the seam and runs wherever there is no addon; it decodes nothing itself.
 */
import type { Protocol } from "../protocols/protocol.ts";
import type { Decoder } from "../wire/decoder.ts";
import type { DecoderOptions } from "../wire/limits.ts";
import { createRing } from "../wire/ring.ts";
import { createTables } from "../wire/tables.ts";
import type { Engine } from "./engine.ts";

/**
 * Makes the memory of one server and thread. An {@link EngineFactory}.
 *
 * @param limits sizes of head area and field table
 */
export function createTypescriptEngine(limits: {
  readonly headBytes: number;
  readonly fieldCount: number;
}): Engine {
  const ring = createRing(limits.headBytes);
  const tables = createTables(limits.fieldCount);
  return {
    name: "typescript",
    ring,
    tables,
    createDecoder: (protocol: Protocol, options: DecoderOptions): Decoder =>
      protocol.createDecoder(ring, tables, options),
  };
}
