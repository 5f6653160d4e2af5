/**
 * Lines → a file that is only ever appended to, in writes of whole lines and without holding up the event loop.
 *
 * What cannot be written (a full disk, a broken pipe) is dropped and counted, one warning a minute says so, and the next
 * line tries again. Formats nothing and rotates nothing: whoever renames the file calls `reopen`. Reliability O-10, O-11.
 */
import * as fs from "node:fs";
import { UsageError } from "../errors.ts";

/** Lines that wait while the disk is slow, in bytes, before new ones are dropped. */
const BUFFERED_BYTES_MAX = 8_388_608;
/** Most of one write, in bytes: what waits is cut at line ends into pieces of about that size. */
const WRITE_BYTES_MAX = 262_144;
/** Between two warnings of one file, in milliseconds. */
const WARNING_PAUSE_MS = 60_000;
const LINE_END = 10;

const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
/** Without O_NONBLOCK the opening of a pipe that nobody reads would wait for ever. */
const FLAGS = O_APPEND | O_CREAT | O_WRONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0);
/** Readable by the group, as administrators read logs; by nobody else. */
const FILE_MODE = 0o640;

/** How a log file is kept. */
export interface LogFileOptions {
  /** Bytes that may wait to be written; lines beyond are dropped. @default 8 MiB */
  readonly maxBufferedBytes?: number;
  /** Hears, at most once a minute, what is wrong with the file, as one sentence. */
  readonly warn?: (sentence: string) => void;
}

/** Streams of a process by name, which are symlinks wherever they exist. */
const STREAMS = /^\/dev\/(stdout|stderr|fd\/)|^\/proc\//;

function remedyOf(code: string | undefined, path: string): string {
  if (code === "ELOOP" && STREAMS.test(path)) {
    return "it is a symlink, which a log may not be; accessLog and slowLog take - for standard error, and where there is no outlog and errlog, lines go to the standard streams";
  }
  if (code === "ELOOP") return "it is a symlink, which a log may not be; name the file itself";
  if (code === "ENOENT") return "its folder does not exist; create it";
  if (code === "EISDIR") return "it is a folder; name a file";
  if (code === "ENXIO") return "it is a pipe that nobody reads; start its reader first";
  return `it cannot be opened for writing (${code ?? "unknown"}); change its mode or choose another`;
}

function linesOf(bytes: Uint8Array, start: number): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_END, start); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) {
    count++;
  }
  return count;
}

/** Lines as bytes, each with its end; they stay as they are until `done`. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly done: () => void;
}

/** A log. Several processes may append to one file: each write holds whole lines. */
export class LogFile {
  readonly path: string;
  readonly #maxBufferedBytes: number;
  readonly #warn: (sentence: string) => void;
  #fd: number;
  #dropped = 0;
  /** Dropped by then and told. */
  #toldDropped = 0;
  #warnedMs = Number.NEGATIVE_INFINITY;
  /** Lines not yet given to the system; strings are without their ends. */
  #waiting: (string | Piece)[] = [];
  #waitingBytes = 0;
  /** A write is under way, or about to be. */
  #busy = false;
  #writing: Uint8Array | undefined;
  /** Whose bytes they are; undefined of lines that came as strings. */
  #piece: Piece | undefined;
  /** A line was cut by a full disk: the next write ends it. */
  #isCut = false;
  #isClosed = false;
  /** To be closed when the write under way is done. */
  #formerFds: number[] = [];
  #closed: (() => void) | undefined;
  readonly #flush = (): void => this.#writeNext();

  /**
   * Opens or creates the file.
   *
   * @throws UsageError where that cannot be
   */
  constructor(path: string, options: LogFileOptions = {}) {
    this.path = path;
    this.#maxBufferedBytes = options.maxBufferedBytes ?? BUFFERED_BYTES_MAX;
    this.#warn = options.warn ?? (() => undefined);
    this.#fd = this.#open();
  }

  /** Lines that were lost so far. */
  get dropped(): number {
    return this.#dropped;
  }

  #open(): number {
    try {
      return fs.openSync(this.path, FLAGS, FILE_MODE);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new UsageError(
        `The log ${JSON.stringify(this.path)} cannot be had: ${remedyOf(code, this.path)}.`,
        "ERR_USAGE",
        { cause },
      );
    }
  }

  /**
   * Appends one line, in this turn's one write, or several that the caller has gathered.
   *
   * @param line  without its end, and without line ends in it: it is the caller's to escape them
   * @param count how many lines it is, with line ends between them
   */
  write(line: string, count = 1): void {
    // Three bytes a unit is the most that UTF-8 takes: an exact count would cost a walk over each line.
    const bytes = line.length * 3 + 1;
    if (this.#admits(bytes, count)) this.#wait(line, bytes);
  }

  /**
   * Appends lines that the caller has as bytes, without a copy of them.
   *
   * @param bytes whole lines, each with its end; they must not change until `done` is called, which may be at once
   * @param count how many lines
   */
  writeBytes(bytes: Uint8Array, count: number, done: () => void): void {
    if (this.#admits(bytes.length, count)) this.#wait({ bytes, count, done }, bytes.length);
    else done();
  }

  #admits(bytes: number, count: number): boolean {
    if (this.#isClosed) this.#dropped += count;
    else if (this.#waitingBytes + bytes > this.#maxBufferedBytes)
      this.#drop(count, "it is written more slowly than lines come");
    else return true;
    return false;
  }

  #wait(lines: string | Piece, bytes: number): void {
    this.#waiting.push(lines);
    this.#waitingBytes += bytes;
    if (this.#busy) return;
    this.#busy = true;
    setImmediate(this.#flush);
  }

  /** Opens the path anew, after the file was renamed; where that fails, the old file stays in use. No line is lost. */
  reopen(): void {
    if (this.#isClosed) return;
    try {
      const fd = this.#open();
      this.#formerFds.push(this.#fd);
      this.#fd = fd;
      if (this.#writing === undefined) this.#closeFormer();
    } catch (error) {
      this.#warn(`${(error as Error).message} The old file stays in use.`);
    }
  }

  /** Writes what waits, and closes; resolves when that is done. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#isClosed = true;
      this.#closed = resolve;
      if (!this.#busy) this.#settle();
    });
  }

  /** Writes what waits, now: for a process that ends without another turn. A write under way is the system's. */
  flushSync(): void {
    try {
      while (this.#waiting.length > 0) fs.writeSync(this.#fd, this.#take());
    } catch {
      // The process ends: there is nobody left to tell.
    }
  }

  #drop(count: number, why: string): void {
    this.#dropped += count;
    const nowMs = performance.now();
    if (nowMs - this.#warnedMs < WARNING_PAUSE_MS) return;
    this.#warnedMs = nowMs;
    const lines = this.#dropped - this.#toldDropped;
    this.#toldDropped = this.#dropped;
    this.#warn(
      `The log ${JSON.stringify(this.path)} lost ${lines === 1 ? "a line" : `${lines} lines`}, since ${why}; ` +
        "it is tried again with every line.",
    );
  }

  /** What waits, or as much of it as one write takes, in bytes. */
  #take(): Uint8Array {
    const first = this.#waiting[0]!;
    if (typeof first === "string") return Buffer.from(this.#takeText());
    this.#waiting.shift();
    this.#waitingBytes -= first.bytes.length;
    this.#piece = first;
    return this.#isCut ? Buffer.concat([Buffer.of(LINE_END), first.bytes]) : first.bytes;
  }

  #takeText(): string {
    const lines: string[] = [];
    let bytes = 0;
    for (const line of this.#waiting) {
      if (typeof line !== "string" || bytes >= WRITE_BYTES_MAX) break;
      bytes += line.length * 3 + 1;
      lines.push(line);
    }
    if (lines.length === this.#waiting.length) this.#waiting = [];
    else this.#waiting.splice(0, lines.length);
    this.#waitingBytes -= bytes;
    return `${this.#isCut ? "\n" : ""}${lines.join("\n")}\n`;
  }

  #writeNext(): void {
    if (this.#waiting.length === 0) return this.#settle();
    this.#writing = this.#take();
    this.#write(this.#writing, 0);
  }

  #write(bytes: Uint8Array, start: number): void {
    fs.write(
      this.#formerFds[0] ?? this.#fd,
      bytes,
      start,
      bytes.length - start,
      null,
      (error, written) => {
        if (error !== null) return this.#failed(bytes, start, error);
        // A disk that gets full takes a part; the next write says why.
        if (start + written < bytes.length) return this.#write(bytes, start + written);
        this.#isCut = false;
        this.#written();
      },
    );
  }

  #failed(bytes: Uint8Array, start: number, { code }: NodeJS.ErrnoException): void {
    // The line end that was to complete a cut line is no line.
    const own = this.#isCut && start === 0 ? 1 : 0;
    this.#isCut = start > 0 ? bytes[start - 1] !== LINE_END : this.#isCut;
    this.#drop(linesOf(bytes, start) - own, `it cannot be written (${code ?? "unknown"})`);
    this.#written();
  }

  #written(): void {
    const piece = this.#piece;
    this.#writing = undefined;
    this.#piece = undefined;
    piece?.done();
    this.#closeFormer();
    this.#writeNext();
  }

  #closeFormer(): void {
    for (const fd of this.#formerFds) fs.close(fd, () => undefined);
    this.#formerFds = [];
  }

  /** Nothing waits any more. */
  #settle(): void {
    this.#busy = false;
    if (this.#closed === undefined) return;
    const closed = this.#closed;
    this.#closed = undefined;
    fs.close(this.#fd, () => closed());
  }
}
