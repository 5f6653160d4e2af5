/**
 * Attempts to listen at an address that another instance may be about to leave → the first that succeeds.
 *
 * A restart script may overlap old and new. Only what waiting can mend is tried again.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** How long an address in use is tried again, in milliseconds. */
const RETRY_MS = 3_000;
const RETRY_PAUSE_MS = 150;
const RETRY_CODES: ReadonlySet<unknown> = new Set(["ERR_SOCKET_LIVE", "ERR_PORT_IN_USE"]);

/**
 * Makes attempts until one succeeds.
 *
 * @throws what the last attempt threw
 */
export async function whileInUse<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const deadlineMs = performance.now() + RETRY_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const again = RETRY_CODES.has((error as { code?: unknown } | null)?.code);
      if (!again || performance.now() > deadlineMs) throw error;
    }
    await sleep(RETRY_PAUSE_MS);
  }
}
