/**
 * Requests that take too long → entries of the slow log, each request once: while it runs, or when it is over.
 * Where the event loop stands still a watchdog writes them, with the JavaScript stack; where it is free the request waits for
 * something, and there is no stack to show. Upgraded requests live as long as they like.
 */
import type { Account } from "../connection/account.ts";
import type { Bookkeeper, Books } from "../connection/books.ts";
import { accountId, type LogPlace } from "./access-tokens.ts";
import type { LineLog } from "./line-log.ts";
import { escapeText } from "./log-text.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

/** Bounds of the time between two heartbeats, in milliseconds. */
const BEAT_MS_MIN = 20;
const BEAT_MS_MAX = 100;
/** Heartbeats in the time that a request may take. */
const BEATS = 5;

/** {@link Account.mark} of a request that needs no entry any more. */
const SETTLED = 1;
const SWITCHING = 101;

/** What a slow log needs. */
export interface SlowLogParts extends LogPlace {
  readonly books: Books;
  readonly log: LineLog;
  readonly path: string;
  readonly afterMs: number;
  /** Tells the operator one sentence. */
  warn(sentence: string): void;
}

/** The slow log of one server. */
export class SlowLog implements Bookkeeper {
  readonly timed = false;
  readonly clocked = true;
  readonly #parts: SlowLogParts;
  readonly #watchdog: Watchdog | undefined;
  readonly #beats: NodeJS.Timeout;

  constructor(parts: SlowLogParts) {
    this.#parts = parts;
    const { path, afterMs } = parts;
    const beatMs = Math.round(Math.min(BEAT_MS_MAX, Math.max(BEAT_MS_MIN, afterMs / BEATS)));
    this.#watchdog = startWatchdog({
      path,
      afterMs,
      beatMs,
      ask: () => this.#linesOf("the event loop is blocked").join("\n"),
      failed: ({ message }) =>
        parts.warn(`The slow log goes on without stacks, since its watchdog ended: ${message}`),
    });
    this.#beats = setInterval(() => this.#beat(), beatMs).unref();
  }

  ended(account: Account): void {
    if (account.mark === SETTLED || account.status === SWITCHING) return;
    const ms = account.endedMs - account.beganMs;
    if (ms < this.#parts.afterMs) return;
    this.#parts.log.write(this.#line(account, ms, "over; the event loop was free or is again"), 1);
  }

  close(): void {
    clearInterval(this.#beats);
    this.#watchdog?.close();
  }

  #beat(): void {
    const lines = this.#linesOf("waiting; the event loop is free");
    if (lines.length > 0) this.#parts.log.write(lines.join("\n"), lines.length);
    let oldestMs = 0;
    for (const { mark, beganMs } of this.#parts.books.open()) {
      if (mark === SETTLED) continue;
      oldestMs = beganMs;
      break;
    }
    this.#watchdog?.beat(oldestMs);
  }

  /** A line for each request that runs, is slow by now, and has none yet. */
  #linesOf(how: string): string[] {
    const { books, afterMs } = this.#parts;
    const nowMs = performance.now();
    const lines: string[] = [];
    for (const account of books.open()) {
      const ms = nowMs - account.beganMs;
      if (ms < afterMs) break;
      if (account.mark === SETTLED) continue;
      account.mark = SETTLED;
      if (account.status !== SWITCHING) lines.push(this.#line(account, ms, how));
    }
    return lines;
  }

  #line(account: Account, ms: number, how: string): string {
    const { head } = account;
    const { worker, pid } = this.#parts;
    const place = `${worker === 0 ? "" : `worker ${worker}, `}pid ${pid}`;
    const request = `${escapeText(head?.method ?? "")} ${escapeText(head?.url ?? "")}`;
    const time = new Date().toISOString();
    return `[${time}] slow: ${request} for ${Math.round(ms)} ms [${accountId(account)}] (${place}): ${how}`;
  }
}
