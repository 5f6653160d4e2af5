/**
 * Chunks of a request body → a Web stream, or one buffer, without a node stream between. Neither takes a byte before
 * somebody wants it, and what nobody wants is held. Fetch standard §Body; Streams standard, readable byte streams.
 */
import type { Carrier } from "../carrier.ts";
import { owned } from "./body.ts";

/** While less than this is held, more is asked for: the next bytes come while the last are worked on. */
const AHEAD_BYTES = 65_536;

/** As node words it for whoever reads the body of a client that is gone. */
export function brokenOff(cause: Error | undefined): Error {
  const error = new Error("aborted", cause === undefined ? undefined : { cause });
  return Object.assign(error, { code: "ECONNRESET" });
}

/** Who waits for the whole body. */
interface Collector {
  resolve(body: Buffer): void;
  reject(error: Error): void;
}

/** The body of one request. */
export class HeldBody {
  /** Bytes that came and that nobody took. */
  heldBytes = 0;
  /** Has a reader come? */
  isBegun = false;
  readonly #carrier: Carrier;
  #chunks: Buffer[] = [];
  #isWhole = false;
  #error: Error | undefined;
  #controller: ReadableByteStreamController | undefined;
  #isWanted = false;
  #collector: Collector | undefined;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  /** Takes the next chunk, which is this object's own; returns the bytes now held. */
  push(chunk: Buffer): number {
    if (this.#error !== undefined) return 0;
    this.#chunks.push(chunk);
    if (this.#collector !== undefined) {
      this.#carrier.want();
      return 0;
    }
    this.heldBytes += chunk.length;
    this.#feed();
    this.#askAhead();
    return this.heldBytes;
  }

  /** The body is whole. */
  end(): void {
    this.#isWhole = true;
    this.#settle();
  }

  /** The rest will not come. */
  fail(error: Error): void {
    if (this.#isWhole || this.#error !== undefined) return;
    this.#error = error;
    this.#drop();
    this.#settle();
  }

  /** Hands out what is held; for whoever takes over from here. */
  takeHeld(): readonly Buffer[] {
    const chunks = this.#chunks;
    this.#drop();
    return chunks;
  }

  /** As {@link RequestSource.stream}. */
  stream(): ReadableStream<Uint8Array> {
    const source = {
      type: "bytes",
      pull: (controller: ReadableByteStreamController): void => this.#pull(controller),
      cancel: (): void => this.#cancel(),
    };
    return new ReadableStream<Uint8Array>(source as never);
  }

  /** As {@link RequestSource.collect}. */
  collect(): Promise<Buffer> {
    this.isBegun = true;
    this.heldBytes = 0;
    return new Promise((resolve, reject) => {
      this.#collector = { resolve, reject };
      this.#settle();
      if (!this.#isWhole && this.#error === undefined) this.#carrier.want();
    });
  }

  #drop(): void {
    this.#chunks = [];
    this.heldBytes = 0;
  }

  #pull(controller: ReadableByteStreamController): void {
    this.isBegun = true;
    this.#controller = controller;
    this.#isWanted = true;
    this.#feed();
    this.#settle();
    this.#askAhead();
  }

  /** The rest is left unread, as by a handler that never looks at it: the response may still be sent. */
  #cancel(): void {
    this.isBegun = true;
    this.#controller = undefined;
    this.#isWanted = false;
  }

  #feed(): void {
    if (!this.#isWanted || this.#controller === undefined) return;
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return;
    this.#isWanted = false;
    this.heldBytes -= chunk.length;
    this.#controller.enqueue(owned(chunk));
  }

  #askAhead(): void {
    if (this.#isWhole || this.#error !== undefined) return;
    if (this.heldBytes < AHEAD_BYTES) this.#carrier.want();
  }

  /** Tells the reader of the end, once it has everything before it. */
  #settle(): void {
    if (this.#collector !== undefined) this.#settleCollector(this.#collector);
    const controller = this.#controller;
    if (controller === undefined) return;
    if (this.#error !== undefined) {
      this.#controller = undefined;
      controller.error(this.#error);
    } else if (this.#isWhole && this.#chunks.length === 0) {
      this.#controller = undefined;
      controller.close();
      // A reader that brought its own buffer waits for its return.
      controller.byobRequest?.respond(0);
    }
  }

  #settleCollector({ resolve, reject }: Collector): void {
    if (this.#error !== undefined) reject(this.#error);
    else if (this.#isWhole) {
      const chunks = this.#chunks;
      this.#drop();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    } else return;
    this.#collector = undefined;
  }
}
