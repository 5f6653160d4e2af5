/**
 * The words of Django's runfcgi that stand without a value, and `help`.
 *
 * All others are options, and rows of process-options.ts or serve/option-table.ts.
 */

/** Words that may stand for themselves: `daemonize`. runfcgi took any word so, and failed on some. */
export const BARE_WORDS: ReadonlySet<string> = new Set(["help", "debug", "daemonize"]);

/** Is this how somebody asks for help? With any value, as in `help=me`. */
export function isHelp(name: string): boolean {
  return name === "help";
}
