/**
 * Command line and environment → what the serve bench is to do. It starts nothing.
 * A wrong word ends in an Error of one sentence.
 */
import { parseArgs } from "node:util";

/** What the serve bench is to do. */
export interface Settings {
  /** Every scenario, every peer. */
  readonly full: boolean;
  /** Names of scenarios; empty: all of the set. */
  readonly scenarios: readonly string[];
  /** Beginnings of names of servers; empty: all of the scenario. node:http is always there. */
  readonly peers: readonly string[];
  readonly rounds: number;
  /** Measured seconds of a round; 0: a few requests, however long they take, which is no measurement. */
  readonly seconds: number;
  /** CPU seconds that a server has used before it is measured: by the clock, a busy machine would leave it cold. */
  readonly warmupCpuSeconds: number;
  readonly engines: readonly string[];
  /** For POSTERN_TRANSPORT; "" leaves it alone. */
  readonly transports: readonly string[];
  /** Paths of Node, or major versions of those that bench/package.json installs. */
  readonly nodes: readonly string[];
  readonly overs: readonly ("unix" | "tcp")[] | undefined;
  /** A server of its own for each round: dearer, and what a process happens to be like is not in the figure. */
  readonly fresh: boolean;
  /** Writes bench/results/latest.json and docs/bench.svg. */
  readonly save: boolean;
  /** Connections of the scenario idle. */
  readonly idle: number;
}

const OPTIONS = {
  full: { type: "boolean" },
  scenario: { type: "string", multiple: true },
  peer: { type: "string", multiple: true },
  rounds: { type: "string" },
  seconds: { type: "string" },
  engine: { type: "string", multiple: true },
  transport: { type: "string", multiple: true },
  node: { type: "string", multiple: true },
  over: { type: "string", multiple: true },
  idle: { type: "string" },
  fresh: { type: "boolean" },
  save: { type: "boolean" },
} as const;

/** `--scenario a,b --scenario c` → a, b, c. */
function words(values: readonly string[] | undefined): string[] {
  return (values ?? []).flatMap((value) => value.split(",")).filter((word) => word !== "");
}

function count(name: string, text: string | undefined, otherwise: number, least: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() === "" || !(value >= least)) {
    throw new Error(`--${name} takes a number from ${least}, not "${text}"`);
  }
  return value;
}

function chosen(name: string, given: readonly string[], allowed: readonly string[]): string[] {
  const wrong = given.find((word) => !allowed.includes(word));
  if (wrong !== undefined) throw new Error(`--${name} takes ${allowed.join(", ")}, not "${wrong}"`);
  return [...given];
}

function parse(parameters: readonly string[]): ReturnType<typeof parseWords> {
  try {
    return parseWords(parameters);
  } catch (error) {
    throw new Error((error as Error).message.split(". ")[0]);
  }
}

function parseWords(parameters: readonly string[]) {
  return parseArgs({ args: [...parameters], options: OPTIONS }).values;
}

/**
 * Reads parameters.
 *
 * @param names the scenarios there are
 * @param blink everything once and hardly at all
 */
export function readSettings(
  parameters: readonly string[],
  names: readonly string[],
  blink: boolean,
): Settings {
  const values = parse(parameters);
  const full = values.full ?? false;
  const usual = blink ? [1, 0, 0] : full ? [5, 2, 3] : [3, 0.6, 1];
  const overs = chosen("over", words(values.over), ["unix", "tcp"]) as ("unix" | "tcp")[];
  const engines = chosen("engine", words(values.engine), ["auto", "native", "typescript"]);
  const transports = chosen("transport", words(values.transport), ["auto", "native", "node"]);
  const nodes = words(values.node);
  return {
    full,
    scenarios: chosen("scenario", words(values.scenario), names),
    peers: words(values.peer),
    rounds: Math.floor(count("rounds", values.rounds, usual[0]!, 1)),
    seconds: count("seconds", values.seconds, usual[1]!, 0.01),
    warmupCpuSeconds: usual[2]!,
    engines: engines.length === 0 ? ["auto"] : engines,
    transports: transports.length === 0 ? [""] : transports,
    nodes: nodes.length === 0 ? [process.execPath] : nodes,
    overs: overs.length === 0 ? undefined : overs,
    fresh: values.fresh ?? false,
    save: values.save ?? false,
    idle: Math.floor(count("idle", values.idle, blink ? 20 : 10_000, 1)),
  };
}
