/**
 * Nested options and the environment → one flat list of checked values, by name.
 *
 * Where the caller says something, the environment is silent: about that option, and about all of its kind (an address
 * is chosen in one place). Fills in no default and compares no option with another: resolve.ts does.
 */
import { UsageError } from "../errors.ts";
import { checkValue, readText } from "./check.ts";
import { GROUPS, hasText, LATER, OPTIONS, optionRow } from "./option-table.ts";
import { closest } from "./suggestion.ts";

/** Values by option name, `limits.bodyBytes` and so on. */
export type OptionValues = ReadonlyMap<string, unknown>;

/** Options of which the environment gives all or none. */
const TOGETHER: readonly (readonly string[])[] = [
  ["socket", "path", "port", "host", "fd"],
  ["ajp.secret", "ajp.secretFile"],
  ["mode", "umask"],
];

/**
 * The error for a name that no option has.
 *
 * @param name  as it was written, without dashes
 * @param shown how the message shows a name: with quotes, with dashes
 */
export function unknownOption(name: string, shown: (name: string) => string): UsageError {
  const until = LATER.get(name);
  if (until !== undefined) {
    return new UsageError(`Option ${shown(name)} comes in a later release; ${until}.`);
  }
  const meant = closest(
    name,
    OPTIONS.map((option) => option.name),
  );
  const remedy =
    meant === undefined ? "postern --help lists them all" : `did you mean ${shown(meant)}?`;
  return new UsageError(
    `Unknown option ${shown(name)}; ${remedy}${meant === undefined ? "." : ""}`,
    "ERR_UNKNOWN_OPTION",
  );
}

/** The name of an option's variable: `limits.bodyBytes` → `POSTERN_LIMITS_BODY_BYTES`. */
export function variableName(name: string): string {
  const words = name.replaceAll(".", "_").replace(/[A-Z]/g, (letter) => `_${letter}`);
  return `POSTERN_${words.toUpperCase()}`;
}

function isGroup(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Adds the values of one object, `prefix` being the group's name and a dot. */
function collect(values: Map<string, unknown>, source: object, prefix: string): void {
  // `in` order, so that options of a class instance count as well.
  for (const key in source) {
    const value = (source as Readonly<Record<string, unknown>>)[key];
    if (value === undefined) continue;
    const name = prefix + key;
    const option = optionRow(name);
    if (option !== undefined) {
      values.set(name, checkValue(option, value, name));
    } else if (prefix === "" && GROUPS.has(key)) {
      if (!isGroup(value))
        throw new UsageError(`${key} is no object; it takes an object of options.`);
      collect(values, value, `${key}.`);
    } else {
      throw unknownOption(name, JSON.stringify);
    }
  }
}

/** Adds what the environment says about options that have no value yet. */
function collectEnvironment(
  values: Map<string, unknown>,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const settled = new Set(
    TOGETHER.filter((names) => names.some((name) => values.has(name))).flat(),
  );
  for (const option of OPTIONS) {
    const { name, takes } = option;
    // The engine's variable is read where the engine is chosen, which knows what to say about it.
    if (!hasText(option) || name === "engine" || settled.has(name) || values.has(name)) continue;
    const variable = variableName(name);
    const text = env[variable];
    if (text === undefined || (text === "" && !(takes.type === "text" && takes.empty))) continue;
    values.set(name, checkValue(option, readText(option, text, variable), variable));
  }
}

/**
 * Collects and checks every value that was given.
 *
 * @throws UsageError for an unknown name, or a value of a wrong type or range
 */
export function collectValues(
  options: object,
  env: Readonly<Record<string, string | undefined>>,
): OptionValues {
  if (!isGroup(options))
    throw new UsageError("The options are no object; give an object or nothing.");
  const values = new Map<string, unknown>();
  collect(values, options, "");
  collectEnvironment(values, env);
  return values;
}
