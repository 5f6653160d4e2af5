/**
 * Milliseconds since 1970 → the ways in which logs write a time; each second is written once and kept.
 * Local time, as TZ has it, where the form says its offset; UTC where it says Z.
 */

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

const two = (number: number): string => (number < 10 ? `0${number}` : String(number));

function offset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

/** `24/Nov/2026:22:58:51 +0000`, as Apache and nginx have it. */
function apacheTime(second: number): string {
  const date = new Date(second * 1_000);
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day}:${time} ${offset(date)}`;
}

/** A kept form of seconds; requests begin and end in few of them. */
class SecondMemo {
  readonly #write: (second: number) => string;
  #second = Number.NaN;
  #text = "";

  constructor(write: (second: number) => string) {
    this.#write = write;
  }

  at(ms: number): string {
    const second = Math.floor(ms / 1_000);
    if (second !== this.#second) {
      this.#text = this.#write(second);
      this.#second = second;
    }
    return this.#text;
  }
}

const began = new SecondMemo(apacheTime);
const dated = new SecondMemo((second) => new Date(second * 1_000).toISOString().slice(0, 20));

const written = new SecondMemo(apacheTime);

/** How long the two clocks are taken to go alike, in milliseconds. */
const TRUST_MS = 1_000;
let comparedMs = Number.NEGATIVE_INFINITY;
let apartMs = Number.NaN;

/** Between two looks at one clock the other is read: where the process did not run meanwhile, that says little. */
function compareClocks(): void {
  const beforeMs = performance.now();
  const nowMs = Date.now();
  comparedMs = performance.now();
  const [least, most] = [nowMs - comparedMs - 1, nowMs + 1 - beforeMs];
  if (!(apartMs >= least && apartMs <= most)) apartMs = (least + most) / 2;
}

/**
 * What the clock on the wall showed, in whole milliseconds, at a time of `performance.now()`: the two are compared once a
 * second, and not for each line. As long as they go alike no time is earlier than the one before it.
 */
export function wallMs(monotonicMs: number): number {
  if (!(Math.abs(monotonicMs - comparedMs) < TRUST_MS)) compareClocks();
  return Math.floor(monotonicMs + apartMs);
}

/** `24/Nov/2026:22:58:51 +0000`, for when a line is written. */
export function lineTime(ms: number): string {
  return written.at(ms);
}

/** The same for times before it, such as the beginnings of requests. */
export function earlierTime(ms: number): string {
  return began.at(ms);
}

let isoMs = Number.NaN;
let isoText = "";

/** `2026-11-24T22:58:51.123Z`. */
export function isoTime(ms: number): string {
  if (ms === isoMs) return isoText;
  const rest = ms % 1_000;
  isoMs = ms;
  isoText = `${dated.at(ms)}${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}Z`;
  return isoText;
}
