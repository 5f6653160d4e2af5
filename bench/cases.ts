/**
 * Engine × protocol × request → a function that decodes that request once, and the rows it must give.
 * It measures nothing. Bytes are laid into the ring beforehand, so that only decoding is left to do.
 */
import type { Engine, EngineFactory } from "../src/engine/engine.ts";
import { ajp } from "../src/protocols/ajp/protocol.ts";
import { fastcgi } from "../src/protocols/fastcgi/protocol.ts";
import type { Protocol } from "../src/protocols/protocol.ts";
import { scgi } from "../src/protocols/scgi/protocol.ts";
import { EVENT_WIDTH, EventColumn, Note, RowKind, StateCell } from "../src/wire/abi.ts";
import type { Decoder } from "../src/wire/decoder.ts";
import { DEFAULT_LIMITS, type DecoderOptions } from "../src/wire/limits.ts";
import type { BenchRead, BenchRequest, DecodedProtocol } from "./streams.ts";

/** The protocols that have a decoder. */
export const PROTOCOLS: Readonly<Record<DecodedProtocol, Protocol>> = { fastcgi, scgi, ajp };

/** Decoder options of every bench: the defaults. */
export const BENCH_OPTIONS: DecoderOptions = {
  ...DEFAULT_LIMITS,
  requestsPerConnection: 1,
  ajpPacketBytes: 8192,
  ajpRawBody: false,
  scgiStrict: false,
};

/** One decode call: a stretch of the ring. */
interface Call {
  readonly start: number;
  readonly end: number;
  readonly asked: boolean;
}

/** Decodes one request again and again. */
export interface DecodeCase {
  /** Decodes the request once; returns the number of event rows. */
  decodeOnce(): number;
  /** Decodes it once more and throws an Error unless the rows are those of this request. */
  check(request: BenchRequest): void;
}

/** Lays the reads one after the other into the ring, the last byte at the end of the read area. */
function layOut(engine: Engine, reads: readonly BenchRead[]): Call[] {
  let at = engine.ring.readEnd - reads.reduce((sum, read) => sum + read.bytes.length, 0);
  if (at < 0) throw new Error("the request does not fit the ring");
  return reads.map(({ bytes, asked }) => {
    const start = at;
    engine.ring.bytes.set(bytes, start);
    at += bytes.length;
    return { start, end: at, asked };
  });
}

/** Makes a case with memory of its own. */
export function decodeCase(
  create: EngineFactory,
  name: DecodedProtocol,
  reads: readonly BenchRead[],
): DecodeCase {
  const engine = create(BENCH_OPTIONS);
  const protocol = PROTOCOLS[name];
  const calls = layOut(engine, reads);
  // SCGI has one request on a connection, so its decoder is part of the price.
  const isSingle = name === "scgi";
  let kept: Decoder = engine.createDecoder(protocol, BENCH_OPTIONS);
  const decodeOnce = (each?: (rows: number, call: Call) => void): number => {
    if (isSingle) kept = engine.createDecoder(protocol, BENCH_OPTIONS);
    let rows = 0;
    for (const call of calls) {
      if (call.asked) kept.note(Note.ASKED, 1);
      const count = kept.decode(call.start, call.end);
      each?.(count, call);
      rows += count;
    }
    kept.note(Note.ENDED, 1);
    if (isSingle) kept.release?.();
    return rows;
  };
  return {
    decodeOnce: () => decodeOnce(),
    check: (request) => checkRows(engine, request, decodeOnce),
  };
}

/** Decodes once and compares what came with what was sent. */
function checkRows(
  engine: Engine,
  request: BenchRequest,
  decodeOnce: (each: (rows: number, call: Call) => void) => number,
): void {
  const { events, state } = engine.tables;
  const kinds = new Map<number, number>();
  let fields = 0;
  let bodyBytes = 0;
  decodeOnce((count, call) => {
    if (state[StateCell.CONSUMED] !== call.end) throw new Error("bytes were left");
    for (let row = 0; row < count; row++) {
      const kind = events[row * EVENT_WIDTH + EventColumn.KIND]!;
      const length = events[row * EVENT_WIDTH + EventColumn.LENGTH]!;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (kind === RowKind.HEAD) fields += length;
      if (kind === RowKind.BODY) bodyBytes += length;
    }
  });
  for (const kind of [RowKind.BEGIN, RowKind.HEAD, RowKind.BODY_END]) {
    if (kinds.get(kind) !== 1) throw new Error(`row kind ${kind}: ${kinds.get(kind) ?? 0} rows`);
  }
  if (kinds.has(RowKind.ERROR)) throw new Error("an ERROR row");
  if (bodyBytes !== request.bodyBytes) throw new Error(`${bodyBytes} bytes of body`);
  if (fields <= request.headers.length) throw new Error(`${fields} field rows`);
}
