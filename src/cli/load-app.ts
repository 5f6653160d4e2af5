/**
 * The path of an application module → its handler.
 *
 * The module exports, as default, `app` or `handler`: an application in any shape that `serve` takes, a promise of one,
 * or a function without parameters that returns one. Calls no handler, and tells three mistakes apart: no such module,
 * a module that fails by itself, a module without handler.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "../errors.ts";
import { type Application, isApplication } from "../serve/application.ts";

/** The application's own error while it was loading; `cause` is that error, which is the application's business. */
export class AppFailure extends Error {
  override readonly name: string = "AppFailure";
}

/** Names under which a module may export its handler, the first that is there wins. */
const NAMES: readonly string[] = ["default", "app", "handler"];
const EXTENSIONS: readonly string[] = [".js", ".mjs", ".cjs"];

/** @throws UsageError ERR_APP_MISSING where this user may not look */
function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOTDIR") return false;
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): UsageError {
  const { code } = cause as NodeJS.ErrnoException;
  return new UsageError(
    `Application module ${JSON.stringify(path)} may not be read by this user (${code}); ` +
      "change its mode or that of its folders, or start as another user.",
    "ERR_APP_MISSING",
    { cause },
  );
}

/** What package.json of a folder calls its main file. */
function mainOf(folder: string): string {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const { main } = manifest as { main?: unknown };
    return typeof main === "string" ? main : "index";
  } catch {
    // No manifest, or none that can be read: a folder's main file is its index.
    return "index";
  }
}

/**
 * The file of a module, found as `node PATH` finds it.
 *
 * @throws UsageError ERR_APP_MISSING where there is none
 */
export function moduleFile(written: string): string {
  const path = resolve(written);
  const isFolder = existsSync(path) && !isFile(path);
  const inFolder = isFolder ? [join(path, mainOf(path))] : [];
  for (const base of [path, ...inFolder]) {
    const found = ["", ...EXTENSIONS].map((extension) => base + extension).find(isFile);
    if (found !== undefined) return found;
  }
  const fault = isFolder
    ? `is a folder without a module that its package.json names as main, or index.js; give the path of the module`
    : `does not exist (looked for ${path}); check the path`;
  throw new UsageError(
    `Application module ${JSON.stringify(written)} ${fault}.`,
    "ERR_APP_MISSING",
  );
}

/** Is this about the file itself, which may not be read? */
function isOf(cause: unknown, path: string): boolean {
  const { code, path: where } = (cause ?? {}) as NodeJS.ErrnoException;
  return (code === "EACCES" || code === "EPERM") && where === path;
}

async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    if ((cause as { code?: unknown } | null)?.code === "ERR_UNKNOWN_FILE_EXTENSION") {
      throw new UsageError(
        `Application module ${JSON.stringify(path)} is of a kind (${extname(path) || basename(path)}) that ` +
          "this Node does not load; give a .js, .mjs or .cjs file, or use a newer Node for .ts.",
        "ERR_APP_KIND",
        { cause },
      );
    }
    if (isOf(cause, path)) throw unreadable(path, cause);
    throw new AppFailure(`Application module ${JSON.stringify(path)} failed while loading.`, {
      cause,
    });
  }
}

/** Follows promises, and calls functions that take nothing: a handler takes at least a request. */
async function settle(value: unknown): Promise<Application | undefined> {
  const awaited = await value;
  if (typeof awaited !== "function" || awaited.length > 0) {
    return isApplication(awaited) ? awaited : undefined;
  }
  const made = await (awaited as () => unknown)();
  return isApplication(made) ? made : undefined;
}

/** The exported values in the order of preference; CommonJS exports lie below `default` as well. */
function candidates(module: Readonly<Record<string, unknown>>): unknown[] {
  const main = module["default"];
  const below = typeof main === "object" && main !== null && !isApplication(main) ? main : {};
  return [module, below as Readonly<Record<string, unknown>>].flatMap((from) =>
    NAMES.map((name) => from[name]).filter((value) => value !== undefined),
  );
}

/**
 * Loads an application.
 *
 * @param written path as the user wrote it, from the current folder
 * @throws UsageError ERR_APP_MISSING, ERR_APP_KIND or ERR_APP_HANDLER: the user's mistakes
 * @throws AppFailure when the application's own code throws
 */
export async function loadApp(written: string): Promise<Application> {
  const path = moduleFile(written);
  const module = await importModule(path);
  for (const candidate of candidates(module)) {
    let handler: Application | undefined;
    try {
      handler = await settle(candidate);
    } catch (cause) {
      throw new AppFailure(`Application module ${JSON.stringify(path)} failed while starting.`, {
        cause,
      });
    }
    if (handler !== undefined) return handler;
  }
  throw new UsageError(
    `Application module ${JSON.stringify(written)} exports no handler; export (as default, app or handler) ` +
      "a function (req, res), an object with fetch, a Koa, Fastify or NestJS application, " +
      "or a function without parameters that returns one of them.",
    "ERR_APP_HANDLER",
  );
}
