/**
 * Wrong options → the one sentence of their refusal, for the tests of options.
 * It checks that the refusal is a UsageError of one line with an end; what it says is the test's to check.
 */
import { expect } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { normalizeOptions, type ServeOptions } from "../../src/serve/options.ts";

/** As short as a secret may be. */
export const SECRET = "0123456789abcdef";

/** What {@link UsageError} may say of options. */
const CODES = ["ERR_USAGE", "ERR_UNKNOWN_OPTION"];

/** Options as somebody without types writes them. */
export const loosely = (options: object): ServeOptions => options as ServeOptions;

/** The one sentence of the refusal. */
export function refusal(options: object, env: Record<string, string> = {}): string {
  try {
    normalizeOptions(loosely(options), env);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect(CODES).toContain((error as UsageError).code);
    const { message } = error as UsageError;
    expect(message).not.toContain("\n");
    expect(message).toMatch(/[.?]$/);
    return message;
  }
  throw new Error("it was not refused");
}
