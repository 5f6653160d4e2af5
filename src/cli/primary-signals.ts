/**
 * Signals, and files that were touched → operations of a primary.
 *
 * What is one wish and what are two is signals.ts's, and what they do operations.ts's.
 */
import { dirname } from "node:path";
import { SourceWatch } from "../workers/source-watch.ts";
import { TouchWatch } from "../workers/touch-watch.ts";
import type { ServeCommand } from "./arguments.ts";
import { moduleFile } from "./load-app.ts";
import type { Operations } from "./operations.ts";
import { obeyStops } from "./signals.ts";
import { filesOf, wantsTouch } from "./start.ts";

const nothing = (): void => undefined;

/** Hears every signal, from before the first worker is started. */
export function obeySignals(operations: Operations, isSpawned: boolean): void {
  obeyStops({
    stop: (signal) => void operations.stop(signal),
    force: () => operations.force(),
    isSpawned,
  });
  // What went wrong was said.
  process.on("SIGHUP", () => void operations.reload("SIGHUP").catch(nothing));
  process.on("SIGUSR1", () => operations.reopen());
  process.on("SIGUSR2", () => void operations.upgrade("SIGUSR2").catch(nothing));
}

/** Reloads by itself, where that is wished. */
export function watchFiles(
  operations: Operations,
  command: ServeCommand,
  isSpawned: boolean,
): void {
  const { touchReload, watch } = command.processes;
  const reload = (why: string): void => void operations.reload(why).catch(nothing);
  if (isSpawned ? wantsTouch(command) : touchReload === true) {
    new TouchWatch(filesOf(command), (path) => reload(`${path} was touched`));
  }
  if (watch) new SourceWatch(dirname(moduleFile(command.app)), (path) => reload(`${path} changed`));
}
