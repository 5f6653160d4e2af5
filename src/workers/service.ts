/**
 * What happens to a service → what its supervisor is told of it (sd_notify(3)): READY, RELOADING, STOPPING, STATUS,
 * MAINPID and the watchdog's sign of life.
 *
 * Without NOTIFY_SOCKET it is silent. Node sends no datagrams to unix sockets: the addon does, and where it is missing,
 * the program systemd-notify, one after the other. Waits for nothing, and no failure stops anything.
 */
import { execFile } from "node:child_process";
import { selectEngine } from "../engine/select.ts";

/** Sends one datagram to a unix socket, "@" first for an abstract one; returns 0 or an errno. */
export type SendDatagram = (path: string, text: string) => number;

/** Longest wait for systemd-notify, in milliseconds. */
const PROGRAM_MS = 5_000;
/** Longest status that is told, in characters. */
const STATUS_MAX = 500;

/** Variables that are meant for one process: no worker and no successor shall take them for its own. */
export const SERVICE_VARIABLES: readonly string[] = [
  "NOTIFY_SOCKET",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
  "LISTEN_PID",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
];

/** The addon's way to send datagrams, where the addon is wanted and there. */
export function datagrams(): SendDatagram | undefined {
  try {
    return selectEngine().sendDatagram;
  } catch {
    // The engine that is asked for is not there, which others say.
    return undefined;
  }
}

/** The supervisor of this process. */
export class Service {
  readonly #path: string | undefined;
  readonly #send: SendDatagram | undefined;
  #last: Promise<void> = Promise.resolve();
  #watchdog: NodeJS.Timeout | undefined;

  /**
   * @param env     where NOTIFY_SOCKET stands
   * @param addon   asked for the native way, only where it is needed
   * @param succeeds this process takes another's place: WATCHDOG_PID is still the other's
   */
  constructor(env: NodeJS.ProcessEnv, addon: () => SendDatagram | undefined, succeeds: boolean) {
    const { NOTIFY_SOCKET: path = "", WATCHDOG_USEC: usec = "", WATCHDOG_PID: owner } = env;
    if (!/^[/@]/.test(path)) return;
    this.#path = path;
    this.#send = addon();
    const isOurs = owner === undefined || owner === String(process.pid) || succeeds;
    if (/^\d{1,15}$/.test(usec) && isOurs) this.#watch(Number(usec) / 1_000);
  }

  /** Is there one? */
  get isThere(): boolean {
    return this.#path !== undefined;
  }

  /** Requests are served. */
  ready(status: string): void {
    this.#tell(["READY=1", `MAINPID=${process.pid}`, statusLine(status)]);
  }

  /** Something is exchanged for something newer; {@link ready} says when that is done. */
  reloading(status: string): void {
    const usec = process.hrtime.bigint() / 1_000n;
    this.#tell(["RELOADING=1", `MONOTONIC_USEC=${usec}`, statusLine(status)]);
  }

  /** The service goes on in another process. */
  moved(pid: number, status: string): void {
    this.#stopWatch();
    this.#tell(["READY=1", `MAINPID=${pid}`, statusLine(status)]);
  }

  stopping(status: string): void {
    this.#stopWatch();
    this.#tell(["STOPPING=1", statusLine(status)]);
  }

  /** Resolves when everything is told. */
  get told(): Promise<void> {
    return this.#last;
  }

  #watch(limitMs: number): void {
    // Twice within the limit, as sd_watchdog_enabled(3) says. It keeps no process alive.
    this.#watchdog = setInterval(
      () => this.#tell(["WATCHDOG=1"]),
      Math.max(1, limitMs / 2),
    ).unref();
  }

  #stopWatch(): void {
    clearInterval(this.#watchdog);
  }

  #tell(lines: readonly string[]): void {
    const path = this.#path;
    if (path === undefined) return;
    // EAGAIN: the supervisor has no room; there is nothing to be done about it but to go on.
    if (this.#send !== undefined) return void this.#send(path, `${lines.join("\n")}\n`);
    const env = { PATH: process.env["PATH"], NOTIFY_SOCKET: path };
    const run = (): Promise<void> =>
      new Promise((resolve) => {
        execFile("systemd-notify", ["--", ...lines], { env, timeout: PROGRAM_MS }, () => resolve());
      });
    this.#last = this.#last.then(run);
  }
}

function statusLine(status: string): string {
  return `STATUS=${status.replace(/[^\x20-\x7e]/g, "?").slice(0, STATUS_MAX)}`;
}
