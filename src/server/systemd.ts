/**
 * The environment that systemd leaves → the descriptor to listen on (sd_listen_fds(3)).
 *
 * Descriptors start at 3, in the order of the socket unit; LISTEN_FDNAMES names them. Opens none of them, and takes
 * nobody else's: LISTEN_PID says for whom they are.
 */
import { UsageError } from "../errors.ts";

/** The first descriptor that systemd passes on. */
const FIRST_FD = 3;
/** More than that is no list of sockets, but a mistake. */
const COUNT_MAX = 1_024;

/** A socket that systemd passed on. */
export interface PassedSocket {
  readonly fd: number;
  /** "" when it has none. */
  readonly name: string;
}

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads what systemd passed on.
 *
 * @param env the environment of this process
 * @param pid the id of this process
 * @returns every socket meant for us, none when there is none
 */
export function readPassedSockets(env: Environment, pid: number): readonly PassedSocket[] {
  const { LISTEN_FDS: count = "", LISTEN_PID: owner = "", LISTEN_FDNAMES: names = "" } = env;
  if (!/^\d{1,4}$/.test(count) || Number(count) > COUNT_MAX || owner !== String(pid)) return [];
  const named = names.split(":");
  return Array.from({ length: Number(count) }, (_, index) => ({
    fd: FIRST_FD + index,
    name: named[index] ?? "",
  }));
}

/**
 * Chooses one of the sockets.
 *
 * @param passed what systemd passed on
 * @param name   which is wanted; undefined: the only one
 * @throws UsageError when it is not there, or when several are and none is named
 */
export function choosePassedSocket(
  passed: readonly PassedSocket[],
  name: string | undefined,
): PassedSocket {
  const names = passed.map((socket) => JSON.stringify(socket.name)).join(", ");
  if (passed.length === 0) {
    throw new UsageError(
      `fd is "systemd", but systemd passed no socket to this process (LISTEN_FDS, LISTEN_PID); ` +
        "start it by its socket unit, or give socket or port.",
    );
  }
  if (name === undefined && passed.length > 1) {
    throw new UsageError(
      `fd is "systemd", but systemd passed ${passed.length} sockets (${names}); name one as "systemd:NAME".`,
    );
  }
  const chosen = name === undefined ? passed[0] : passed.find((socket) => socket.name === name);
  if (chosen !== undefined) return chosen;
  throw new UsageError(
    `fd is ${JSON.stringify(`systemd:${name}`)}, but systemd passed only ${names}; name one of those (FileDescriptorName=).`,
  );
}
