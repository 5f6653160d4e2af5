/**
 * What primary and workers tell each other, and the check of what a worker says.
 *
 * Plain values only: they pass a process's IPC channel or a thread's port alike. A worker runs other people's code, so
 * what comes from it is judged before it is believed (reliability O-7).
 */

import { type Load, readLoad } from "./load.ts";

/** Primary → worker. */
export type Order =
  /** The first one: what to serve, and on which descriptor. */
  | {
      readonly kind: "begin";
      /** The command line, as the primary read it. */
      readonly words: readonly string[];
      /** The folder in which they were written. */
      readonly folder: string;
      readonly fd: number;
      /** What that descriptor is, as the start line says it. */
      readonly address: string;
      readonly id: number;
      readonly generation: number;
    }
  /**
   * Take nothing more, finish what runs, and leave. `handOver`: kept connections are given to others, by `give`; else
   * they have the grace of a drain. The second word on it counts.
   */
  | { readonly kind: "retire"; readonly handOver: boolean }
  /**
   * Give at most so many connections away, and go on. `to`: a worker's id, or 0 for any other. `share`: part of its recent
   * requests that shall go with them, from 0 to 1.
   */
  | {
      readonly kind: "yield";
      readonly count: number;
      readonly to: number;
      readonly share: number;
    }
  /** Serve this connection; it comes beside the order. Answered by `taken`. */
  | { readonly kind: "take"; readonly ticket: number }
  /** Somebody renamed the logs: open them anew. */
  | { readonly kind: "reopen" };

/** What a worker serves by; the same for all of a generation. */
export interface ReadyFacts {
  readonly protocols: readonly string[];
  /** `native (why)`. */
  readonly engine: string;
  readonly transport: string;
  /** What the start line has to add; "" for nothing. */
  readonly note: string;
}

/** Worker → primary. */
export type Report =
  /** It listens. */
  | { readonly kind: "ready"; readonly facts: ReadyFacts }
  /** It will not: one sentence, perhaps what the application's own error looks like, and the exit status it asks for. */
  | {
      readonly kind: "failed";
      readonly sentence: string;
      /** Of the error: `ERR_NOT_LISTENING`; "" for none. */
      readonly code: string;
      readonly detail: string;
      readonly status: number;
    }
  /** It would like to leave, and asks for another in its place first. */
  | { readonly kind: "leaving" }
  /** A connection for another worker, which comes beside this report. `to`: its id, or 0 for any. */
  | { readonly kind: "give"; readonly to: number }
  /** The connection of that ticket is served, or cannot be taken. */
  | { readonly kind: "taken"; readonly ticket: number; readonly taken: boolean }
  /** How busy it is; about every quarter of a second. */
  | { readonly kind: "load"; readonly load: Load }
  /** It has had all the requests it is allowed, takes nothing more and leaves by itself. */
  | { readonly kind: "worn" };

/** Longest text of a report, in characters: what a worker says is shown and kept. */
const TEXT_MAX = 65_536;

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= TEXT_MAX;
}

function readFacts(value: unknown): ReadyFacts | undefined {
  const { protocols, engine, transport, note } = (value ?? {}) as Record<keyof ReadyFacts, unknown>;
  const named = Array.isArray(protocols) && protocols.length <= 4 && protocols.every(isText);
  if (!named || !isText(engine) || !isText(transport) || !isText(note)) return undefined;
  return { protocols: protocols as string[], engine, transport, note };
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readPassing(kind: "give" | "taken", value: object): Report | undefined {
  const { to, ticket, taken } = value as Record<string, unknown>;
  if (kind === "give") return isNumber(to) ? { kind, to } : undefined;
  return isNumber(ticket) && typeof taken === "boolean" ? { kind, ticket, taken } : undefined;
}

/** A report, if that is one; undefined for anything else. */
export function readReport(value: unknown): Report | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { kind, facts, load, sentence, code, detail, status } = value as Record<string, unknown>;
  if (kind === "ready") {
    const read = readFacts(facts);
    return read === undefined ? undefined : { kind, facts: read };
  }
  if (kind === "leaving" || kind === "worn") return { kind };
  if (kind === "give" || kind === "taken") return readPassing(kind, value);
  if (kind === "load") {
    const read = readLoad(load);
    return read === undefined ? undefined : { kind, load: read };
  }
  if (kind !== "failed" || ![sentence, code, detail].every(isText)) return undefined;
  const texts = { sentence, code, detail } as Record<"sentence" | "code" | "detail", string>;
  return { kind, ...texts, status: status === 2 ? 2 : 1 };
}
