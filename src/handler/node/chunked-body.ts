/**
 * A body in chunks → its bytes (RFC 9112 §7.1).
 * For refusals that an application writes by hand, or lets a ServerResponse write, on the socket of an upgrade request.
 * Extensions and trailers are dropped. A body that says it has chunks and has none is passed on as it is: proxies that
 * copy an origin's head in front of a body they have decoded write such.
 */

/** A size line is hexadecimal digits; the longest that matter, with an extension, stay far below. */
const LINE_BYTES_MAX = 4_096;

const State = { IN_SIZE: 0, IN_DATA: 1, AFTER_DATA: 2, IN_TRAILER: 3, PLAIN: 4 } as const;

/** One chunked body, as it is written. */
export class ChunkedBody {
  /** Has the last chunk come, with the empty line behind it? */
  complete = false;
  #state: number = State.IN_SIZE;
  #line = "";
  #dueBytes = 0;
  #isFirst = true;

  /** The writing has ended: what was held, where it turns out that there never were any chunks; else undefined. */
  takePlain(): Buffer | undefined {
    if (!this.#isFirst) return undefined;
    const line = this.#line;
    this.#line = "";
    return Buffer.from(line, "latin1");
  }

  /** Takes the next bytes; returns those of the body. What follows its end is dropped. */
  take(bytes: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let at = 0;
    while (at < bytes.length && !this.complete) {
      if (this.#state === State.PLAIN) {
        pieces.push(bytes.subarray(at));
        break;
      }
      if (this.#state === State.IN_DATA) {
        const piece = bytes.subarray(at, at + this.#dueBytes);
        pieces.push(piece);
        at += piece.length;
        this.#dueBytes -= piece.length;
        if (this.#dueBytes === 0) this.#state = State.AFTER_DATA;
        continue;
      }
      const end = bytes.indexOf(10, at);
      const to = end < 0 ? bytes.length : end + 1;
      this.#line += bytes.toString("latin1", at, to);
      at = to;
      if (end >= 0 || this.#line.length > LINE_BYTES_MAX) this.#lineEnded(pieces);
    }
    return pieces;
  }

  #lineEnded(pieces: Buffer[]): void {
    const line = this.#line;
    this.#line = "";
    if (this.#state === State.AFTER_DATA) {
      this.#state = State.IN_SIZE;
    } else if (this.#state === State.IN_TRAILER) {
      this.complete = line === "\r\n" || line === "\n";
    } else {
      const digits = /^([0-9a-f]{1,13})[ \t]*(?:;.*)?\r?\n$/i.exec(line)?.[1];
      if (digits === undefined && this.#isFirst) {
        this.#state = State.PLAIN;
        pieces.push(Buffer.from(line, "latin1"));
        return;
      }
      if (digits === undefined) throw new RangeError("A chunk of the refusal has no size");
      this.#isFirst = false;
      this.#dueBytes = Number.parseInt(digits, 16);
      this.#state = this.#dueBytes === 0 ? State.IN_TRAILER : State.IN_DATA;
    }
  }
}
