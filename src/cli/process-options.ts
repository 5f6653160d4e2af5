/**
 * The options of the command that are about processes and files, and not about serving: runfcgi's words among them.
 *
 * One row each, in the form of serve/option-table.ts, from which the command line reads them and the help is made. What
 * they do is primary.ts's; `serve` takes none of them.
 */
import { checkValue } from "../serve/check.ts";
import type { OptionRow, OptionType } from "../serve/option-table.ts";
import { UsageError } from "../errors.ts";

/** How requests are spread: one process, several processes, or several threads of one process. */
export type Method = "single" | "prefork" | "threaded";

/** Every process option, filled in. */
export interface ProcessOptions {
  readonly method: Method;
  /** Workers at first, and without the bounds below always. */
  readonly workers: number;
}

const row = (
  name: string,
  takes: OptionType,
  help: string,
  more: Partial<OptionRow> = {},
): OptionRow => ({ name, takes, help, ...more });

const count = (max: number): OptionType => ({ type: "integer", min: 1, max });

/** Most workers of one command: beyond that it is a slip of the hand. */
const WORKERS_MAX = 1_024;

/** All of them, in the order of `--help`. */
export const PROCESS_OPTIONS: readonly OptionRow[] = [
  row("method", { type: "text" }, "single, prefork (processes) or threaded (threads)", {
    sample: "NAME",
  }),
  row("workers", count(WORKERS_MAX), "how many processes or threads serve", { sample: "N" }),
];

/** runfcgi's spellings, and ours. */
const METHODS: ReadonlyMap<string, Method> = new Map([
  ["single", "single"],
  ["prefork", "prefork"],
  ["fork", "prefork"],
  ["threaded", "threaded"],
  ["thread", "threaded"],
]);

function readMethod(text: string): Method {
  const method = METHODS.get(text.toLowerCase());
  if (method !== undefined) return method;
  throw new UsageError(
    `method is ${JSON.stringify(text)}; it takes single, prefork (or fork) or threaded (or thread).`,
  );
}

/**
 * Fills in what was not given.
 *
 * @param given what the command line said, by name, as `readText` reads it
 * @throws UsageError for a wrong value, or options that do not go together
 */
export function resolveProcessOptions(given: ReadonlyMap<string, unknown>): ProcessOptions {
  const values = new Map<string, unknown>();
  for (const option of PROCESS_OPTIONS) {
    const value = given.get(option.name);
    if (value !== undefined) values.set(option.name, checkValue(option, value, option.name));
  }
  const workers = values.get("workers") as number | undefined;
  const written = values.get("method") as string | undefined;
  const method = written === undefined ? "single" : readMethod(written);
  if (written === undefined && workers !== undefined) {
    return { method: workers === 1 ? "single" : "prefork", workers };
  }
  return { method, workers: workers ?? 1 };
}
