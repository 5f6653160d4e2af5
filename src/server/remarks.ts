/**
 * Refusals of requests → what the operator hears of them: once, where an option can mend them; each time, where a request
 * took too long. The rest is the access log's.
 */
import { concernsOperator } from "../connection/refusal.ts";
import { ERRORS, type ErrorRow, OverdueError, ProtocolError } from "../errors.ts";

/** A request that was refused. */
export interface Refused {
  /** By the coarse clock, in milliseconds. */
  readonly beganMs: number;
  /** Tells the operator of an error, and which request it is of. */
  report(error: Error): void;
}

/** The remarks of one server. */
export class Remarks {
  readonly #report: (error: Error) => void;
  readonly #made = new Set<ErrorRow>();

  /** @param report where remarks go that are not about one request */
  constructor(report: (error: Error) => void) {
    this.#report = report;
  }

  /** Says what there is to say of a refusal. */
  make(row: ErrorRow, refused: Refused | undefined, nowMs: number): void {
    if (row === ERRORS.TIMEOUT_REQUEST) {
      refused?.report(new OverdueError(row, nowMs - refused.beganMs));
    }
    if (!concernsOperator(row) || this.#made.has(row)) return;
    this.#made.add(row);
    this.#report(new ProtocolError(row));
  }
}
