/**
 * Connections that workers give away → other workers, by way of the primary, which never reads them.
 * It chooses who takes each, keeps it until that one has said so, and tries another where it died before or would not.
 * When to give is the workers' business (server/departures.ts) and the pool's.
 */
import type { Report } from "./messages.ts";
import type { Parcel, Worker } from "./worker.ts";

/** Parcels under way, of all workers together: more than that no honest worker sends. */
const UNDER_WAY_MAX = 4_096;

/** Workers that are asked in turn before a connection is given up. */
const ATTEMPTS_MAX = 4;

/** One parcel under way. */
interface Ticket {
  readonly parcel: Parcel;
  /** Who gave it. */
  readonly from: number;
  /** Who was asked to take it. */
  asked: Worker;
  attempts: number;
}

/** What passes between the workers of one pool. */
export class Handover {
  readonly #workers: () => readonly Worker[];
  readonly #tickets = new Map<number, Ticket>();
  #lastTicket = 0;
  /** Connections that found a new worker, ever. */
  passedCount = 0;
  /** Connections that were closed because nobody was there to take them, ever. */
  lostCount = 0;
  /** Connections that each worker got. */
  readonly #received = new WeakMap<Worker, number>();

  /** @param workers those that serve */
  constructor(workers: () => readonly Worker[]) {
    this.#workers = workers;
  }

  /** Parcels under way. */
  get underWay(): number {
    return this.#tickets.size;
  }

  /** Takes the reports that are about connections; false for all others. */
  heard(worker: Worker, report: Report, parcel: Parcel | undefined): boolean {
    if (report.kind === "give") {
      // One whose descriptor did not come, for want of descriptors: nothing is left to be done for it.
      if (parcel !== undefined) this.#give(worker, report.to, parcel);
      return true;
    }
    parcel?.close();
    if (report.kind !== "taken") return false;
    const ticket = this.#tickets.get(report.ticket);
    if (ticket?.asked !== worker) return true;
    if (report.taken) this.#arrived(report.ticket, ticket);
    else this.#ask(report.ticket, ticket, this.#choose(ticket.from, 0, worker));
    return true;
  }

  #give(worker: Worker, to: number, parcel: Parcel): void {
    const asked = this.#choose(worker.id, to, undefined);
    if (asked === undefined || this.#tickets.size >= UNDER_WAY_MAX) {
      this.lostCount++;
      parcel.close();
      return;
    }
    const id = ++this.#lastTicket;
    const ticket = { parcel, from: worker.id, asked, attempts: 0 };
    this.#tickets.set(id, ticket);
    this.#ask(id, ticket, asked);
  }

  #ask(id: number, ticket: Ticket, asked: Worker | undefined): void {
    if (asked === undefined || ticket.attempts++ === ATTEMPTS_MAX) {
      this.#tickets.delete(id);
      this.lostCount++;
      ticket.parcel.close();
      return;
    }
    ticket.asked = asked;
    this.#received.set(asked, (this.#received.get(asked) ?? 0) + 1);
    asked.channel.send({ kind: "take", ticket: id }, ticket.parcel);
  }

  #arrived(id: number, { parcel }: Ticket): void {
    this.#tickets.delete(id);
    this.passedCount++;
    parcel.close();
  }

  /** The wished one, where it serves; else who got the fewest so far; else the giver, which stays while the others leave. */
  #choose(from: number, to: number, refused: Worker | undefined): Worker | undefined {
    let best: Worker | undefined;
    let giver: Worker | undefined;
    for (const worker of this.#workers()) {
      if (worker === refused) continue;
      if (worker.id === from) {
        giver = worker;
        continue;
      }
      if (worker.id === to) return worker;
      const count = this.#received.get(worker) ?? 0;
      if (best === undefined || count < (this.#received.get(best) ?? 0)) best = worker;
    }
    return best ?? giver;
  }

  /** A worker has ended: what it had not taken yet, another one gets. */
  gone(worker: Worker): void {
    for (const [id, ticket] of this.#tickets) {
      if (ticket.asked === worker) this.#ask(id, ticket, this.#choose(ticket.from, 0, worker));
    }
  }
}
