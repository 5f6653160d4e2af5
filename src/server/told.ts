/**
 * The end of a server → the moment at which everybody has heard of it.
 *
 * It waits for what node still has to tell, and for nothing that an application does.
 */

/** Resolves once handlers know of sockets that are gone: node counts one out before it says "close" of it. */
export function told(): Promise<void> {
  // After the loop's closing phase, where sockets say it, and the turn in which req and res do.
  return new Promise((resolve) => setTimeout(setImmediate, 1, resolve));
}
