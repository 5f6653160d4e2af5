/**
 * The worker's end of its channel to the primary: orders in, reports out, and what the primary's death means.
 *
 * A worker without a primary retires: nobody would replace it, and its successors may be listening already. Signals that a
 * terminal sends to the whole group are the primary's business. The link of a thread is thread-link.ts.
 */
import { asHandle, type PassedSocket, type SocketHandle } from "../connection/passed-socket.ts";
import type { Order, Report } from "./messages.ts";

/** The first order. */
export type Begin = Order & { readonly kind: "begin" };

/** Obeys what follows the first order; `passed` is the connection beside a `take`, where it arrived, and is obey's to close. */
export type Obey = (order: Exclude<Order, Begin>, passed: PassedSocket | undefined) => void;

/** The channel, as a worker has it. */
export interface PrimaryLink {
  readonly begin: Promise<Begin>;
  /** A listening descriptor that is this worker's own, of the one that the first order names. */
  listener(fd: number): number;
  report(report: Report): void;
  /** Gives a connection to the primary; `done` is called once this worker has no part in it. */
  give(passed: PassedSocket, to: number, done: () => void): void;
  /** Who obeys; what came before is obeyed at once. */
  onOrder(obey: Obey): void;
  /** Ends the worker, once its reports are out. */
  end(status: number): void;
}

/** Orders that came before there was anybody to obey them. */
export class OrderQueue {
  readonly begin: Promise<Begin>;
  #begin!: (order: Begin) => void;
  #obey: Obey | undefined;
  readonly #early: Parameters<Obey>[] = [];

  constructor() {
    this.begin = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  take(order: Order, passed: PassedSocket | undefined): void {
    if (order.kind === "begin") this.#begin(order);
    else if (this.#obey === undefined) this.#early.push([order, passed]);
    else this.#obey(order, passed);
  }

  obeyBy(obey: Obey): void {
    this.#obey = obey;
    for (const [order, passed] of this.#early.splice(0)) obey(order, passed);
  }
}

/** How often a worker that has given connections away looks whether it still has a primary, in milliseconds. */
const WATCH_MS = 500;

/** Reports that are not out yet. */
class Outbox {
  #last: Promise<unknown> = Promise.resolve();
  /** Resolves when the primary is gone: reports that wait for its receipt of a connection are never told of then. */
  readonly orphaned: Promise<void>;
  #orphan!: () => void;
  #watch: NodeJS.Timeout | undefined;

  constructor() {
    this.orphaned = new Promise((resolve) => {
      this.#orphan = resolve;
    });
    process.once("disconnect", this.#orphan);
  }

  /** Sends a report, with a handle where there is one; `done` also where nobody is there to hear it. */
  send(report: Report, handle: SocketHandle | undefined, done: () => void): void {
    if (!process.connected) return done();
    // While one waits for a receipt node keeps "disconnect" to itself, and a dead primary gives none.
    if (handle !== undefined) this.#watch ??= setInterval(() => this.#look(), WATCH_MS).unref();
    const sent = new Promise<void>((resolve) => {
      process.send!(report, handle as never, undefined, () => {
        done();
        resolve();
      });
    });
    this.#last = Promise.all([this.#last, sent]);
  }

  #look(): void {
    if (process.connected) return;
    clearInterval(this.#watch);
    this.#orphan();
  }

  /** Resolves when all are out, or never will be. */
  emptied(): Promise<unknown> {
    return Promise.race([this.#last, this.orphaned]);
  }
}

const nothing = (): void => undefined;

function give(outbox: Outbox, passed: PassedSocket, to: number, done: () => void): void {
  let handle: SocketHandle;
  try {
    handle = asHandle(passed);
  } catch {
    // What the system does not let libuv open is nobody's any more.
    return done();
  }
  outbox.send({ kind: "give", to }, handle, () => {
    handle.close();
    done();
  });
}

/** The link of a worker process. */
export function linkToPrimary(): PrimaryLink {
  const orders = new OrderQueue();
  const outbox = new Outbox();
  process.on("message", (order: Order, handle: unknown) => {
    orders.take(order, handle === undefined ? undefined : { handle: handle as SocketHandle });
  });
  void outbox.orphaned.then(() => orders.take({ kind: "retire", handOver: false }, undefined));
  // Of a channel that breaks while something is sent: its end is told by "disconnect".
  process.on("error", nothing);
  process.on("SIGTERM", () => outbox.send({ kind: "leaving" }, undefined, nothing));
  process.on("SIGUSR1", () => orders.take({ kind: "reopen" }, undefined));
  process.on("SIGINT", nothing);
  process.on("SIGQUIT", nothing);
  process.on("SIGHUP", nothing);
  return {
    begin: orders.begin,
    listener: (fd) => fd,
    report: (report) => outbox.send(report, undefined, nothing),
    give: (passed, to, done) => give(outbox, passed, to, done),
    onOrder: (obey) => orders.obeyBy(obey),
    end(status): void {
      void outbox.emptied().then(() => process.exit(status));
    },
  };
}
