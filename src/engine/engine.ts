/**
 * Who turns bytes into rows: the native addon or TypeScript, behind one shape.
 * An engine owns ring and tables and makes decoders over them; it opens no socket and reads no row.
 */
import type { Protocol } from "../protocols/protocol.ts";
import type { Decoder } from "../wire/decoder.ts";
import type { DecoderOptions } from "../wire/limits.ts";
import type { Ring } from "../wire/ring.ts";
import type { Tables } from "../wire/tables.ts";

/** The two engines. */
export type EngineName = "native" | "typescript";

/** Which engine runs, and why: for `server.engine` and the start line. */
export interface EngineChoice {
  readonly name: EngineName;
  /** One clause, such as "the addon is not built". */
  readonly reason: string;
}

/** One engine with its memory. One a server and thread. */
export interface Engine {
  readonly name: EngineName;
  readonly ring: Ring;
  readonly tables: Tables;
  /** Makes a decoder for one connection. */
  createDecoder(protocol: Protocol, options: DecoderOptions): Decoder;
}

/** Makes an engine's memory and its decoders. */
export type EngineFactory = (limits: {
  readonly headBytes: number;
  readonly fieldCount: number;
}) => Engine;
