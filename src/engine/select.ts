/**
 * What the user wishes and what this machine has → one engine, and the reason why it is that one.
 *
 * Decodes nothing and prints nothing; the start line and `server.engine` show the reason. A fallback that cannot
 * say why it happened costs days, so every way through here ends in a clause.
 */
import { UsageError } from "../errors.ts";
import type { CreateLines } from "./lines.ts";
import type { EngineChoice, EngineFactory, EngineName } from "./engine.ts";
import {
  addonPaths,
  type ListenerWatcher,
  loadAddon,
  nativeEngine,
  nativeTransport,
} from "./native.ts";
import { platformName } from "./platform.ts";
import type { TransportFactory } from "./transport.ts";
import { createTypescriptEngine } from "./typescript.ts";

/** What can be wished: an engine by name, or the best that works. */
export type EngineOption = EngineName | "auto";

/** The engine to run. */
export interface SelectedEngine {
  readonly choice: EngineChoice;
  readonly create: EngineFactory;
  /** Opens transports of the addon; undefined where there are none. */
  readonly openTransport?: TransportFactory | undefined;
  /** Makes writers of log lines; undefined where the addon is not used. */
  readonly createLines?: CreateLines | undefined;
  /** Watches listening sockets without accepting; undefined where the addon is not used or cannot. */
  readonly watchListener?: ListenerWatcher | undefined;
  /** Sends datagrams to unix sockets, which node cannot; undefined where the addon is not used. */
  readonly sendDatagram?: ((path: string, text: string) => number) | undefined;
}

/** What is asked of the outside; tests give their own. */
export interface EngineSurroundings {
  /** `POSTERN_ENGINE`; undefined or "" when it is not set. */
  readonly environment: string | undefined;
  /** Where an addon may lie, the best first. */
  readonly paths: () => readonly string[];
}

const surroundings: EngineSurroundings = {
  get environment(): string | undefined {
    return process.env["POSTERN_ENGINE"];
  },
  paths: () => addonPaths(platformName(process.platform, process.arch, process.execPath)),
};

/** Reads a wish; `source` says in the message where it was written. */
function readWish(value: string | undefined, source: string): EngineOption {
  if (value === undefined || value === "") return "auto";
  if (value === "native" || value === "typescript" || value === "auto") return value;
  throw new UsageError(
    `${source} is ${JSON.stringify(value)}; expected "native", "typescript" or "auto".`,
  );
}

/**
 * Selects the engine.
 *
 * @param option the `engine` option; "auto" or undefined leaves it to `POSTERN_ENGINE`, and that to what works
 * @throws UsageError for an unknown word, and when `native` is asked for and there is no addon to use
 */
export function selectEngine(
  option?: string,
  { environment, paths }: EngineSurroundings = surroundings,
): SelectedEngine {
  const byOption = readWish(option, "Option engine");
  const byEnvironment = readWish(environment, "POSTERN_ENGINE");
  const wish = byOption === "auto" ? byEnvironment : byOption;
  const source = byOption === "auto" ? "POSTERN_ENGINE" : "option engine";
  if (wish === "typescript") {
    return {
      choice: { name: wish, reason: `${source} asks for it` },
      create: createTypescriptEngine,
    };
  }
  const loaded = loadAddon(paths());
  if (loaded.addon !== undefined) {
    const reason =
      wish === "native" ? `${source} asks for it` : `the addon loads from ${shown(loaded.path)}`;
    return {
      choice: { name: "native", reason },
      create: nativeEngine(loaded.addon),
      openTransport: nativeTransport(loaded.addon),
      createLines: loaded.addon.createLines,
      watchListener: loaded.addon.watchListener,
      sendDatagram: loaded.addon.sendDatagram,
    };
  }
  if (wish === "native") {
    throw new UsageError(
      `The native engine that ${source} asks for cannot run because ${loaded.reason}; ` +
        'use the engine "auto" or, in a checkout of postern, build it with "npm run build:native".',
    );
  }
  return {
    choice: { name: "typescript", reason: loaded.reason },
    create: createTypescriptEngine,
  };
}

/** How threads of one process get descriptors of their own, or why they cannot, as one clause. */
export type Duplication =
  | { readonly duplicate: (fd: number) => number; readonly reason?: never }
  | { readonly duplicate?: never; readonly reason: string };

/** Finds the addon's `duplicate`, which returns a descriptor or −errno; Node has nothing of the kind. */
export function findDuplication(
  paths: EngineSurroundings["paths"] = surroundings.paths,
): Duplication {
  const loaded = loadAddon(paths());
  if (loaded.addon === undefined) return { reason: loaded.reason };
  const { duplicate } = loaded.addon;
  return duplicate === undefined ? { reason: "this is not Linux" } : { duplicate };
}

/** The end of a path that says which file it is: its last three parts. */
function shown(path: string): string {
  return path.split(/[\\/]/).slice(-3).join("/");
}
