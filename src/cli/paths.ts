/**
 * Paths as somebody wrote them → the same from the root, before this process changes to another folder (heritage T4).
 *
 * Options, the application, and those variables of the environment that hold paths: NODE_PATH is read only when a module
 * is looked for, and the original's restart script sets it with relative folders.
 */
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import type { ServeOptions } from "../serve/options.ts";
import type { ServeCommand } from "./arguments.ts";
import { NO_CONTROL } from "./control-place.ts";
import type { ProcessOptions } from "./process-options.ts";

type Paths<Options> = { readonly [Name in keyof Options]: Options[Name] };

/** Options of `serve` that are paths, and of the process. */
const SERVE_PATHS = [
  "socket",
  "path",
  "accessLog",
  "slowLog",
] as const satisfies readonly (keyof ServeOptions)[];
const PROCESS_PATHS = ["pidfile", "outlog", "errlog", "workdir"] as const;
/** Variables that hold one path, and several. */
const VARIABLES: readonly string[] = ["POSTERN_SOCKET", "POSTERN_PATH", "POSTERN_AJP_SECRET_FILE"];
const FOLDER_VARIABLES: readonly string[] = ["POSTERN_STATIC", "POSTERN_SENDFILE"];

/** `./status.sock` → `/srv/status.sock`; an address stays. */
function statusFrom(folder: string, status: string): string {
  return status.includes("/") ? resolve(folder, status) : status;
}

/** `/media=files` → `/media=/srv/files`. */
function folderFrom(folder: string, pair: string): string {
  const [prefix = "", ...rest] = pair.split("=");
  return `${prefix}=${resolve(folder, rest.join("="))}`;
}

function resolved<Options extends object>(
  options: Paths<Options>,
  names: readonly (keyof Options)[],
  folder: string,
): Options {
  const result = { ...options };
  for (const name of names) {
    const value = options[name];
    // `-` is a stream.
    if (typeof value === "string" && value !== "-")
      Object.assign(result, { [name]: resolve(folder, value) });
  }
  return result;
}

function optionsFrom(folder: string, options: ServeOptions): ServeOptions {
  const found = resolved(options, SERVE_PATHS, folder);
  for (const name of ["static", "sendfile"] as const) {
    const pairs = options[name];
    if (Array.isArray(pairs)) found[name] = pairs.map((pair: string) => folderFrom(folder, pair));
  }
  if (options.status !== undefined) found.status = statusFrom(folder, options.status);
  if (options.ajp !== undefined) found.ajp = resolved(options.ajp, ["secretFile"], folder);
  return found;
}

/** A command whose paths do not depend on the current folder. */
export function commandFrom(folder: string, command: ServeCommand): ServeCommand {
  const { control } = command.processes;
  const processes: ProcessOptions = {
    ...resolved(command.processes, PROCESS_PATHS, folder),
    control: control === undefined || control === NO_CONTROL ? control : resolve(folder, control),
    touchFiles: command.processes.touchFiles.map((path) => resolve(folder, path)),
  };
  return {
    ...command,
    app: resolve(folder, command.app),
    options: optionsFrom(folder, command.options),
    processes,
  };
}

/** Does the same for an environment, in place. */
export function fixEnvironment(folder: string, env: NodeJS.ProcessEnv): void {
  const change = (name: string, make: (value: string) => string): void => {
    const value = env[name];
    if (value !== undefined && value !== "") env[name] = make(value);
  };
  for (const name of VARIABLES) change(name, (path) => resolve(folder, path));
  change("POSTERN_STATUS", (status) => statusFrom(folder, status));
  for (const name of FOLDER_VARIABLES) {
    change(name, (list) =>
      list
        .split(/,(?=\/[^=]*=)/)
        .map((pair) => folderFrom(folder, pair))
        .join(","),
    );
  }
  change("NODE_PATH", (list) =>
    list
      .split(":")
      .map((path) => resolve(folder, path))
      .join(":"),
  );
}

/**
 * Changes to another folder.
 *
 * @throws UsageError where that cannot be
 */
export function changeFolder(folder: string): void {
  try {
    process.chdir(folder);
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    const fault =
      code === "ENOENT"
        ? "does not exist; create it"
        : `cannot be entered (${code}); choose another`;
    throw new UsageError(`workdir is ${JSON.stringify(folder)}, which ${fault}.`, "ERR_USAGE", {
      cause,
    });
  }
}
