/**
 * The worker's end of its channel to the primary: orders in, reports out, and what the primary's death means.
 *
 * A worker without a primary retires: nobody would replace it, and its successors may be listening already. Signals that a
 * terminal sends to the whole group are the primary's business.
 */
import type { Order, Report } from "./messages.ts";

/** The channel, as a worker has it. */
export interface PrimaryLink {
  /** The first order. */
  readonly begin: Promise<Order & { kind: "begin" }>;
  report(report: Report): void;
  /** Called when the worker shall leave; at once where it was told already. */
  onRetire(retire: () => void): void;
  /** Ends the worker, once its reports are out. */
  end(status: number): void;
}

/** The link of a worker process. */
export function linkToPrimary(): PrimaryLink {
  let retire: (() => void) | undefined;
  let isRetired = false;
  const leave = (): void => {
    isRetired = true;
    retire?.();
  };
  const begin = new Promise<Order & { kind: "begin" }>((resolve) => {
    process.on("message", (order: Order) => {
      if (order.kind === "begin") resolve(order);
      else leave();
    });
  });
  process.once("disconnect", leave);
  process.on("SIGTERM", leave);
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  let last = Promise.resolve();
  return {
    begin,
    report(report): void {
      if (!process.connected) return;
      last = new Promise((resolve) => process.send!(report, () => resolve()));
    },
    onRetire(wanted): void {
      retire = wanted;
      if (isRetired) wanted();
    },
    end(status): void {
      void last.then(() => process.exit(status));
    },
  };
}
