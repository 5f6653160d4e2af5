/**
 * Requests that are over → lines of the access log, gathered and handed on in pieces of some 256 KiB.
 * Lines of an idle server are written in the next turn of the loop, those of a busy one every 100 ms: a write for each turn
 * would cost as much as the line. Words are access-format.ts's and plain-lines.ts's, writing is line-log.ts's.
 */
import type { Account } from "../connection/account.ts";
import type { Bookkeeper } from "../connection/books.ts";
import type { LineFormat } from "./access-format.ts";
import type { LogPlace } from "./access-tokens.ts";
import type { LineLog } from "./line-log.ts";
import type { PlainLines } from "./plain-lines.ts";

/** Of what is handed on at once: the thread that writes costs as much as fifty lines, however many it is. */
const PIECE_BYTES = 262_144;
/** Most bytes of a character's code unit in UTF-8. */
const UNIT_BYTES = 3;
const LINE_END = 10;
/**
 * Requests whose lines are made one behind the other. In each request's own time a line of json took some 0.7 µs more
 * of 3: its code has left the processor's caches since the last one.
 */
const BATCH = 32;
/** Between two writes of a busy server, in milliseconds. */
const PAUSE_MS = 100;

/** The access log of one server. */
export class AccessLog implements Bookkeeper {
  readonly timed: boolean;
  readonly clocked: boolean;
  readonly #log: LineLog;
  readonly #format: LineFormat["line"];
  readonly #place: LogPlace;
  readonly #encoding: "latin1" | "utf8";
  /**
   * Lines that are gathered, and those that are being written, in turns. As strings each would keep its parts, and the head
   * that they are parts of, until it is written.
   */
  readonly #pieces: readonly Buffer[] = [
    Buffer.allocUnsafeSlow(PIECE_BYTES),
    Buffer.allocUnsafeSlow(PIECE_BYTES),
  ];
  readonly #plain: PlainLines | undefined;
  /** Which piece is gathered. */
  #current = 0;
  /** Is the other one being written? */
  #isWriting = false;
  #used = 0;
  #count = 0;
  /** Requests that are over and have no line yet. */
  readonly #waiting: (Account | undefined)[] = new Array<undefined>(BATCH).fill(undefined);
  #waitingCount = 0;
  /** Is a turn or a pause awaited, after which lines are written? */
  #isDue = false;
  #pause: NodeJS.Timeout | undefined;
  readonly #turn = (): void => this.#begin();
  readonly #written = (): void => {
    this.#isWriting = false;
  };

  /** @param plain writes lines without an escape into the pieces it is given; undefined: `format` writes all */
  constructor(
    log: LineLog,
    format: Pick<LineFormat, "line" | "isAscii" | "timed" | "clocked">,
    place: LogPlace,
    plain?: (pieces: readonly Buffer[]) => PlainLines,
  ) {
    this.#log = log;
    this.timed = format.timed;
    this.clocked = format.clocked;
    this.#format = format.line;
    this.#encoding = format.isAscii ? "latin1" : "utf8";
    this.#place = place;
    this.#plain = plain?.(this.#pieces);
  }

  ended(account: Account): void {
    this.#waiting[this.#waitingCount++] = account;
    if (this.#waitingCount === BATCH) this.#makeLines();
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#turn);
  }

  /** Makes the lines of all that wait. */
  #makeLines(): void {
    const waiting = this.#waiting;
    const count = this.#waitingCount;
    this.#waitingCount = 0;
    for (let i = 0; i < count; i++) {
      this.#makeLine(waiting[i]!);
      waiting[i] = undefined;
    }
  }

  #makeLine(account: Account): void {
    const end = this.#plain?.write(account, this.#current, this.#used) ?? 0;
    if (end > 0) {
      this.#used = end;
      this.#count++;
    } else this.#gather(this.#format(account, this.#place));
  }

  #gather(line: string): void {
    const bytesMax = line.length * UNIT_BYTES + 1;
    if (this.#used + bytesMax > PIECE_BYTES) this.#handOn();
    if (bytesMax > PIECE_BYTES) return this.#log.write(line, 1);
    const piece = this.#pieces[this.#current]!;
    this.#used += piece.write(line, this.#used, this.#encoding);
    piece[this.#used++] = LINE_END;
    this.#count++;
  }

  /** Hands on the lines of all requests that are over. */
  flush(): void {
    this.#makeLines();
    this.#handOn();
  }

  #handOn(): void {
    if (this.#count === 0) return;
    const bytes = this.#pieces[this.#current]!.subarray(0, this.#used);
    if (this.#isWriting) this.#log.writeBytes(Buffer.from(bytes), this.#count, () => undefined);
    else {
      this.#isWriting = true;
      this.#current = 1 - this.#current;
      this.#log.writeBytes(bytes, this.#count, this.#written);
    }
    this.#used = 0;
    this.#count = 0;
  }

  /** Hands on, and gathers for a while. */
  #begin(): void {
    this.flush();
    if (this.#pause === undefined) {
      this.#pause = setTimeout(() => {
        if (this.#count > 0 || this.#waitingCount > 0) this.#begin();
        else this.#isDue = false;
      }, PAUSE_MS).unref();
    } else this.#pause.refresh();
  }
}
