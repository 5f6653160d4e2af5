/**
 * A running primary → a new one in its place: started from the same command line, on the same listening descriptor.
 *
 * The old one gives nothing up before the new one has said that it has everything: until then any failure, be it an exit,
 * silence or nonsense, leaves the old one as it was. What is handed over, and what ends afterwards, is the caller's.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { asHandle, type PassedSocket, type SocketHandle } from "../connection/passed-socket.ts";
import { findDuplication } from "../engine/select.ts";
import type { Refusal } from "./control-messages.ts";
import type { Order } from "./messages.ts";
import type { Heir } from "./heir.ts";
import type { Parcel } from "./worker.ts";
import {
  type Bequest,
  type Legacy,
  readSuccessorReport,
  SUCCESSOR_VARIABLE,
  type SuccessorReport,
  writeLegacy,
} from "./upgrade-messages.ts";

/** Longest time to take over, once it is ready, in milliseconds. */
const TAKE_MS = 10_000;

/** How a successor is started. */
export interface SuccessorPlan {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly listenerFd: number;
  readonly controlFd: number | undefined;
  readonly legacy: Legacy;
  /** Longest time to get ready, in milliseconds. */
  readonly readyMs: number;
}

function refusal(sentence: string, detail = ""): Refusal {
  return { sentence, detail };
}

/** What a channel can send of a connection; `done` closes what was made for that. */
function sendable(passed: PassedSocket): { handle: SocketHandle; done: () => void } {
  if (passed.handle !== undefined) return { handle: passed.handle, done: () => undefined };
  // The descriptor stays the sender's, and a handle takes its own with it. Of threads only, which need the addon anyway.
  const handle = asHandle({ fd: findDuplication().duplicate!(passed.fd) });
  return { handle, done: () => handle.close() };
}

/** A new primary that is to take this one's place. */
export class Successor implements Heir {
  readonly #child: ChildProcess;
  #expected: SuccessorReport["kind"] = "ready";
  #settle: { done: () => void; fail: (why: Refusal) => void } | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Set once it has everything. */
  #arrived: ((ticket: number) => void) | undefined;

  constructor(plan: SuccessorPlan) {
    this.#child = spawn(plan.program, plan.args, {
      cwd: plan.cwd,
      env: { ...plan.env, [SUCCESSOR_VARIABLE]: writeLegacy(plan.legacy) },
      stdio: ["inherit", "inherit", "inherit", plan.listenerFd, "ipc", plan.controlFd ?? "ignore"],
      serialization: "advanced",
    });
    this.#child.on("message", (message) => this.#heard(readSuccessorReport(message)));
    this.#child.once("exit", (code, signal) =>
      this.#fail(
        refusal(
          `The new process ended with ${signal ?? `exit status ${code}`} before it was ready.`,
        ),
      ),
    );
    this.#child.once("error", (error) =>
      this.#fail(refusal(`It cannot be started: ${error.message}.`)),
    );
  }

  /** -1 where it could not even be started. */
  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Resolves when its workers serve; rejects with a {@link Refusal}, and then it is gone. */
  ready(waitMs: number): Promise<void> {
    return this.#await("ready", waitMs);
  }

  /**
   * Gives everything to it; resolves when it has it, rejects with a {@link Refusal} when it is gone.
   *
   * @param again it shall look for a successor in turn
   */
  takeOver(again: boolean): Promise<void> {
    const taken = this.#await("taken", TAKE_MS);
    this.#send({ kind: "yours", again });
    return taken;
  }

  /** From now on it takes kept connections. */
  listen(arrived: (ticket: number) => void, gone: () => void): void {
    this.#arrived = arrived;
    this.#child.once("disconnect", gone);
    if (!this.#child.connected) gone();
  }

  take(order: Order, parcel: Parcel | undefined): void {
    if (order.kind !== "take" || parcel === undefined || !this.#child.connected) return;
    const { handle, done } = sendable(parcel.passed);
    const bequest: Bequest = { kind: "take", ticket: order.ticket };
    this.#child.send(bequest, handle as never, done);
  }

  /** It is not wanted any more. */
  end(): void {
    this.#child.kill("SIGTERM");
  }

  #send(bequest: Bequest): void {
    if (this.#child.connected) this.#child.send(bequest, () => undefined);
  }

  #await(kind: SuccessorReport["kind"], waitMs: number): Promise<void> {
    this.#expected = kind;
    return new Promise((done, fail) => {
      this.#settle = { done, fail };
      this.#timer = setTimeout(
        () => this.#fail(refusal(`The new process is silent for ${waitMs / 1_000} s.`)),
        waitMs,
      );
    });
  }

  #heard(report: SuccessorReport | undefined): void {
    if (report?.kind === "arrived") {
      this.#arrived?.(report.ticket);
    } else if (report?.kind === "failed") {
      this.#fail(refusal(report.sentence, report.detail));
    } else if (report?.kind === this.#expected) {
      clearTimeout(this.#timer);
      this.#settle?.done();
      this.#settle = undefined;
    } else if (this.#arrived === undefined) {
      this.#fail(refusal("The new process says what nobody understands."));
    }
  }

  #fail(why: Refusal): void {
    clearTimeout(this.#timer);
    this.#settle?.fail(why);
    this.#settle = undefined;
    // What has everything is no longer ours to end.
    if (this.#arrived === undefined) this.#child.kill("SIGKILL");
  }
}
