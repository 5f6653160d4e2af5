/**
 * Another process that takes a pool's place → a worker as the pool's handover sees it, to which every connection may go.
 *
 * It starts nothing and never retires; what it does with connections is its own pool's business.
 */
import type { Handover } from "./handover.ts";
import type { Order } from "./messages.ts";
import { newWorker, type Parcel, type Worker } from "./worker.ts";

/** The other process. */
export interface Heir {
  readonly pid: number;
  /** Sends it a `take` and its connection. */
  take(order: Order, parcel: Parcel | undefined): void;
  /** @param arrived called with the ticket of a connection that it has; `gone` once, when it takes nothing any more */
  listen(arrived: (ticket: number) => void, gone: () => void): void;
}

const nothing = (): void => undefined;

/** What stands for a process in the words of a handover; its id is nobody else's. */
function standIn(pid: number, send: Worker["channel"]["send"]): Worker {
  const channel = { pid, send, kill: nothing };
  return { ...newWorker(0, 0, channel, 0), state: "ready" };
}

/**
 * Makes the worker that stands for an heir.
 *
 * @param gone called when it takes nothing any more
 */
export function heirWorker(heir: Heir, handover: Handover, gone: () => void): Worker {
  const worker = standIn(heir.pid, (order, parcel) => heir.take(order, parcel));
  heir.listen(
    (ticket) => void handover.heard(worker, { kind: "taken", ticket, taken: true }, undefined),
    () => {
      gone();
      handover.gone(worker);
    },
  );
  return worker;
}

/** Gives a connection that another process's workers gave away to the workers of this one. */
export function adoptParcel(parcel: Parcel, handover: Handover): void {
  handover.heard(standIn(-1, nothing), { kind: "give", to: 0 }, parcel);
}
