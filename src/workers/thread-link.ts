/**
 * A worker thread's end of its channel to the primary, which is the main thread of its process.
 *
 * Descriptors pass by number, since all threads share them; what a thread uses is a duplicate of its own, so that nobody
 * closes what another one has. Signals, working directory and umask are the main thread's.
 */
import { parentPort } from "node:worker_threads";
import type { PassedSocket } from "../connection/passed-socket.ts";
import type { Order, Report } from "./messages.ts";
import { OrderQueue, type PrimaryLink } from "./primary-link.ts";

/** An order or a report with the descriptor beside it; −1: none. */
export interface ThreadMessage<Told extends Order | Report> {
  readonly told: Told;
  readonly fd: number;
}

/**
 * The link of a worker thread.
 *
 * @param duplicate as {@link import("../engine/select.ts").Duplication} has it
 */
export function linkToMainThread(duplicate: (fd: number) => number): PrimaryLink {
  const port = parentPort!;
  const orders = new OrderQueue();
  const send = (told: Report, fd = -1): void => {
    port.postMessage({ told, fd } satisfies ThreadMessage<Report>);
  };
  port.on("message", ({ told, fd }: ThreadMessage<Order>) => {
    const own = fd < 0 ? -1 : duplicate(fd);
    orders.take(told, own < 0 ? undefined : { fd: own });
  });
  return {
    begin: orders.begin,
    listener: duplicate,
    report: send,
    give(passed: PassedSocket, to, done): void {
      const { handle } = passed;
      const fd = handle === undefined ? passed.fd : duplicate(handle.fd);
      handle?.close();
      if (fd >= 0) send({ kind: "give", to }, fd);
      done();
    },
    onOrder: (obey) => orders.obeyBy(obey),
    end: (status) => process.exit(status),
  };
}
