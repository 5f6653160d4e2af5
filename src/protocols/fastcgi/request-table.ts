/**
 * Request ids → what the decoder knows of each request (FastCGI specification §3.3: "the application keeps track").
 * It reads no bytes and writes no rows; it counts who is active and who is only leftover input (a zombie).
 * Twin: native/core/fastcgi_requests.h — same states, same order of forgetting.
 */
import { Role } from "../../wire/abi.ts";
import { GatheredBytes } from "../../wire/bytes.ts";
import { ZOMBIES_MAX } from "../../wire/limits.ts";

/** What may come next for an id. */
export const RequestState = {
  /** The slot belongs to nobody. */
  FREE: 0,
  /** BEGIN_REQUEST was there, the end of PARAMS was not. */
  IN_PARAMS: 1,
  /** HEAD was written: STDIN and DATA may come. */
  IN_BODY: 2,
  /** Failed or aborted: everything is dropped until our end is noted. */
  DROPPED: 3,
  /** Our end has left, the peer's input has not ended. */
  ZOMBIE: 4,
} as const;

/** One request. Reused for the next id when free. */
export class RequestSlot {
  id = 0;
  /** A {@link RequestState}. */
  state = 0;
  /** A {@link Role}. */
  role = 0;
  aborted = false;
  /** The empty STDIN record was there. */
  stdinEnded = false;
  /** BODY_END was written. */
  bodyEnded = false;
  /** DATA_END was written. */
  dataEnded = false;
  /** 101 was sent: STDIN has no length any more. */
  upgraded = false;
  /** Bytes of body announced, or −1 when unknown. */
  contentLength = -1;
  /** Bytes of STDIN seen. */
  seenBytes = 0;
  /** Content bytes of the PARAMS records that have begun. */
  paramsBytes = 0;
  /** PARAMS records with content. */
  paramsRecords = 0;
  /** PARAMS bytes kept so far. */
  readonly gather: GatheredBytes = new GatheredBytes();
  /** Offset in `gather` where the next pair begins; may lie beyond its length inside a pair. */
  scanOffset = 0;
  /** Pairs whose lengths have passed the checks. */
  pairCount = 0;
  /** Turn in which the slot became a zombie; the smallest is the oldest. */
  zombieOrder = 0;

  /** Has the peer sent all input of this request, as far as one can know? Then its id is free after our end. */
  inputFinished(): boolean {
    return (
      this.role === Role.AUTHORIZER ||
      this.aborted ||
      this.stdinEnded ||
      (this.contentLength >= 0 && this.seenBytes >= this.contentLength)
    );
  }
}

/** The requests of one connection. Few; found by looking through them, the last one first. */
export class RequestTable {
  /** Ids whose request has begun and not ended. */
  activeCount = 0;
  /** Slots in state DROPPED or ZOMBIE. */
  droppedCount = 0;
  #zombieCount = 0;
  #zombieOrder = 0;
  readonly #slots: RequestSlot[] = [];
  #last: RequestSlot | undefined;

  /** The slot of this id, or undefined when it is idle. */
  find(id: number): RequestSlot | undefined {
    const last = this.#last;
    if (last !== undefined && last.id === id && last.state !== RequestState.FREE) return last;
    for (const slot of this.#slots) {
      if (slot.id === id && slot.state !== RequestState.FREE) {
        this.#last = slot;
        return slot;
      }
    }
    return undefined;
  }

  /** Begins a request. Precondition: the id is idle. */
  begin(id: number, role: number): void {
    let slot = this.#slots.find((one) => one.state === RequestState.FREE);
    if (slot === undefined) {
      slot = new RequestSlot();
      this.#slots.push(slot);
    }
    slot.id = id;
    slot.state = RequestState.IN_PARAMS;
    slot.role = role;
    slot.aborted = false;
    slot.stdinEnded = false;
    slot.bodyEnded = false;
    slot.dataEnded = false;
    slot.upgraded = false;
    slot.contentLength = -1;
    slot.seenBytes = 0;
    slot.paramsBytes = 0;
    slot.paramsRecords = 0;
    slot.scanOffset = 0;
    slot.pairCount = 0;
    this.#last = slot;
    this.activeCount++;
  }

  /** Failed or aborted: the slot stays, its records are dropped. */
  drop(slot: RequestSlot): void {
    slot.state = RequestState.DROPPED;
    slot.gather.release();
    this.droppedCount++;
  }

  /**
   * Our end has left: the slot becomes free, or a zombie while its input is unfinished.
   *
   * @returns the slot that had to be forgotten for it (the oldest zombie), or undefined
   */
  end(slot: RequestSlot): RequestSlot | undefined {
    this.activeCount--;
    if (slot.state === RequestState.DROPPED) this.droppedCount--;
    slot.gather.release();
    if (slot.inputFinished()) {
      slot.state = RequestState.FREE;
      return undefined;
    }
    const forgotten = this.#zombieCount === ZOMBIES_MAX ? this.#oldestZombie() : undefined;
    if (forgotten !== undefined) this.bury(forgotten);
    slot.state = RequestState.ZOMBIE;
    slot.zombieOrder = this.#zombieOrder++;
    this.#zombieCount++;
    this.droppedCount++;
    return forgotten;
  }

  /** The input of a zombie has ended: its id is free. */
  bury(slot: RequestSlot): void {
    slot.state = RequestState.FREE;
    this.#zombieCount--;
    this.droppedCount--;
  }

  #oldestZombie(): RequestSlot | undefined {
    let oldest: RequestSlot | undefined;
    for (const slot of this.#slots) {
      if (slot.state !== RequestState.ZOMBIE) continue;
      if (oldest === undefined || slot.zombieOrder < oldest.zombieOrder) oldest = slot;
    }
    return oldest;
  }
}
