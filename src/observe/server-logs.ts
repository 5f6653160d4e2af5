/**
 * One server's settings → its logs: opened with it, kept while it serves, closed behind its last request.
 */
import type { Writable } from "node:stream";
import { booksOf } from "../connection/books.ts";
import { accountForHttp } from "../server/http-accounts.ts";
import type { Server } from "../server/server.ts";
import type { LogSettings } from "../server/settings.ts";
import { compileFormat } from "./access-format.ts";
import { AccessLog } from "./access-log.ts";
import type { LogPlace } from "./access-tokens.ts";
import { closeLog, openLog } from "./line-log.ts";
import { PlainLines } from "./plain-lines.ts";
import { SlowLog } from "./slow-log.ts";

/** What of the process logs need. */
export interface LogSurroundings extends LogPlace {
  readonly stderr: Writable;
  /** Tells the operator one sentence. */
  warn(sentence: string): void;
  /** Has something done when the process ends; returns what takes that back. */
  doAtExit(clear: () => void): () => void;
}

function keepAccessLog(server: Server, settings: LogSettings, around: LogSurroundings): void {
  if (settings.access === undefined) return;
  const { path, format } = settings.access;
  const log = openLog(path, around.stderr, around.warn);
  const compiled = compileFormat(format);
  const { createLines } = server;
  const plain =
    createLines &&
    ((outs: readonly Buffer[]) => new PlainLines(compiled, around, createLines, outs));
  const access = new AccessLog(log, compiled, around, plain);
  booksOf(server).add(access);
  const forget = around.doAtExit(() => {
    access.flush();
    log.flushSync();
  });
  server.once("close", () => {
    // Node says "close" of a response a turn later than of its socket.
    setImmediate(() => {
      forget();
      access.flush();
      closeLog(log);
    });
  });
}

function keepSlowLog(server: Server, settings: LogSettings, around: LogSurroundings): void {
  if (settings.slow === undefined) return;
  const { path, afterMs } = settings.slow;
  const books = booksOf(server);
  const log = openLog(path, around.stderr, around.warn);
  const { pid, worker, warn } = around;
  server.once("listening", () => {
    const slow = new SlowLog({ books, log, path, afterMs, pid, worker, warn });
    books.add(slow);
    server.once("close", () => {
      slow.close();
      setImmediate(closeLog, log);
    });
  });
}

/**
 * Opens a server's logs.
 *
 * @throws UsageError for a file that cannot be had, or a format that is none
 */
export function keepLogs(server: Server, settings: LogSettings, around: LogSurroundings): void {
  if (settings.access === undefined && settings.slow === undefined) return;
  accountForHttp(server, booksOf(server));
  keepAccessLog(server, settings, around);
  keepSlowLog(server, settings, around);
}
