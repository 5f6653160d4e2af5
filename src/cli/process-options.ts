/**
 * The options of the command that are about processes and files, and not about serving: runfcgi's words among them.
 *
 * One row each, in the form of serve/option-table.ts, from which the command line reads them and the help is made. What
 * they do is primary.ts's; `serve` takes none of them.
 */
import { availableParallelism } from "node:os";
import { checkValue } from "../serve/check.ts";
import type { OptionRow, OptionType } from "../serve/option-table.ts";
import { UsageError } from "../errors.ts";
import {
  askForWorkers,
  resolveWorkerOptions,
  WORKER_OPTIONS,
  type WorkerOptions,
  WORKERS_MAX,
} from "./worker-options.ts";

/** How requests are spread: one process, several processes, or several threads of one process. */
export type Method = "single" | "prefork" | "threaded";

/** Every process option, filled in. */
export interface ProcessOptions extends WorkerOptions {
  readonly method: Method;
  /** Workers at first, and without the bounds below always. */
  readonly workers: number;
  /** Path of the control socket, or "none"; undefined: beside the socket or the pidfile. */
  readonly control: string | undefined;
  /** Requests after which a worker is replaced; 0: never. */
  readonly maxrequests: number;
  /** Fewest and most idle workers, and most workers at all; undefined where nothing was said. */
  readonly minspare: number | undefined;
  readonly maxspare: number | undefined;
  readonly maxchildren: number | undefined;
  /** Leave the terminal. */
  readonly daemonize: boolean;
  /** Folder to change to; undefined: stay. */
  readonly workdir: string | undefined;
  readonly pidfile: string | undefined;
  /** Files in place of standard output and standard error. */
  readonly outlog: string | undefined;
  readonly errlog: string | undefined;
  /** Show errors of handlers with their stack. */
  readonly debug: boolean;
  /** Reload when one of the files is touched; undefined: as whoever started us needs it. */
  readonly touchReload: boolean | undefined;
  /** Files beside the application's. */
  readonly touchFiles: readonly string[];
  /** Reload when code of the application changes. */
  readonly watch: boolean;
}

/** How the command line was written, where that decides about defaults. */
export interface Manner {
  /** runfcgi's `name=value` was used. */
  readonly words: boolean;
  /** It says where to listen. */
  readonly address: boolean;
}

const row = (
  name: string,
  takes: OptionType,
  help: string,
  more: Partial<OptionRow> = {},
): OptionRow => ({ name, takes, help, ...more });

const count = (max: number): OptionType => ({ type: "integer", min: 1, max });

const FILE = { sample: "PATH" } as const;

/** All of them, in the order of `--help`. */
export const PROCESS_OPTIONS: readonly OptionRow[] = [
  row("method", { type: "text" }, "single, prefork (processes) or threaded (threads)", {
    sample: "NAME",
  }),
  row("workers", count(WORKERS_MAX), "how many processes or threads serve", { sample: "N" }),
  // Control.
  row("control", { type: "text" }, "path of the control socket, or none [SOCKET.control]", FILE),
  // Of runfcgi, and what an operator touches.
  row("daemonize", { type: "boolean" }, "leave the terminal once it serves"),
  row("debug", { type: "boolean" }, "show errors of handlers with their stack", { default: false }),
  row("errlog", { type: "text" }, "file for standard error and what postern says", FILE),
  row("outlog", { type: "text" }, "file for standard output", FILE),
  row("pidfile", { type: "text" }, "file for the id of the process to signal", FILE),
  row("touchFiles", { type: "list" }, "files for touchReload beside the application's", {
    sample: "LIST",
  }),
  row("touchReload", { type: "boolean" }, "reload when the application's file is touched"),
  row("watch", { type: "boolean" }, "reload when code of the application changes", {
    default: false,
  }),
  row("workdir", { type: "text" }, "folder to change to; / for a daemon if not given", {
    sample: "DIR",
  }),
  // How many workers, and for how long.
  ...WORKER_OPTIONS,
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

type Values = ReadonlyMap<string, unknown>;

function checkedValues(given: Values): Values {
  const values = new Map<string, unknown>();
  for (const option of PROCESS_OPTIONS) {
    const value = given.get(option.name);
    if (value !== undefined) values.set(option.name, checkValue(option, value, option.name));
  }
  return values;
}

function checkOrder(values: Values, lower: string, upper: string): void {
  const [least, most] = [values.get(lower), values.get(upper)] as (number | undefined)[];
  if (least === undefined || most === undefined || least <= most) return;
  throw new UsageError(
    `${lower} is ${least} and ${upper} ${most}; ${lower} may be ${upper} at most.`,
  );
}

/** Whether it leaves the terminal. */
function isDaemon(values: Values, { words, address }: Manner): boolean {
  const written = values.get("daemonize") as boolean | undefined;
  if (written !== true || address) return written ?? (words && address);
  throw new UsageError(
    "daemonize needs socket or port: a socket that somebody passes is served in the foreground.",
  );
}

function methodOf(values: Values, { words, address }: Manner): Method {
  const written = values.get("method") as string | undefined;
  if (written !== undefined) return readMethod(written);
  const workers = values.get("workers") as number | undefined;
  // A process that is to load code anew is one that another waits beside.
  if (values.get("watch") === true || (values.get("touchReload") === true && address))
    return "prefork";
  if (workers !== undefined) return workers === 1 && !words ? "single" : "prefork";
  return (words && address) || askForWorkers(values) !== undefined ? "prefork" : "single";
}

/** What is about workers says nothing to one process by itself, and somebody relies on it. */
function checkSingle(values: Values): void {
  const name = (values.get("workers") ?? 1) === 1 ? askForWorkers(values) : "workers";
  if (name === undefined) return;
  throw new UsageError(
    `${name} asks for workers, and method=single has none; leave one of the two out, or give method=prefork.`,
  );
}

function checkReloads(values: Values, method: Method, { address }: Manner): void {
  if (method !== "single") return;
  const name = values.get("watch") === true ? "watch" : "touchReload";
  if (values.get(name) !== true || (name === "touchReload" && !address)) return;
  throw new UsageError(
    `${name} cannot load code anew in a single process; leave out method, or give method=prefork.`,
  );
}

/** Files that nobody watches would be touched in vain. On an inherited descriptor touches may be heard by themselves. */
function checkTouchFiles(values: Values, { address }: Manner): void {
  if (!values.has("touchFiles")) return;
  const isHeard = values.get("touchReload") ?? !address;
  if (isHeard === true) return;
  throw new UsageError(
    "touchFiles names files, but no touch is listened for; give touchReload as well, or leave them out.",
  );
}

function workersOf(values: Values, method: Method): number {
  const written = values.get("workers") as number | undefined;
  if (written !== undefined || method === "single") return written ?? 1;
  if (values.get("watch") === true) return 1;
  const most = (values.get("maxchildren") as number | undefined) ?? WORKERS_MAX;
  const least = (values.get("minspare") as number | undefined) ?? 1;
  return Math.min(Math.max(availableParallelism(), least), most);
}

/**
 * Fills in what was not given.
 *
 * @param given what the command line said, by name, as `readText` reads it
 * @throws UsageError for a wrong value, or options that do not go together
 */
export function resolveProcessOptions(given: Values, manner: Manner): ProcessOptions {
  const values = checkedValues(given);
  checkOrder(values, "minspare", "maxspare");
  checkOrder(values, "minspare", "maxchildren");
  checkOrder(values, "maxspare", "maxchildren");
  const read = <Value>(name: string): Value => values.get(name) as Value;
  const method = methodOf(values, manner);
  checkReloads(values, method, manner);
  checkTouchFiles(values, manner);
  if (method === "single") checkSingle(values);
  const daemonize = isDaemon(values, manner);
  const workers = workersOf(values, method);
  return {
    ...resolveWorkerOptions(values, workers, method === "threaded"),
    method,
    workers,
    control: read("control"),
    maxrequests: read<number | undefined>("maxrequests") ?? 0,
    minspare: read("minspare"),
    maxspare: read("maxspare"),
    maxchildren: read("maxchildren"),
    daemonize,
    workdir: read<string | undefined>("workdir") ?? (daemonize ? "/" : undefined),
    pidfile: read("pidfile"),
    outlog: read("outlog"),
    errlog: read("errlog"),
    debug: read<boolean | undefined>("debug") ?? false,
    touchReload: read("touchReload"),
    touchFiles: read<readonly string[] | undefined>("touchFiles") ?? [],
    watch: read<boolean | undefined>("watch") ?? false,
  };
}
