/**
 * How much each connection is used lately → those that take a wished part of the requests with them to another worker.
 *
 * The busiest first, as far as they fit: one that alone is far more than the part would only change which worker is the busy
 * one. Pure; departures.ts lets them go.
 */
import type { Leaver } from "./departures.ts";

/** So much more than what is still wished may one connection bring: less is left to be moved afterwards than before. */
const EXCESS_MAX = 1.5;

/**
 * Chooses connections.
 *
 * @param count most of them
 * @param share part of the recent requests of all together, from 0 to 1
 */
export function chooseLeavers(
  leavers: Iterable<Leaver>,
  count: number,
  share: number,
): readonly Leaver[] {
  const known = [...leavers].map((leaver) => ({
    leaver,
    requests: leaver.watch?.recentRequests ?? 0,
  }));
  known.sort((one, other) => other.requests - one.requests);
  let wished = share * known.reduce((sum, { requests }) => sum + requests, 0);
  const chosen: Leaver[] = [];
  for (const { leaver, requests } of known) {
    if (chosen.length >= count) break;
    // To move one that is not used changes nothing, but where all shall go.
    if (share < 1 && (requests === 0 || requests > EXCESS_MAX * wished)) continue;
    chosen.push(leaver);
    wished -= requests;
  }
  return chosen;
}
