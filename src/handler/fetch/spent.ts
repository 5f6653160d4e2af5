/**
 * A carrier whose answer is on its way already, for node's objects that are asked for that late: the facts are the
 * request's, and nothing that is done to them reaches the exchange.
 */
import { AbortError } from "../../errors.ts";
import type { Carrier } from "../carrier.ts";

type Written = ((error?: Error | null) => void) | undefined;

/** The facts of one exchange without its ways out. */
export class SpentCarrier implements Carrier {
  readonly protocol: Carrier["protocol"];
  readonly role: Carrier["role"];
  readonly head: Carrier["head"];
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly queuedBytes = 0;
  readonly #carrier: Carrier;

  constructor(carrier: Carrier) {
    this.protocol = carrier.protocol;
    this.role = carrier.role;
    this.head = carrier.head;
    this.peerAddress = carrier.peerAddress;
    this.peerPort = carrier.peerPort;
    this.#carrier = carrier;
  }

  #refuse(written: Written): void {
    if (written !== undefined) process.nextTick(written, new AbortError("ERR_CONNECTION_LOST"));
  }

  send(_head: unknown, _chunks: unknown, _end: boolean, written: Written): boolean {
    this.#refuse(written);
    return false;
  }
  stderr(): number {
    return 0;
  }
  want(): void {}
  giveUp(): void {}
  endUpgraded(written: Written): boolean {
    this.#refuse(written);
    return false;
  }
  destroyUpgraded(): void {}
  report(error: Error): void {
    this.#carrier.report(error);
  }
}
