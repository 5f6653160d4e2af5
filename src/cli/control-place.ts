/**
 * Options → where the control socket lies, and that it is opened there.
 *
 * Beside the socket or the pidfile nobody asked for it, so a failure there is a remark; where it was asked for, it is a
 * mistake. Starting and asking agree on the place by this file.
 */
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import type { ListenSettings } from "../server/settings.ts";
import { type ControlActions, ControlServer } from "../workers/control-server.ts";

/** What the control socket's name ends with, behind that of the socket or pidfile. */
export const CONTROL_SUFFIX = ".control";
/** The option's word for no control socket. */
export const NO_CONTROL = "none";

/** A place, and whether somebody asked for it. */
export interface ControlPlace {
  readonly path: string;
  readonly isAsked: boolean;
}

/**
 * Chooses the place.
 *
 * @param asked   the option `control`
 * @param listen  where is listened; undefined: beside nothing
 * @param pidfile the option `pidfile`
 * @returns undefined for no control socket
 */
export function controlPlace(
  asked: string | undefined,
  listen: ListenSettings | undefined,
  pidfile: string | undefined,
): ControlPlace | undefined {
  if (asked === NO_CONTROL) return undefined;
  if (asked !== undefined) return { path: resolve(asked), isAsked: true };
  const beside = listen?.kind === "unix" ? listen.path : pidfile;
  if (beside === undefined) return undefined;
  return { path: resolve(beside) + CONTROL_SUFFIX, isAsked: false };
}

/**
 * Opens the control socket.
 *
 * @throws UsageError when it was asked for and cannot be had
 */
export async function openControl(
  place: ControlPlace | undefined,
  actions: ControlActions,
  say: (line: string) => void,
): Promise<ControlServer | undefined> {
  if (place === undefined) return undefined;
  try {
    return await ControlServer.open(place.path, actions);
  } catch (error) {
    if (place.isAsked || !(error instanceof UsageError)) throw error;
    say(
      `${error.message} It goes on without one; the option control names another place, or none.`,
    );
    return undefined;
  }
}
