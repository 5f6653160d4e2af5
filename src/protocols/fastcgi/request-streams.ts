/**
 * STDIN, DATA and ABORT records of known requests → BODY, DATA and ABORT rows (FastCGI specification §5.3, §5.4, §6.4).
 * It frames no records and reads no PARAMS beyond gathering them; headers and contents are given to it one by one.
 * Precondition of every method that is given a record: room for two event rows. Twin: native/core/fastcgi_streams.cc.
 */
import { ERRORS } from "../../errors.ts";
import { Note, Role, RowKind } from "../../wire/abi.ts";
import { type DecoderOptions, ZOMBIE_BYTES_MAX } from "../../wire/limits.ts";
import type { RowWriter } from "../../wire/tables.ts";
import { HEADER_BYTES, RecordType } from "./constants.ts";
import type { ParamsReader } from "./params.ts";
import { RequestState, type RequestSlot, type RequestTable } from "./request-table.ts";

/** What the content of the current record is for. DRAIN: body of a request that is over, only counted. */
export const ContentUse = { SKIP: 0, GATHER: 1, BODY: 2, DATA: 3, DRAIN: 4 } as const;

/** The streams of one connection's requests. */
export class RequestStreams {
  /** A {@link ContentUse}, for the current record. */
  use: number = ContentUse.SKIP;
  /** Whose the current record is. */
  #slot: RequestSlot | undefined;
  #zombieBytes = 0;
  readonly #rows: RowWriter;
  readonly #requests: RequestTable;
  readonly #params: ParamsReader;
  readonly #bodyBytes: number;

  constructor(
    rows: RowWriter,
    requests: RequestTable,
    params: ParamsReader,
    options: DecoderOptions,
  ) {
    this.#rows = rows;
    this.#requests = requests;
    this.#params = params;
    this.#bodyBytes = options.bodyBytes;
  }

  /** A record begins whose content is for nobody. */
  skip(): void {
    this.use = ContentUse.SKIP;
    this.#slot = undefined;
  }

  /** A PARAMS record with content begins that has to be gathered. */
  gather(slot: RequestSlot): void {
    this.use = ContentUse.GATHER;
    this.#slot = slot;
  }

  /** Ends one request's input: one row, then its records are dropped until our end is noted. */
  fail(slot: RequestSlot, number: number): void {
    this.#rows.event(RowKind.ERROR, slot.id, 0, 0, number);
    this.#requests.drop(slot);
  }

  /**
   * The header of a record other than BEGIN_REQUEST and PARAMS, for an id that is active.
   *
   * @returns 0, or the number of an error of connection scope
   */
  record(slot: RequestSlot, type: number, contentBytes: number): number {
    this.#slot = slot;
    this.use = ContentUse.SKIP;
    switch (type) {
      case RecordType.ABORT_REQUEST:
        this.#rows.event(RowKind.ABORT, slot.id, 0, 0, 0);
        slot.aborted = true;
        this.#requests.drop(slot);
        return 0;
      case RecordType.STDIN:
        if (slot.state === RequestState.IN_PARAMS) return ERRORS.FCGI_PARAMS_ORDER.number;
        if (contentBytes > 0) this.#beginStdin(slot, contentBytes);
        else this.#endStdin(slot);
        return 0;
      case RecordType.DATA:
        if (slot.state === RequestState.IN_PARAMS) return ERRORS.FCGI_PARAMS_ORDER.number;
        if (slot.role !== Role.FILTER || slot.dataEnded) return 0;
        // §6.4: the file comes after the end of STDIN.
        if (!slot.bodyEnded && !slot.stdinEnded) return ERRORS.FCGI_PARAMS_ORDER.number;
        if (contentBytes > 0) {
          this.use = ContentUse.DATA;
        } else {
          slot.dataEnded = true;
          this.#rows.event(RowKind.DATA_END, slot.id, 0, 0, 0);
        }
        return 0;
      default:
        return 0;
    }
  }

  /**
   * The header of any record but BEGIN_REQUEST, for a request that failed, was aborted or has ended.
   *
   * @returns 0, or the number of an error of connection scope
   */
  drop(slot: RequestSlot, type: number, contentBytes: number): number {
    this.#slot = slot;
    this.use = ContentUse.SKIP;
    this.#zombieBytes += HEADER_BYTES + contentBytes;
    if (this.#zombieBytes > ZOMBIE_BYTES_MAX) return ERRORS.FCGI_STRAY_BYTES.number;
    if (type === RecordType.ABORT_REQUEST) {
      slot.aborted = true;
      this.#bury(slot);
    } else if (type === RecordType.STDIN) {
      if (contentBytes > 0) {
        this.use = ContentUse.DRAIN;
      } else {
        slot.stdinEnded = true;
        this.#bury(slot);
      }
    }
    return 0;
  }

  /** `n` content bytes of the current record, at ring offset `at`. */
  content(bytes: Uint8Array, at: number, n: number): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    switch (this.use) {
      case ContentUse.GATHER:
        this.#gather(slot, bytes, at, n);
        break;
      case ContentUse.BODY:
        this.#body(slot, at, n);
        break;
      case ContentUse.DATA:
        this.#rows.event(RowKind.DATA, slot.id, at, n, 0);
        break;
      case ContentUse.DRAIN:
        slot.seenBytes += n;
        if (slot.inputFinished()) this.#bury(slot);
        break;
      default:
        break;
    }
  }

  /** {@link Decoder.note}. */
  note(event: number, id: number): void {
    const slot = this.#requests.find(id);
    if (slot === undefined || slot.state === RequestState.ZOMBIE) return;
    if (event === Note.ENDED) {
      const forgotten = this.#requests.end(slot);
      if (forgotten !== undefined) this.#leave(forgotten);
      this.#leave(slot);
      this.#settle();
    } else if (event === Note.UPGRADED && slot.state === RequestState.IN_BODY) {
      slot.upgraded = true;
      slot.contentLength = -1;
    }
  }

  #beginStdin(slot: RequestSlot, contentBytes: number): void {
    if (slot.stdinEnded || slot.role === Role.AUTHORIZER) return;
    const counted = slot.contentLength < 0 && !slot.upgraded;
    if (counted && slot.seenBytes + contentBytes > this.#bodyBytes) {
      this.fail(slot, ERRORS.LIMIT_BODY_BYTES.number);
      this.use = ContentUse.DRAIN;
      return;
    }
    this.use = ContentUse.BODY;
  }

  #endStdin(slot: RequestSlot): void {
    if (slot.stdinEnded || slot.role === Role.AUTHORIZER) return;
    slot.stdinEnded = true;
    if (slot.bodyEnded && !slot.upgraded) return;
    if (slot.contentLength >= 0) {
      this.fail(slot, ERRORS.BODY_SHORT.number);
      return;
    }
    slot.bodyEnded = true;
    this.#rows.event(RowKind.BODY_END, slot.id, 0, 0, 0);
  }

  #body(slot: RequestSlot, at: number, n: number): void {
    let taken = n;
    if (slot.contentLength >= 0) {
      const due = slot.contentLength - slot.seenBytes;
      if (due <= 0) taken = 0;
      else if (due < n) taken = due;
    }
    slot.seenBytes += n;
    if (taken > 0) this.#rows.event(RowKind.BODY, slot.id, at, taken, 0);
    if (!slot.bodyEnded && slot.contentLength >= 0 && slot.seenBytes >= slot.contentLength) {
      slot.bodyEnded = true;
      this.#rows.event(RowKind.BODY_END, slot.id, 0, 0, 0);
    }
  }

  #gather(slot: RequestSlot, bytes: Uint8Array, at: number, n: number): void {
    slot.gather.append(bytes, at, n, this.#params.headBytes);
    const failure = this.#params.scan(slot);
    if (failure === 0) return;
    this.fail(slot, failure);
    this.use = ContentUse.SKIP;
  }

  /** The input of a request that is over has ended too; of a zombie that is the end of all. */
  #bury(slot: RequestSlot): void {
    if (slot.state !== RequestState.ZOMBIE) return;
    this.#requests.bury(slot);
    this.#rows.event(RowKind.BODY_END, slot.id, 0, 0, 1);
    this.use = ContentUse.SKIP;
    this.#settle();
  }

  /** The request of the current record is over: what still comes of its body is only counted. */
  #leave(slot: RequestSlot): void {
    if (slot !== this.#slot) return;
    const drains = this.use === ContentUse.BODY || this.use === ContentUse.DRAIN;
    this.use = drains && slot.state === RequestState.ZOMBIE ? ContentUse.DRAIN : ContentUse.SKIP;
  }

  /** The allowance for leftover input is whole again when none is left. */
  #settle(): void {
    if (this.#requests.droppedCount === 0) this.#zombieBytes = 0;
  }
}
