/**
 * An error that nobody takes → standard error, where node itself would put it.
 * For a server without `onError`, and for what `onError` throws; everything else goes to `onError`.
 */

/** For errors that have no other way out: of a server without onError, and of onError itself. */
export function say(error: unknown): undefined {
  // biome-ignore lint/suspicious/noConsole: without onError this is the only place left to say it.
  console.error(error);
}
