/**
 * What a target and the test that started it say to one another.
 */
import type { ServeOptions } from "../../src/serve/options.ts";
import type { wayOf } from "../support/engines.ts";
import type { FramedProtocol } from "../support/transcript.ts";

/** In the order of their servers. */
export const PROTOCOLS: readonly FramedProtocol[] = ["fastcgi", "scgi", "ajp"];

/** Of AJP. */
export const SECRET = "sixteen bytes and more";

/** What a target is started with. */
export interface TargetWords {
  /** Where its unix sockets are. */
  readonly folder: string;
  readonly way: ReturnType<typeof wayOf>;
  readonly options: ServeOptions;
}

/** What a target tells of itself. */
export interface Facts {
  readonly inFlight: number;
  readonly connections: number;
  /** Requests that came to their end. */
  readonly requests: number;
  /** Kinds of what keeps Node's loop alive, timers and single operations aside. */
  readonly handles: readonly string[];
  /** Responses that ended before they were finished. */
  readonly aborted: number;
  readonly memory: NodeJS.MemoryUsage;
}

/** What a target is asked; the answer is {@link Facts}. */
export interface Question {
  /** Collects garbage first. */
  readonly collect?: boolean;
  /** From now on the clock of the day is so much off. */
  readonly shiftMs?: number;
}
