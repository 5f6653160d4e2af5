/**
 * Where lines go: a file, or standard error; and which logs this process has open.
 * A file is log-file.ts's. Standard error is not ours to open or close, so that this writes to its stream and drops what is
 * not taken. It formats nothing.
 */
import type { Writable } from "node:stream";
import { LogFile } from "./log-file.ts";

/** Takes whole lines, and never waits. */
export interface LineLog {
  /** Lines that were lost so far. */
  readonly dropped: number;
  /** @param lines `count` lines, with line ends between them and none behind the last */
  write(lines: string, count: number): void;
  /**
   * @param bytes `count` lines, each with its end; they stay as they are until `done` is called
   */
  writeBytes(bytes: Uint8Array, count: number, done: () => void): void;
  reopen(): void;
  /** Writes what waits, now: the process ends. */
  flushSync(): void;
  /** Writes what waits; resolves when that is done. */
  close(): Promise<void>;
}

/** Bytes that may wait for whoever reads standard error. */
const STREAM_BYTES_MAX = 1_048_576;
/** Longest wait for logs at the end of a process, in milliseconds: a disk may hang. */
const CLOSE_MS = 2_000;

/** Streams whose errors cost lines and not the process: somebody who read them has gone (reliability O-10). */
const outlived = new WeakSet<Writable>();

/** Standard error as a log. */
export class StreamLog implements LineLog {
  dropped = 0;
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
    if (outlived.has(stream)) return;
    outlived.add(stream);
    stream.on("error", () => undefined);
  }

  write(lines: string, count: number): void {
    if (this.#stream.writableLength > STREAM_BYTES_MAX || this.#stream.destroyed) {
      this.dropped += count;
      return;
    }
    this.#stream.write(`${lines}\n`, (error) => {
      if (error) this.dropped += count;
    });
  }

  writeBytes(bytes: Uint8Array, count: number, done: () => void): void {
    this.write(Buffer.from(bytes.subarray(0, -1)).toString(), count);
    done();
  }

  reopen(): void {}

  flushSync(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const open = new Set<LineLog>();
const closing = new Set<Promise<void>>();

/**
 * Opens a log of this process.
 *
 * @param path   `-` is standard error
 * @param stderr that stream
 * @param warn   hears, at most once a minute, what is wrong with the file
 * @throws UsageError where the file cannot be had
 */
export function openLog(path: string, stderr: Writable, warn: (sentence: string) => void): LineLog {
  const log = path === "-" ? new StreamLog(stderr) : new LogFile(path, { warn });
  open.add(log);
  return log;
}

/** Closes a log; {@link logsClosed} waits for it. */
export function closeLog(log: LineLog): void {
  open.delete(log);
  const closed = log.close().finally(() => closing.delete(closed));
  closing.add(closed);
}

/** Opens the files of all logs of this process anew, after they were renamed. No line is lost. */
export function reopenLogs(): void {
  for (const log of open) log.reopen();
}

/** Lines that the open logs of this process have lost. */
export function droppedLines(): number {
  let count = 0;
  for (const { dropped } of open) count += dropped;
  return count;
}

/** Resolves once logs that were closed are written, or after two seconds. */
export async function logsClosed(): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS);
  });
  await Promise.race([Promise.all(closing), late]);
  clearTimeout(timer);
}
