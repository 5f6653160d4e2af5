/**
 * What an old primary and the new one that takes its place tell each other, and the check of it.
 *
 * The new one may be of another version of postern, or no postern at all: what it says is judged before it is believed,
 * and it judges in turn what it is told (reliability O-7). Plain values over node's IPC.
 */
import type { ListenerLegacy } from "../server/held-listener.ts";
import type { FileIdentity } from "../server/socket-file.ts";
import type { Refusal } from "./control-messages.ts";

/** Number of the listening descriptor in the new primary; 4 is node's channel. */
export const LISTENER_FD = 3;
/** Number of the control socket there. */
export const CONTROL_FD = 5;
/** Tells a primary that it takes another's place, and what it goes on with. */
export const SUCCESSOR_VARIABLE = "POSTERN_SUCCESSOR";

/** What the new primary goes on with. */
export interface Legacy {
  readonly listener: ListenerLegacy;
  /** The control socket; undefined where there is none. */
  readonly control:
    | { readonly path: string; readonly identity: FileIdentity | undefined }
    | undefined;
  /** Counts that go on. */
  readonly reloads: number;
  readonly upgrades: number;
  /** As many workers as somebody asked for; 0: as the options say. */
  readonly fixed: number;
}

/** Old primary → new one. */
export type Bequest =
  /** Take files and sockets over; `again`: another upgrade was asked for meanwhile. */
  | { readonly kind: "yours"; readonly again: boolean }
  /** A kept connection goes with it. */
  | { readonly kind: "take"; readonly ticket: number };

/** New primary → old one. */
export type SuccessorReport =
  /** Its workers serve. */
  | { readonly kind: "ready" }
  /** It has taken everything over. */
  | { readonly kind: "taken" }
  /** It has that connection. */
  | { readonly kind: "arrived"; readonly ticket: number }
  | ({ readonly kind: "failed" } & Refusal);

/** Longest text, in characters: it is shown. */
const TEXT_MAX = 65_536;

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= TEXT_MAX;
}

function isTicket(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** A report, if that is one. */
export function readSuccessorReport(value: unknown): SuccessorReport | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { kind, sentence, detail, ticket } = value as Record<string, unknown>;
  if (kind === "ready" || kind === "taken") return { kind };
  if (kind === "arrived" && isTicket(ticket)) return { kind, ticket };
  if (kind !== "failed" || !isText(sentence) || !isText(detail)) return undefined;
  return { kind, sentence, detail };
}

const isId = (value: unknown): value is string =>
  typeof value === "string" && /^\d{1,20}$/.test(value);

function readIdentity(value: unknown): FileIdentity | undefined {
  const { dev, ino } = (value ?? {}) as Record<string, unknown>;
  return isId(dev) && isId(ino) ? { dev: BigInt(dev), ino: BigInt(ino) } : undefined;
}

function readCount(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** A bequest, if that is one. */
export function readBequest(value: unknown): Bequest | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { kind, again, ticket } = value as Record<string, unknown>;
  if (kind === "yours") return { kind, again: again === true };
  return kind === "take" && isTicket(ticket) ? { kind, ticket } : undefined;
}

/** A legacy as text, for {@link SUCCESSOR_VARIABLE}: so it is there even if its sender dies at once. */
export function writeLegacy(legacy: Legacy): string {
  return JSON.stringify(legacy, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The legacy in a text; undefined where that is none. */
export function readLegacy(text: string): Legacy | undefined {
  const given = (parsed(text) ?? {}) as Record<string, unknown>;
  const { listener, control, reloads, upgrades, fixed } = given;
  const { text: where, path, identity } = (listener ?? {}) as Record<string, unknown>;
  if (!isText(where) || !isText(path)) return undefined;
  const own = (control ?? {}) as Record<string, unknown>;
  return {
    listener: { text: where, path, identity: readIdentity(identity) },
    control: isText(own["path"])
      ? { path: own["path"], identity: readIdentity(own["identity"]) }
      : undefined,
    reloads: readCount(reloads),
    upgrades: readCount(upgrades),
    fixed: readCount(fixed),
  };
}
