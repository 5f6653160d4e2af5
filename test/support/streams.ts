/**
 * Generated streams of the three protocols, good and damaged, with notes at random places and under random limits.
 * A seed gives the same streams again. Nothing is decoded here. Memory is reused: a stream is valid until the next.
 */
import { Note } from "../../src/wire/abi.ts";
import type { DecoderOptions } from "../../src/wire/limits.ts";
import { generateAjp } from "./ajp-streams.ts";
import { type DecodedProtocol, decoderOptions } from "./engines.ts";
import { generateFastCgi } from "./fastcgi-streams.ts";
import { Random } from "./random.ts";
import { generateScgi } from "./scgi-streams.ts";

/** Sizes of the memory that generated streams are decoded in: small, so that it fills up. */
export const STREAM_LIMITS = { headBytes: 4096, fieldCount: 64 } as const;

const BYTES_MAX = 60_000;
const NOTES_MAX = 256;

/** What somebody who plays a stream has to take. */
export interface Receiver {
  receive(bytes: Uint8Array): void;
  note(event: number, exchangeId: number): void;
}

/** One stream: bytes, and notes at offsets in them. */
export class Stream {
  protocol: DecodedProtocol = "fastcgi";
  options: DecoderOptions = decoderOptions();
  readonly bytes: Uint8Array = new Uint8Array(BYTES_MAX + 70_000);
  length = 0;
  noteCount = 0;
  readonly #notes: Int32Array = new Int32Array(NOTES_MAX * 3);
  readonly #cuts: Int32Array = new Int32Array(BYTES_MAX + 70_000);
  #cutCount = 0;

  /** Is it long enough? */
  get isFull(): boolean {
    return this.length > BYTES_MAX;
  }

  clear(protocol: DecodedProtocol, options: DecoderOptions): void {
    this.protocol = protocol;
    this.options = options;
    this.length = 0;
    this.noteCount = 0;
    this.#cutCount = 0;
  }

  byte(value: number): void {
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.byte((value >> 8) & 0xff);
    this.byte(value & 0xff);
  }

  text(latin1: string): void {
    for (let i = 0; i < latin1.length; i++) this.byte(latin1.charCodeAt(i));
  }

  copy(source: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) this.byte(source[i]!);
  }

  /** `count` bytes of body: letters, so that they can be told apart. */
  letters(count: number): void {
    for (let i = 0; i < count; i++) this.byte(0x61 + (i % 26));
  }

  /** We do something here. */
  note(event: number, exchangeId: number): void {
    if (this.noteCount === NOTES_MAX) return;
    const at = this.noteCount * 3;
    this.#notes[at] = this.length;
    this.#notes[at + 1] = event;
    this.#notes[at + 2] = exchangeId;
    this.noteCount++;
  }

  /** Changes bytes, takes some away or cuts the end off. */
  damage(random: Random): void {
    for (let n = 1 + random.below(3); n > 0 && this.length > 0; n--) {
      const at = random.below(this.length);
      const kind = random.below(10);
      if (kind < 4) {
        this.bytes[at] = random.below(256);
      } else if (kind < 7) {
        this.bytes[at] = this.bytes[at]! ^ (1 << random.below(8));
      } else if (kind < 9) {
        const gone = Math.min(1 + random.below(9), this.length - at);
        this.bytes.copyWithin(at, at + gone, this.length);
        this.length -= gone;
      } else {
        this.length = at;
      }
    }
  }

  /** Decides where reads end. */
  cut(random: Random): void {
    this.#cutCount = 0;
    const way = random.below(10);
    if (way < 3) return;
    if (way === 3 && this.length < 700) {
      for (let at = 1; at < this.length; at++) this.#cuts[this.#cutCount++] = at;
      return;
    }
    let at = 0;
    const step = 1 + random.below(random.pick([3, 20, 200, 2000]));
    for (;;) {
      at += 1 + random.below(step * 2);
      if (at >= this.length) return;
      this.#cuts[this.#cutCount++] = at;
      // A few short reads, then the rest in one: the cheap way to many different cuts.
      if (this.#cutCount > 24) return;
    }
  }

  /** Forgets the cuts: every read is as long as notes allow. */
  uncut(): void {
    this.#cutCount = 0;
  }

  /** Plays bytes and notes in their order. */
  play(receiver: Receiver): void {
    let at = 0;
    let cut = 0;
    for (let n = 0; n <= this.noteCount; n++) {
      const last = n === this.noteCount;
      const to = last ? this.length : Math.min(this.#notes[n * 3]!, this.length);
      while (at < to) {
        while (cut < this.#cutCount && this.#cuts[cut]! <= at) cut++;
        const end = cut < this.#cutCount ? Math.min(this.#cuts[cut]!, to) : to;
        receiver.receive(this.bytes.subarray(at, end));
        at = end;
      }
      if (!last) receiver.note(this.#notes[n * 3 + 1]!, this.#notes[n * 3 + 2]!);
    }
  }

  /** Everything needed to play it again by hand. */
  describe(): string {
    const names = ["", "ASKED", "ENDED", "UPGRADED"];
    const notes = Array.from({ length: this.noteCount }, (_, n) => {
      const [at, event, id] = this.#notes.subarray(n * 3, n * 3 + 3);
      return `${names[event!]} ${id} at ${at}`;
    });
    return JSON.stringify({
      protocol: this.protocol,
      options: this.options,
      hex: Buffer.from(this.bytes.subarray(0, this.length)).toString("hex"),
      notes,
      cuts: [...this.#cuts.subarray(0, this.#cutCount)],
    });
  }
}

function randomOptions(random: Random): DecoderOptions {
  const base = {
    ...STREAM_LIMITS,
    requestsPerConnection: random.pick([1, 2, 100]),
    ajpRawBody: random.chance(15),
    scgiStrict: random.chance(20),
  };
  if (random.chance(60)) return decoderOptions(base);
  return decoderOptions({
    ...base,
    headBytes: random.pick([60, 200, 4096]),
    fieldCount: random.pick([2, 8, 64]),
    nameBytes: random.pick([4, 16, 1024]),
    valueBytes: random.pick([3, 130, 4096]),
    bodyBytes: random.pick([0, 9, 300, 1_073_741_824]),
    headRecords: random.pick([1, 3, 10_000]),
    ajpPacketBytes: random.pick([8192, 8192, 65_536]),
  });
}

const PROTOCOLS: readonly DecodedProtocol[] = ["fastcgi", "fastcgi", "ajp", "scgi"];

/** Makes the `index`-th stream of a seed, with cuts; four of ten are damaged. */
export function generate(stream: Stream, seed: number, index: number): void {
  const random = new Random(Math.imul(seed, 1_000_003) + index);
  stream.clear(PROTOCOLS[index % PROTOCOLS.length]!, randomOptions(random));
  if (stream.protocol === "fastcgi") generateFastCgi(stream, random);
  else if (stream.protocol === "ajp") generateAjp(stream, random);
  else generateScgi(stream, random);
  if (random.chance(40)) stream.damage(random);
  if (random.chance(5)) stream.note(random.pick([Note.ASKED, Note.ENDED, Note.UPGRADED]), 1);
  stream.cut(random);
}
