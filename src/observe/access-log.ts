/**
 * Requests that are over → lines of the access log, gathered and handed on in pieces of some 64 KiB.
 * Lines of an idle server are written in the next turn of the loop, those of a busy one every 100 ms: a write for each turn
 * would cost as much as the line. Words are access-format.ts's, writing is line-log.ts's.
 */
import type { Account } from "../connection/account.ts";
import type { Bookkeeper } from "../connection/books.ts";
import type { LineFormat } from "./access-format.ts";
import type { LogPlace } from "./access-tokens.ts";
import type { LineLog } from "./line-log.ts";

/** Of what is handed on at once. */
const PIECE_BYTES = 65_536;
/** Most bytes of a character's code unit in UTF-8. */
const UNIT_BYTES = 3;
const LINE_END = 10;
/** Between two writes of a busy server, in milliseconds. */
const PAUSE_MS = 100;

/** The access log of one server. */
export class AccessLog implements Bookkeeper {
  readonly timed: boolean;
  readonly #log: LineLog;
  readonly #format: LineFormat["line"];
  readonly #place: LogPlace;
  /**
   * Lines that are gathered, with line ends between them. As strings each would keep its parts, and the head that they are
   * parts of, until it is written.
   */
  readonly #gathered: Buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  readonly #encoding: "latin1" | "utf8";
  #used = 0;
  #count = 0;
  /** Is a turn or a pause awaited, after which lines are written? */
  #isDue = false;
  #pause: NodeJS.Timeout | undefined;
  readonly #turn = (): void => this.#begin();

  constructor(log: LineLog, format: LineFormat, place: LogPlace) {
    this.#log = log;
    this.timed = format.timed;
    this.#format = format.line;
    this.#encoding = format.isAscii ? "latin1" : "utf8";
    this.#place = place;
  }

  ended(account: Account): void {
    const line = this.#format(account, this.#place);
    const bytesMax = line.length * UNIT_BYTES + 1;
    if (this.#used + bytesMax > PIECE_BYTES) this.flush();
    if (bytesMax > PIECE_BYTES) return this.#log.write(line, 1);
    if (this.#count++ > 0) this.#gathered[this.#used++] = LINE_END;
    this.#used += this.#gathered.write(line, this.#used, this.#encoding);
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#turn);
  }

  /** Hands on what was gathered. */
  flush(): void {
    if (this.#count === 0) return;
    this.#log.write(this.#gathered.toString(this.#encoding, 0, this.#used), this.#count);
    this.#used = 0;
    this.#count = 0;
  }

  /** Hands on, and gathers for a while. */
  #begin(): void {
    this.flush();
    if (this.#pause === undefined) {
      this.#pause = setTimeout(() => {
        if (this.#count > 0) this.#begin();
        else this.#isDue = false;
      }, PAUSE_MS).unref();
    } else this.#pause.refresh();
  }
}
