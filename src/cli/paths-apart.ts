/**
 * Paths of a command → the certainty that no file stands for two things: a pid file in the place of a log would remove it.
 *
 * Logs may share a file with each other, and with nothing else. Looks at names alone, and at no disk.
 */
import { UsageError } from "../errors.ts";
import type { ServeCommand } from "./arguments.ts";
import { NO_CONTROL } from "./control-place.ts";

type Named = readonly [name: string, path: string | undefined];

/**
 * Compares the paths of a command.
 *
 * @param command one whose paths do not depend on the current folder
 * @throws UsageError where two of them are the same and may not be
 */
export function checkPathsApart({ options, processes }: ServeCommand): void {
  const { control } = processes;
  const alone: readonly Named[] = [
    ["socket", options.socket ?? options.path],
    ["control", control === NO_CONTROL ? undefined : control],
    ["status", options.status],
    ["pidfile", processes.pidfile],
  ];
  const logs: readonly Named[] = [
    ["outlog", processes.outlog],
    ["errlog", processes.errlog],
    ["accessLog", options.accessLog],
    ["slowLog", options.slowLog],
  ];
  for (const [index, [name, path]] of alone.entries()) {
    const others = [...alone.slice(index + 1), ...logs];
    const same = others.find(([, other]) => path !== undefined && other === path);
    if (same === undefined) continue;
    throw new UsageError(
      `${name} and ${same[0]} are both ${JSON.stringify(path)}; give each a path of its own.`,
    );
  }
}
