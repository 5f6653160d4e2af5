/**
 * What a primary holds beside its workers: the listening socket, the pid file and the status; and whose that is.
 *
 * Until a predecessor gives everything up it is the predecessor's, and nothing of it is removed here. The control socket is
 * operations.ts's.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { HeldListener } from "../server/held-listener.ts";
import type { Server } from "../server/server.ts";
import { whileInUse } from "../serve/address-retry.ts";
import type { OwnPidfile } from "../workers/pidfile.ts";

/** Between the end of the socket file and that of its listeners, in milliseconds. */
const BACKLOG_MS = 200;

/** What a primary holds. */
export class Estate {
  readonly held: HeldListener;
  isOurs: boolean;
  readonly #pidfile: OwnPidfile;
  readonly #openStatus: (() => Promise<Server>) | undefined;
  #status: Server | undefined;
  #isShown = false;

  /**
   * @param isOurs     there is no predecessor
   * @param openStatus undefined where no status is wished
   */
  constructor(
    held: HeldListener,
    isOurs: boolean,
    pidfile: OwnPidfile,
    openStatus: (() => Promise<Server>) | undefined,
  ) {
    this.held = held;
    this.isOurs = isOurs;
    this.#pidfile = pidfile;
    this.#openStatus = openStatus;
  }

  /**
   * Opens the status, where one is wished.
   *
   * @throws UsageError when its address cannot be had
   */
  async show(): Promise<void> {
    if (this.#openStatus === undefined) return;
    this.#isShown = true;
    const server = await whileInUse(this.#openStatus);
    if (this.#isShown) this.#status = server;
    else server.close();
  }

  /** Where the status is, for people; undefined for nowhere. */
  get shownAt(): string | undefined {
    return this.#status?.where;
  }

  /** Closes the status, so that another process can open it. */
  hide(): void {
    this.#isShown = false;
    this.#status?.close();
    this.#status = undefined;
  }

  /**
   * Writes the pid file, where one is wished.
   *
   * @throws UsageError where it cannot be written
   */
  claim(): void {
    this.#pidfile.claim();
  }

  /** Another process has taken everything over. */
  abandon(): void {
    this.#pidfile.abandon();
    this.held.abandon();
  }

  /** Nobody new comes from here on; resolves when those who found the socket file have been let in. */
  async release(): Promise<void> {
    if (!this.isOurs) return;
    this.held.close();
    // Nobody new finds a socket file that is gone: those who found it are let in before the workers close.
    await sleep(BACKLOG_MS);
  }
}
