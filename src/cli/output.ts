/**
 * What this process says and what its workers print → the terminal, a launcher that waits, or the files of outlog and errlog.
 *
 * In errlog each line begins with its time and the id of the process it is from, which nobody can forge; outlog has the
 * application's lines and nothing else. Lines are whole, and harmless to a terminal (reliability O-8).
 */
import { Writable } from "node:stream";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { LineSplitter } from "../observe/line-splitter.ts";
import { LogFile } from "../observe/log-file.ts";
import type { LauncherLink } from "../workers/daemon.ts";

/** Longest wait for files at the end, in milliseconds. */
const END_MS = 2_000;

/** Names of the two standard streams. */
export type StreamName = "stdout" | "stderr";

/** A start line, and where the status is. */
export function withStatus(line: string, where: string | undefined): string {
  if (where === undefined) return line;
  return `${line}${line.endsWith(".") ? "" : "."} Status on ${where}.`;
}

/** Where words and lines go. There is one a process, {@link output}. */
class Output {
  #out: LogFile | undefined;
  #err: LogFile | undefined;
  #launcher: LauncherLink | undefined;
  /** Somebody may be looking at the start, beside the files. */
  #isWatched = true;
  /** The real one, whatever takes its name later. */
  readonly #stderr = process.stderr;

  constructor() {
    // A terminal or pipe that broke is no reason to stop serving.
    this.#stderr.on("error", () => undefined);
  }

  /** Whether standard error, or what stands for it, is a terminal. */
  get isTerminal(): boolean {
    return this.#launcher === undefined && this.#err === undefined && this.#stderr.isTTY;
  }

  /**
   * Opens the files.
   *
   * @param isWatched somebody may be looking at the start, beside the files
   * @throws UsageError where one cannot be had
   */
  open(outlog: string | undefined, errlog: string | undefined, isWatched = true): void {
    this.#isWatched = isWatched;
    const warn = (sentence: string): void => this.say(sentence);
    this.#err = errlog === undefined ? undefined : new LogFile(errlog, { warn });
    if (outlog === errlog) this.#out = this.#err;
    else this.#out = outlog === undefined ? undefined : new LogFile(outlog, { warn });
    process.on("exit", () => {
      this.#out?.flushSync();
      this.#err?.flushSync();
    });
  }

  /** A launcher waits, and is to hear everything until this process serves. */
  tell(launcher: LauncherLink): void {
    this.#launcher = launcher;
  }

  /** Says one line of ours. */
  say(line: string): void {
    this.print(`postern: ${line}`);
  }

  /** Prints text of ours, of one line or several, without its last line end. */
  print(text: string): void {
    for (const line of text.split("\n")) this.#err?.write(this.#framed(process.pid, line));
    this.#show(`${text}\n`);
  }

  #framed(pid: number, line: string): string {
    return `${new Date().toISOString()} [${pid}] ${line}`;
  }

  /** Where a person may be looking: always while starting, and later where there is no errlog. */
  #show(text: string): void {
    if (this.#launcher !== undefined) this.#launcher.print(text);
    else if (this.#err === undefined || this.#isWatched) this.#stderr.write(text);
  }

  /** It serves: says so, and from now on a file has everything for itself. */
  ready(line: string): void {
    this.print(line);
    this.#isWatched = false;
    this.#launcher?.ready();
  }

  /** Takes what a worker prints. */
  gather(stream: Readable, name: StreamName, pid: number): void {
    const splitter = new LineSplitter((line) => this.#line(name, pid, line));
    stream.on("data", (chunk: Buffer) => splitter.add(chunk));
    stream.once("close", () => splitter.end());
    stream.on("error", () => undefined);
  }

  #line(name: StreamName, pid: number, line: string): void {
    if (name === "stdout") {
      if (this.#out === undefined) process.stdout.write(`${line}\n`);
      else this.#out.write(line);
      return;
    }
    this.#err?.write(this.#framed(pid, line));
    // Ours begin so, and nobody else's.
    this.#show(`${line.startsWith("postern") ? `[${pid}] ` : ""}${line}\n`);
  }

  /**
   * Takes what this very process prints, where it is the application's as well: `process.stdout` and `process.stderr` write
   * to the files. To be called before anybody uses them.
   */
  takeOwn(): void {
    if (this.#out !== undefined) this.#replace("stdout");
    if (this.#err !== undefined || this.#launcher !== undefined) this.#replace("stderr");
  }

  #replace(name: StreamName): void {
    const splitter = new LineSplitter((line) => this.#line(name, process.pid, line));
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done): void {
        splitter.add(chunk);
        done();
      },
    });
    process.on("exit", () => splitter.end());
    Object.defineProperty(process, name, { configurable: true, enumerable: true, value: stream });
  }

  /** Lines that the files lost so far. */
  get dropped(): number {
    const both = this.#out === this.#err ? [this.#err] : [this.#out, this.#err];
    return both.reduce((sum, file) => sum + (file?.dropped ?? 0), 0);
  }

  /** Opens the files anew, after somebody renamed them. */
  reopen(): void {
    this.#err?.reopen();
    if (this.#out !== this.#err) this.#out?.reopen();
  }

  /** Ends this process once everything said is where it belongs. */
  async end(status: number): Promise<never> {
    const written = [this.#out?.close(), this.#err?.close(), this.#launcher?.told()];
    // A disk that hangs shall not keep a process that has nothing else to do.
    await Promise.race([Promise.all(written), sleep(END_MS)]);
    return process.exit(status);
  }
}

/** The output of this process. */
export const output: Output = new Output();
