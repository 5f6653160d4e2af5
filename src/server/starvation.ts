/**
 * A failed accept → a count, and what the operator is told once a minute: the system had no descriptor for a connection
 * (EMFILE, ENFILE). Accepting again is the listener's (reliability X-11).
 */
import { getSystemErrorName } from "node:util";
import { UsageError } from "../errors.ts";

/** The operator hears of it this often, in milliseconds. */
const STARVED_MS = 60_000;

/** The want of descriptors of one server. */
export class Starvation {
  /** How often the system had no descriptor for a connection. */
  count = 0;
  #toldMs = 0;

  /**
   * It had none.
   *
   * @param errno of accept(2), positive
   * @returns what the operator is to hear; undefined while that was said already
   */
  happened(errno: number, nowMs: number): UsageError | undefined {
    this.count++;
    if (this.#toldMs !== 0 && nowMs - this.#toldMs < STARVED_MS) return undefined;
    this.#toldMs = nowMs;
    const name = getSystemErrorName(-errno);
    const sentence =
      `No descriptor is left for another connection (${name}), which waits until one is free; ` +
      "raise the limit of open files (ulimit -n, LimitNOFILE=) or lower limits.connections.";
    return new UsageError(sentence, "ERR_NO_DESCRIPTOR");
  }
}
