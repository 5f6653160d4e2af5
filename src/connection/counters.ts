/**
 * What happened on one server → plain numbers, counted where it happens.
 *
 * Adding one to a field is all it costs, so they count whether anybody looks or not; only the clock is read on demand.
 * It names and shows nothing: observe/series.ts does.
 */
import type { ErrorRow } from "../errors.ts";
import type { ProtocolName } from "../http/head.ts";

/** Upper bounds of the buckets of {@link Counters.durations}, in seconds; one more bucket holds what took longer. */
export const DURATION_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Longer than any number of a row of ERRORS. */
const ERROR_NUMBERS = 128;

/** Requests of one protocol. */
export class ProtocolCounts {
  /** Heads that came whole. */
  requests = 0;
  /** Response heads by class: `responses[2]` are those of 200 to 299. */
  readonly responses: number[] = [0, 0, 0, 0, 0, 0];

  /** A response head leaves. */
  respond(status: number): void {
    const kind = (status / 100) | 0;
    if (kind < 6) this.responses[kind]!++;
  }
}

/** Everything that one server counts, since it was made. */
export class Counters {
  readonly protocols: Readonly<Record<ProtocolName, ProtocolCounts>> = {
    fastcgi: new ProtocolCounts(),
    scgi: new ProtocolCounts(),
    ajp: new ProtocolCounts(),
    http: new ProtocolCounts(),
  };
  /** Connections that were accepted, the refused ones among them. */
  accepted = 0;
  /** Closed unread: the address may not connect. */
  refusedPeers = 0;
  /** Closed unread: more than `limits.connections` and its reserve. */
  refusedConnections = 0;
  /** Closed: the first byte is of no protocol that is answered. */
  refusedProtocols = 0;
  /** Kept connections that were closed since nothing came. */
  idleTimeouts = 0;
  upgrades = 0;
  /** Requests that the peer aborted, or whose connection was lost, while the application worked on them. */
  aborts = 0;
  /** Of these: never handed to the application, since it was late and they were gone by then. */
  drops = 0;
  /** Requests whose handler threw or rejected. */
  failures = 0;
  /** Bytes of request heads and bodies, without framing. */
  receivedBytes = 0;
  /** By {@link ErrorRow.number}. */
  readonly errors: Float64Array = new Float64Array(ERROR_NUMBERS);
  /** Is the time of requests taken? */
  timed = false;
  /** Requests by duration, from the read that made their head whole to the end of the response. */
  readonly durations: Float64Array = new Float64Array(DURATION_BOUNDS.length + 1);
  durationMs = 0;
  /** Are many connections read in one turn, by the addon? Then its time is read once. */
  sharesTurns = false;
  /** When the bytes were read that are looked at now; 0 until somebody asks. */
  #turnMs = 0;

  /** Bytes of one connection follow. */
  read(): void {
    if (!this.sharesTurns) this.#turnMs = 0;
  }

  /** Bytes of many connections follow. */
  turn(): void {
    this.#turnMs = 0;
  }

  /** When the bytes were read that are looked at now, by `performance.now()`: that is 50 ns a call (Node 20). */
  get readMs(): number {
    if (this.#turnMs === 0) this.#turnMs = performance.now();
    return this.#turnMs;
  }

  /** A peer broke a rule or a limit. */
  err(row: ErrorRow): void {
    this.errors[row.number]!++;
  }

  /** A request took that long. */
  time(ms: number): void {
    this.durationMs += ms;
    const seconds = ms / 1_000;
    let bucket = 0;
    while (bucket < DURATION_BOUNDS.length && seconds > DURATION_BOUNDS[bucket]!) bucket++;
    this.durations[bucket]!++;
  }
}
