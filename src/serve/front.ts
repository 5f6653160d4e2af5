/**
 * The arguments of `serve` → an application and options: two arguments, or one object with both.
 * One object is a plain one, as a module exports it; an instance of a class (Hono, h3) is an application, and its
 * members are no options. Checks no option.
 */
import { types } from "node:util";
import { UsageError } from "../errors.ts";
import type { FetchHandler } from "../handler/fetch/info.ts";
import type { Application, NodeHandler } from "./application.ts";
import { isFastify, isKoa, isNest } from "./application-shapes.ts";
import { type ForeignOptions, readForeign } from "./foreign-options.ts";
import type { ServeOptions } from "./options.ts";

/** Options by any name that is taken. */
export type AnyOptions = Omit<ServeOptions, "transport"> & ForeignOptions;

/** An application and its options in one object: `{ fetch, port }`, as `export default` in Deno, Bun and srvx. */
export type AppOptions = AnyOptions &
  (
    | { readonly fetch: FetchHandler }
    | { readonly handler: NodeHandler }
    | { readonly app: Application }
  );

const NAMES = ["fetch", "handler", "app"] as const;
const SKIPPED: ReadonlySet<string> = new Set([...NAMES, "kind"]);
const KIND: ReadonlySet<string> = new Set(["kind"]);

/** What was found. */
export interface Front {
  readonly application: Application;
  readonly options: ServeOptions;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || types.isModuleNamespaceObject(value))
    return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Of another realm as well.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The application in an object of options. */
function applicationIn(both: Readonly<Record<string, unknown>>): Application {
  const given = NAMES.filter((name) => both[name] !== undefined);
  const [name] = given;
  if (name === undefined || given.length > 1) {
    throw new UsageError(
      `serve() was given options with ${name === undefined ? "no application" : given.join(" and ")}; ` +
        "give one of fetch(request), handler(req, res) or app.",
    );
  }
  // As it is: fetch is called as a method of the object it came in.
  if (name === "fetch" && typeof both[name] === "function") return both as unknown as Application;
  if (name === "app") return both[name] as Application;
  if (typeof both[name] === "function") return both[name] as Application;
  throw new UsageError(`${name} is ${typeof both[name]}; it takes a function.`);
}

/**
 * Reads the arguments of `serve`.
 *
 * @throws UsageError for an object without application, several of them, or an unknown `kind`
 */
export function readFront(first: unknown, second: object | undefined): Front {
  // A Fastify application is a plain object as well.
  const isMade = isFastify(first) || isKoa(first) || isNest(first);
  if (second === undefined && isPlain(first) && !isMade) {
    return { application: applicationIn(first), options: readForeign(first, SKIPPED) };
  }
  const kind: unknown = (second as { kind?: unknown } | undefined)?.kind;
  if (kind !== undefined && kind !== "fetch" && kind !== "node") {
    throw new UsageError(`kind is ${JSON.stringify(kind)}; it takes "fetch" or "node".`);
  }
  const isFetch = kind === "fetch" && typeof first === "function";
  return {
    application: isFetch ? { fetch: first as FetchHandler } : (first as Application),
    options: readOptions(second ?? {}),
  };
}

/** Reads options that come without application, as `createServer` takes them. */
export function readOptions(options: AnyOptions): ServeOptions {
  // What is no object is told so where options are read.
  const isObject = typeof options === "object" && options !== null && !Array.isArray(options);
  return isObject ? readForeign(options, KIND) : (options as ServeOptions);
}
