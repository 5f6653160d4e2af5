/**
 * A stream and the environment → whether it gets colours, and text in them.
 *
 * The one place that knows NO_COLOR, FORCE_COLOR and terminals. FORCE_COLOR says most, 0 or false being no; then NO_COLOR, if it is
 * not empty; then whether it is a terminal, and one that knows more than letters. As Node's own colours have it.
 */

const CODES = { bold: 1, inverse: 7, cyan: 36 } as const;
/** A way of writing. */
export type Colour = keyof typeof CODES;

/** Does a stream get colours? */
export function hasColours(
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return !["0", "false"].includes(forced);
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  return isTerminal && env["TERM"] !== "dumb";
}

/** Text in a colour, if there are any. */
export function coloured(text: string, colour: Colour, isOn: boolean): string {
  return isOn ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}
