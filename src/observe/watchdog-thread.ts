/**
 * The thread that watches the main one: a heartbeat that stops → the JavaScript stack, taken by the inspector.
 * It runs as text of its own, since a thread has to be loaded from somewhere and this has no file of its own in a bundle;
 * so it may use nothing but what it is given. No debugger's port is opened: a session inside the process needs none.
 */
import type * as Fs from "node:fs";
import type * as Inspector from "node:inspector";
import type * as Threads from "node:worker_threads";

/** What the thread is given. */
export interface WatchdogData {
  /** Two times of the main thread: its last heartbeat, and when the oldest request began that is not written yet, or 0. */
  readonly beats: Float64Array;
  /** A heartbeat that is older than this does not come, in milliseconds. */
  readonly missedMs: number;
  /** How long a request may take, in milliseconds. */
  readonly afterMs: number;
  /** Absolute path, or `-`. */
  readonly path: string;
  /** Evaluated in the main thread while it stands still: one line a request that is slow by now. */
  readonly expression: string;
}

/** Frames of a stack as lines; scripts have numbers there, and `urls` their files. */
function framesAsLines(
  frames: readonly Inspector.Debugger.CallFrame[],
  urls: ReadonlyMap<string, string>,
): string {
  const FRAMES_MAX = 40;
  const lines = frames.slice(0, FRAMES_MAX).map(({ functionName, location }) => {
    const file = (urls.get(location.scriptId) ?? "").replace(/^file:\/\//, "");
    const place = `${file}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`;
    const line = functionName === "" ? `    at ${place}` : `    at ${functionName} (${place})`;
    return line.replace(/[^ -~\xa0-\uffff]/g, "?");
  });
  return `${lines.join("\n")}\n`;
}

/** The thread's main function; see {@link watchdogSource}. */
function watch(load: NodeJS.Require, framesOf: typeof framesAsLines): void {
  const fs = load("node:fs") as typeof Fs;
  const inspector = load("node:inspector") as typeof Inspector;
  const { workerData } = load("node:worker_threads") as typeof Threads;
  const { beats, missedMs, afterMs, path, expression } = workerData as WatchdogData;
  const NATIVE_MS = 1_000;
  const now = (): number => performance.timeOrigin + performance.now();
  /** The heartbeat after which the loop stood still, where that is dealt with; and when to look again otherwise. */
  let dealtWith = 0;
  let againAt = 0;
  let busy = false;

  const append = (text: string): void => {
    const bytes = Buffer.from(text);
    try {
      const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = fs.constants;
      const flags = O_APPEND | O_CREAT | O_WRONLY | (O_NOFOLLOW ?? 0);
      const fd = path === "-" ? 2 : fs.openSync(path, flags, 0o640);
      fs.writeSync(fd, bytes);
      if (fd !== 2) fs.closeSync(fd);
    } catch {
      // A full disk, or a pipe that nobody reads: it is one entry, and the main thread warns of its own.
    }
  };
  const capture = (beat: number): void => {
    busy = true;
    const session = new inspector.Session();
    session.connectToMainThread();
    let isNative = false;
    const native = setTimeout(() => {
      isNative = true;
      dealtWith = beat;
      append(
        `[${new Date().toISOString()}] slow: the event loop has stood still for ${Math.round(now() - beat)} ms ` +
          "outside of JavaScript, in a synchronous call, so that there is no stack\n",
      );
    }, NATIVE_MS);
    // A frame has no file of its own, only the number of a script.
    const urls = new Map<string, string>();
    session.on("Debugger.scriptParsed", ({ params }) => {
      urls.set(params.scriptId, params.url);
    });
    session.once("Debugger.paused", ({ params }) => {
      clearTimeout(native);
      const leave = (): void => {
        session.disconnect();
        busy = false;
      };
      // By now it is somewhere behind the call.
      if (isNative) return session.post("Debugger.resume", leave);
      session.post("Runtime.evaluate", { expression, returnByValue: true }, (error, answer) => {
        const lines = (error === null ? answer.result.value : undefined) as string | undefined;
        if (lines !== undefined && lines !== "") {
          dealtWith = beat;
          append(`${lines}\n${framesOf(params.callFrames, urls)}`);
        } else if (now() - beat >= afterMs) dealtWith = beat;
        else againAt = beat + afterMs;
        session.post("Debugger.resume", leave);
      });
    });
    session.post("Debugger.enable", () => session.post("Debugger.pause"));
  };
  setInterval(() => {
    const [beat, oldest] = beats as unknown as [number, number];
    const time = now();
    if (busy || beat === dealtWith || time - beat < missedMs || time < againAt) return;
    const since = oldest > 0 && oldest < beat ? oldest : beat;
    if (time - since >= afterMs) capture(beat);
  }, 50);
}

/** The thread as a program, for `new Worker(source, { eval: true })`. */
export function watchdogSource(): string {
  return `"use strict";(${watch.toString()})(require, ${framesAsLines.toString()});`;
}
