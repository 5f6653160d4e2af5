/**
 * An error → is it only what a client that went away leaves behind?
 * Streams, signals and our own reasons are told apart by code; nothing is thrown or reported here.
 */

/** Codes of errors that streams and signals make of a client that is gone. */
const CONSEQUENCES: ReadonlySet<unknown> = new Set([
  "ECONNRESET",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_DESTROYED",
  "ABORT_ERR",
  "ERR_ABORTED",
  "ERR_CONNECTION_LOST",
]);

/** Is this error made by the end of a request, as whoever reads or writes then gets one, and no mistake of its handler? */
export function isConsequence(error: unknown): boolean {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return CONSEQUENCES.has(code) || name === "AbortError";
}
