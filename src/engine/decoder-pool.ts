/**
 * Decoders of the addon in the shape of the seam, their handles used again by later connections.
 * It loads nothing and decodes nothing. A handle takes 0.9 µs to make, and the garbage collector's time to forget, which SCGI
 * would pay for each request: 0.1 µs used again.
 */
import type { Protocol } from "../protocols/protocol.ts";
import { DECODER_OPTIONS, StateCell } from "../wire/abi.ts";
import type { Decoder } from "../wire/decoder.ts";
import type { DecoderOptions } from "../wire/limits.ts";
import type { Tables } from "../wire/tables.ts";
import { writeOptions } from "./decoder-options.ts";
import type { Addon, DecoderHandle, MemoryHandle } from "./native.ts";

/** Handles kept at most: connections that are gone at the same time. */
const FREE_MAX = 256;

/** Handles of one protocol and the same options, free for another connection. */
interface Kind {
  readonly protocol: Protocol;
  readonly options: DecoderOptions;
  readonly free: DecoderHandle[];
}

/** Makes the decoders of one engine. */
export class DecoderPool {
  readonly addon: Addon;
  readonly tables: Tables;
  readonly #memory: MemoryHandle;
  readonly #numbers = new Float64Array(DECODER_OPTIONS);
  /** By protocol number. Those of a server's setup are the same object for each connection. */
  readonly #kinds: (Kind | undefined)[] = [];

  constructor(addon: Addon, memory: MemoryHandle, tables: Tables) {
    this.addon = addon;
    this.tables = tables;
    this.#memory = memory;
  }

  /** A decoder that has seen no byte. */
  take(protocol: Protocol, options: DecoderOptions): Decoder {
    let kind = this.#kinds[protocol.number];
    if (kind?.options !== options) {
      kind = { protocol, options, free: [] };
      this.#kinds[protocol.number] = kind;
    }
    const handle = kind.free.pop();
    if (handle !== undefined) {
      this.addon.renewDecoder(handle);
      return new NativeDecoder(this, kind.free, handle);
    }
    writeOptions(this.#numbers, options);
    const made = this.addon.createDecoder(this.#memory, protocol.number, this.#numbers);
    return new NativeDecoder(this, kind.free, made);
  }
}

/** One decoder of the addon. */
class NativeDecoder implements Decoder {
  readonly #pool: DecoderPool;
  readonly #free: DecoderHandle[];
  /** Undefined once it is another connection's. */
  #handle: DecoderHandle | undefined;

  constructor(pool: DecoderPool, free: DecoderHandle[], handle: DecoderHandle) {
    this.#pool = pool;
    this.#free = free;
    this.#handle = handle;
  }

  decode(start: number, end: number): number {
    const { addon, tables } = this.#pool;
    if (this.#handle !== undefined) return addon.decode(this.#handle, start, end);
    tables.state[StateCell.CONSUMED] = end;
    tables.state[StateCell.MORE] = 0;
    return 0;
  }

  note(event: number, exchangeId: number): void {
    if (this.#handle !== undefined) this.#pool.addon.note(this.#handle, event, exchangeId);
  }

  get resting(): boolean {
    return this.#handle !== undefined && this.#pool.addon.isResting(this.#handle);
  }

  release(): void {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle !== undefined && this.#free.length < FREE_MAX) this.#free.push(handle);
  }
}
