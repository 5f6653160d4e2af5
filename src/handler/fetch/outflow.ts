/**
 * Chunks of an answer that is streamed → as few writes as there are turns, and a word when there is room for more.
 * It sends no head and knows no Response; how the answer ends is exchange-side.ts.
 */
import type { BodyPiece } from "../../http/head.ts";
import type { Carrier } from "../carrier.ts";

/** So many bytes wait at most for the end of their turn. */
const HELD_BYTES = 65_536;

const leave = (outflow: Outflow): void => outflow.flush();

/**
 * The bytes of a chunk.
 *
 * @throws TypeError, as node's write, for what is no chunk
 */
export function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  // Streams of a handler's own hold what it put there; node's responses take text as well.
  if (typeof chunk === "string") return Buffer.from(chunk);
  throw Object.assign(
    new TypeError(
      'The "chunk" argument must be of type string or an instance of Buffer or Uint8Array.',
    ),
    { code: "ERR_INVALID_ARG_TYPE" },
  );
}

/** A whole body as bytes: text itself where each character is one. */
export function pieceOf(body: string | Uint8Array): BodyPiece {
  if (typeof body !== "string") return bytesOf(body);
  return Buffer.byteLength(body) === body.length ? body : Buffer.from(body);
}

/** The body of one answer that comes in parts. */
export class Outflow {
  readonly #carrier: Carrier;
  #pieces: BodyPiece[] = [];
  #heldBytes = 0;
  #isDue = false;
  #isOver = false;
  #isRoomy = true;
  #resume: (() => void) | undefined;
  #waiting: Promise<void> | undefined;
  /** Told once, when nobody takes the answer any more. */
  whenGone: (() => void) | undefined;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  /** Adds a chunk; it leaves at the end of this turn, unless {@link Outflow.flush} or {@link Outflow.take} comes first. */
  write(chunk: unknown): void {
    const bytes = bytesOf(chunk);
    if (bytes.length === 0 || this.#isOver) return;
    this.#pieces.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= HELD_BYTES) this.flush();
    else if (!this.#isDue) {
      this.#isDue = true;
      process.nextTick(leave, this);
    }
  }

  flush(): void {
    this.#isDue = false;
    const pieces = this.take();
    if (pieces.length > 0) this.sent(this.#carrier.send(undefined, pieces, false, undefined));
  }

  /** What waits, to be sent together with something else. */
  take(): readonly BodyPiece[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#heldBytes = 0;
    return pieces;
  }

  /** What the carrier said to a write. */
  sent(isRoomy: boolean): void {
    this.#isRoomy = isRoomy;
  }

  /** As {@link AnswerSink.room}. */
  room(): Promise<void> | undefined {
    if (this.#isRoomy || this.#isOver) return undefined;
    this.#waiting ??= new Promise((resolve) => {
      this.#resume = resolve;
    });
    return this.#waiting;
  }

  /** The transport has room. */
  drained(): void {
    this.#isRoomy = true;
    this.#resume?.();
    this.#resume = undefined;
    this.#waiting = undefined;
  }

  /** Nobody takes it any more. */
  gone(): void {
    this.end();
    const tell = this.whenGone;
    this.whenGone = undefined;
    tell?.();
  }

  /** Nothing follows. */
  end(): void {
    this.#isOver = true;
    this.take();
    this.drained();
  }
}
