/**
 * A failed accept → what the operator is told: the system had no descriptor for a connection (EMFILE, ENFILE).
 * When to tell is the acceptor's.
 */
import { getSystemErrorName } from "node:util";
import { UsageError } from "../errors.ts";

/** The operator hears of it this often, in milliseconds. */
export const STARVED_MS = 60_000;

/**
 * The error for it.
 *
 * @param errno of accept(2), positive
 */
export function starvation(errno: number): UsageError {
  const name = getSystemErrorName(-errno);
  const sentence =
    `No descriptor is left for another connection (${name}), which waits until one is free; ` +
    "raise the limit of open files (ulimit -n, LimitNOFILE=) or lower limits.connections.";
  return new UsageError(sentence, "ERR_NO_DESCRIPTOR");
}
