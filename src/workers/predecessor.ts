/**
 * The new primary's end of the channel to the one whose place it takes: what it goes on with, and when that is its own.
 *
 * An old primary that dies meanwhile leaves everything to the new one. Touches no file and no socket.
 */
import type { SocketHandle } from "../connection/passed-socket.ts";
import type { Refusal } from "./control-messages.ts";
import {
  type Legacy,
  readBequest,
  readLegacy,
  SUCCESSOR_VARIABLE,
  type SuccessorReport,
} from "./upgrade-messages.ts";

/** The primary whose place this one takes. */
export interface Predecessor {
  readonly legacy: Legacy;
  /** The workers serve; resolves when everything is this process's to take. */
  succeed(): Promise<{ readonly again: boolean }>;
  /** Who gets the connections that the old workers keep; to be said before `succeed`. */
  receive(taker: (handle: SocketHandle) => void): void;
  /** Everything is taken: the old one may go. */
  taken(): void;
  /** This one cannot begin; resolves when the old one has heard it. */
  fail(why: Refusal): Promise<void>;
}

/** Was this process started to take another's place? */
export function isSuccessor(): boolean {
  return process.env[SUCCESSOR_VARIABLE] !== undefined;
}

function tell(report: SuccessorReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(report, () => resolve());
    else resolve();
  });
}

/**
 * Meets the predecessor.
 *
 * @returns undefined where this process takes nobody's place
 */
export function meetPredecessor(): Predecessor | undefined {
  const text = process.env[SUCCESSOR_VARIABLE];
  delete process.env[SUCCESSOR_VARIABLE];
  const legacy = text === undefined ? undefined : readLegacy(text);
  if (legacy === undefined) return undefined;
  let taker: ((handle: SocketHandle) => void) | undefined;
  let giveAll: (given: { readonly again: boolean }) => void = () => undefined;
  const given = new Promise<{ readonly again: boolean }>((resolve) => {
    giveAll = resolve;
  });
  const inherit = (): void => giveAll({ again: false });
  if (process.connected) process.once("disconnect", inherit);
  else inherit();
  process.on("message", (message, handle: unknown) => {
    const bequest = readBequest(message);
    if (bequest?.kind === "yours") giveAll(bequest);
    else if (bequest?.kind === "take" && handle !== undefined) {
      taker?.(handle as SocketHandle);
      void tell({ kind: "arrived", ticket: bequest.ticket });
    }
  });
  return {
    legacy,
    async succeed(): Promise<{ readonly again: boolean }> {
      void tell({ kind: "ready" });
      return given;
    },
    receive(wanted): void {
      taker = wanted;
    },
    taken: () => void tell({ kind: "taken" }),
    fail: (why) => tell({ kind: "failed", ...why }),
  };
}
