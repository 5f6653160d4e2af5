/**
 * Files of logs of one test, and their lines. It judges nothing.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../support/behaviour.ts";

/** A folder with logs. */
export class LogRoom {
  readonly folder: string = mkdtempSync(join(tmpdir(), "postern-log-"));
  #count = 0;

  /** A path that no log has yet. */
  path(): string {
    return join(this.folder, `${++this.#count}.log`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Whole lines of a log, so far. */
export function linesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "latin1").split("\n").slice(0, -1);
}

/** Waits for so many lines. */
export async function linesWhen(path: string, count: number, ms?: number): Promise<string[]> {
  await until(() => linesOf(path).length >= count, ms);
  return linesOf(path);
}
