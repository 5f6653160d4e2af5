/**
 * A primary that runs → another one in its place: new node, new postern, the same listening descriptor.
 *
 * When that may be, what is handed over in which order, and that the old one goes on where the new one fails. Starting and
 * hearing the new one is workers/successor.ts's.
 */
import type { Refusal } from "../workers/control-messages.ts";
import type { ControlServer } from "../workers/control-server.ts";
import type { Heir } from "../workers/heir.ts";
import { startAgain } from "../workers/start-place.ts";
import { Successor } from "../workers/successor.ts";
import type { PrimaryParts } from "./operations.ts";

/** A successor has this much longer than its workers to say that it is ready, in milliseconds. */
const SUCCESSOR_MARGIN_MS = 15_000;

const refusal = (sentence: string, detail = ""): Refusal => ({ sentence, detail });

/** What an upgrade needs to know of the primary beside its parts. */
export interface UpgradeSurroundings {
  readonly control: () => ControlServer | undefined;
  readonly reloads: () => number;
  readonly fixed: () => number;
  readonly isStopping: () => boolean;
  /** One line for a supervisor, when this primary goes on. */
  readonly line: () => string;
}

/** The upgrades of one primary: at most one of them succeeds. */
export class Upgrade {
  readonly #parts: PrimaryParts;
  readonly #around: UpgradeSurroundings;
  #successor: Successor | undefined;
  #isAskedAgain = false;

  constructor(parts: PrimaryParts, around: UpgradeSurroundings) {
    this.#parts = parts;
    this.#around = around;
  }

  /** Is one under way? */
  get isBusy(): boolean {
    return this.#successor !== undefined;
  }

  /** Ends the new primary, if there is one already. */
  cancel(): void {
    this.#successor?.end();
  }

  /**
   * Looks for a successor.
   *
   * @returns the new primary's process id; `left` is called once everything is its own
   * @throws a {@link Refusal} when the old one goes on
   */
  async begin(why: string, left: (heir: Heir) => void): Promise<number> {
    const { say, service } = this.#parts;
    if (this.#around.isStopping()) throw refusal("It is stopping.");
    if (this.isBusy) {
      // Whoever asks now may mean something newer than what has begun: it is done once more, by the new one.
      this.#isAskedAgain = true;
      throw refusal("An upgrade is under way; another one follows it.");
    }
    const hindrance = this.#hindrance();
    if (hindrance !== undefined) {
      say(`${why}: ${hindrance}`);
      throw refusal(hindrance);
    }
    say(`${why}: starting a new primary`);
    service.reloading("starting a new primary");
    try {
      return await this.#beSucceeded(left);
    } catch (failure) {
      this.#goOn(failure as Refusal);
      if (this.#isAskedAgain) {
        this.#isAskedAgain = false;
        this.begin(why, left).catch(() => undefined);
      }
      throw failure;
    }
  }

  #goOn({ sentence, detail }: Refusal): void {
    const { say, service } = this.#parts;
    this.#successor = undefined;
    // What was told to stop does not go on.
    if (this.#around.isStopping()) return;
    say(`the old primary goes on, since a new one cannot begin: ${sentence}\n${detail}`.trimEnd());
    service.ready(this.#around.line());
  }

  /** Where this process must not end before its service does. */
  #hindrance(): string | undefined {
    const { estate, start, service } = this.#parts;
    if (process.pid === 1) {
      return "This is process 1, with which its container ends; start a new container, or start postern by an init.";
    }
    if (estate.held.fd === 0) {
      return "The web server that started this process would miss it; use reload, or restart it there.";
    }
    if (start.env["SYSTEMD_EXEC_PID"] === String(process.pid) && !service.isThere) {
      return "systemd would take the end of this process for the end of the service; set Type=notify in its unit.";
    }
    return undefined;
  }

  /** Takes back what a successor took before it failed. */
  async #reclaim(): Promise<void> {
    const { estate, say } = this.#parts;
    for (const take of [() => estate.claim(), () => estate.show()]) {
      try {
        await take();
      } catch (error) {
        say((error as Error).message);
      }
    }
  }

  #launch(): Successor {
    const { estate, start, readyMs, before } = this.#parts;
    const { held } = estate;
    const handle = this.#around.control()?.handle;
    let again: ReturnType<typeof startAgain>;
    try {
      again = startAgain(start);
    } catch (error) {
      throw refusal((error as Error).message);
    }
    return new Successor({
      ...again,
      env: start.env,
      listenerFd: held.fd,
      controlFd: handle?.fd,
      legacy: {
        listener: held.legacy,
        control: handle && { path: handle.path, identity: handle.identity },
        reloads: this.#around.reloads(),
        upgrades: before.upgrades + 1,
        fixed: this.#around.fixed(),
      },
      readyMs,
    });
  }

  async #beSucceeded(left: (heir: Heir) => void): Promise<number> {
    const { estate, readyMs, service, say } = this.#parts;
    const successor = this.#launch();
    this.#successor = successor;
    await successor.ready(readyMs + SUCCESSOR_MARGIN_MS);
    // A stop that came meanwhile has told it to end.
    if (this.#around.isStopping()) throw refusal("It is stopping.");
    estate.hide();
    try {
      await successor.takeOver(this.#isAskedAgain);
    } catch (failure) {
      await this.#reclaim();
      throw failure;
    }
    service.moved(successor.pid, `process ${successor.pid} has taken over`);
    say(`process ${successor.pid} has taken over; finishing what runs`);
    this.#around.control()?.abandon();
    estate.abandon();
    left(successor);
    return successor.pid;
  }
}
