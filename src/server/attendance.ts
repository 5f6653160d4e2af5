/**
 * What an application wants done around the time in which its server listens.
 *
 * A shape and nothing else: serve/application.ts has the applications that want it, server.ts the moments.
 */

/** Work before the first request and after the last one. */
export interface Attendance {
  /** Makes the application ready; called once, by `listen`, and nothing is bound before it resolves. */
  prepare(): Promise<void>;
  /** Lets it go; called once, after the server's "close", and only where `prepare` was called. */
  release(): Promise<unknown>;
}
