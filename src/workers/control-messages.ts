/**
 * What a client of the control socket and the primary tell each other: one line of JSON each, and the check of both.
 *
 * A request is small and a verb; an answer is a result or a refusal in one sentence. Neither side believes the other:
 * what is not of this shape is refused (reliability O-7). Opens no socket.
 */

/** What can be asked of a primary. */
export const CONTROL_VERBS = [
  "status",
  "workers",
  "reload",
  "stop",
  "scale",
  "upgrade",
  "reopen",
] as const;
/** One of {@link CONTROL_VERBS}. */
export type ControlVerb = (typeof CONTROL_VERBS)[number];

/** Longest line that is asked, in bytes. */
export const REQUEST_BYTES_MAX = 4_096;
/** Longest line that is answered, in bytes: a thousand workers with all their numbers have room. */
export const ANSWER_BYTES_MAX = 4_194_304;
/** Clients that are served at a time. */
export const CLIENTS_MAX = 32;
/** Most workers that can be asked for. */
const COUNT_MAX = 1_024;

/** One request. */
export type ControlRequest =
  | { readonly verb: Exclude<ControlVerb, "scale"> }
  | { readonly verb: "scale"; readonly count: number };

/** Why something was not done. */
export interface Refusal {
  readonly sentence: string;
  /** What an application's own error looks like; "" for none. */
  readonly detail: string;
}

/** One answer. */
export type ControlAnswer =
  | { readonly ok: true; readonly result: Readonly<Record<string, unknown>> }
  | ({ readonly ok: false } & Refusal);

/** What is known of one worker. */
export interface WorkerStatus {
  readonly id: number;
  readonly pid: number;
  readonly generation: number;
  readonly state: string;
  readonly uptimeMs: number;
  /** Its last numbers, by name; empty where it has not told any. */
  readonly load: Readonly<Record<string, number>>;
}

/** What is known of the whole. */
export interface Status {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly address: string;
  readonly protocols: readonly string[];
  readonly method: string;
  /** serving, reloading, upgrading or stopping. */
  readonly state: string;
  readonly generation: number;
  readonly reloads: number;
  readonly upgrades: number;
  /** Workers that are wished. */
  readonly size: number;
  readonly workers: readonly WorkerStatus[];
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A request; or why it is none, as one sentence. */
export function readRequest(line: string): ControlRequest | string {
  const value = parsed(line);
  if (value === undefined) return 'A request is one line of JSON, such as {"verb":"status"}.';
  const verb = CONTROL_VERBS.find((name) => name === value["verb"]);
  if (verb === undefined) return `verb is one of ${CONTROL_VERBS.join(", ")}.`;
  if (verb !== "scale") return { verb };
  const { count } = value;
  if (typeof count === "number" && Number.isInteger(count) && count >= 1 && count <= COUNT_MAX) {
    return { verb, count };
  }
  return `count is a whole number from 1 to ${COUNT_MAX}.`;
}

/** An answer; undefined for anything else. */
export function readAnswer(line: string): ControlAnswer | undefined {
  const value = parsed(line);
  if (value === undefined) return undefined;
  const { ok, result, sentence, detail } = value;
  if (ok === true && typeof result === "object" && result !== null) {
    return { ok, result: result as Record<string, unknown> };
  }
  if (ok !== false || typeof sentence !== "string" || typeof detail !== "string") return undefined;
  return { ok, sentence, detail };
}

const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === "string";

function readWorker(value: unknown): WorkerStatus | undefined {
  const row = (value ?? {}) as Record<keyof WorkerStatus, unknown>;
  const { id, pid, generation, state, uptimeMs, load } = row;
  if (![id, pid, generation, uptimeMs].every(isNumber) || !isText(state)) return undefined;
  const entries = Object.entries((load ?? {}) as object).filter((entry) => isNumber(entry[1]));
  return { ...(row as WorkerStatus), load: Object.fromEntries(entries) as Record<string, number> };
}

/** The status in an answer; undefined where it is none, as of another version. */
export function readStatus(result: Readonly<Record<string, unknown>>): Status | undefined {
  const { version, node, address, method, state, protocols, workers } = result;
  const texts = [version, node, address, method, state];
  const { pid, uptimeMs, generation, reloads, upgrades, size } = result;
  const numbers = [pid, uptimeMs, generation, reloads, upgrades, size];
  if (!texts.every(isText) || !numbers.every(isNumber)) return undefined;
  if (!Array.isArray(protocols) || !protocols.every(isText)) return undefined;
  const rows = Array.isArray(workers) ? workers.map(readWorker) : [undefined];
  if (rows.includes(undefined)) return undefined;
  return { ...(result as unknown as Status), workers: rows as WorkerStatus[] };
}
