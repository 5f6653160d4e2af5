/**
 * FastCGI records → event rows (FastCGI specification §3.3).
 *
 *   0        1      2        4             6             7         8
 *   ┌────────┬──────┬────────┬─────────────┬─────────────┬─────────┬───────────┬───────────┐
 *   │version │ type │request │contentLength│paddingLength│reserved │contentData│paddingData│
 *   │ 1      │ u8   │Id u16  │ u16         │ u8          │ u8      │           │           │
 *   └────────┴──────┴────────┴─────────────┴─────────────┴─────────┴───────────┴───────────┘
 *
 * Numbers are big-endian. Does no I/O and makes no strings. Answers nothing: replies are the encoder's.
 * Twin: native/core/fastcgi_decoder.cc — same states, same rows, same errors.
 */
import { ERRORS } from "../../errors.ts";
import { KEEP_CONNECTION, Role, RowKind } from "../../wire/abi.ts";
import type { Decoder } from "../../wire/decoder.ts";
import {
  CONTROLS_MAX,
  type DecoderOptions,
  REFUSALS_MAX,
  STRAY_BYTES_MAX,
} from "../../wire/limits.ts";
import type { Ring } from "../../wire/ring.ts";
import { RowWriter, type Tables } from "../../wire/tables.ts";
import {
  BeginFlag,
  BODY_BYTES,
  HEADER_BYTES,
  NULL_REQUEST_ID,
  RecordType,
  VERSION,
} from "./constants.ts";
import { NO_ROOM, ParamsReader } from "./params.ts";
import { HeadWriter, isEndFailure } from "./params-head.ts";
import { RequestStreams } from "./request-streams.ts";
import { RequestState, type RequestSlot, RequestTable } from "./request-table.ts";

/** What the next byte belongs to. */
const State = { EXPECT_HEADER: 0, IN_CONTENT: 1, IN_PADDING: 2, DEAD: 3 } as const;

/** Instead of an offset: stop here, the bytes from here on stay. */
const STOP = -1;

/** Makes the decoder of one connection, over a ring and tables that it shares with others. */
export function createDecoder(ring: Ring, tables: Tables, options: DecoderOptions): Decoder {
  return new FastCgiDecoder(ring, tables, options);
}

class FastCgiDecoder implements Decoder {
  readonly #bytes: Uint8Array;
  readonly #rows: RowWriter;
  readonly #requests: RequestTable = new RequestTable();
  readonly #heads: HeadWriter;
  readonly #streams: RequestStreams;
  readonly #requestsMax: number;
  #state: number = State.EXPECT_HEADER;
  #more = false;
  /** Content and padding bytes of the current record still to come. */
  #contentBytes = 0;
  #paddingBytes = 0;
  #controls = 0;
  #refusals = 0;
  #strayBytes = 0;

  constructor(ring: Ring, tables: Tables, options: DecoderOptions) {
    this.#bytes = ring.bytes;
    this.#rows = new RowWriter(tables);
    this.#requestsMax = options.requestsPerConnection;
    const params = new ParamsReader(ring, tables, options);
    this.#heads = new HeadWriter(ring, this.#rows, params, options);
    this.#streams = new RequestStreams(this.#rows, this.#requests, params, options);
  }

  decode(start: number, end: number): number {
    this.#rows.begin();
    this.#heads.begin();
    this.#more = false;
    let at = start;
    while (at < end) {
      let next: number;
      switch (this.#state) {
        case State.EXPECT_HEADER:
          next = this.#hasRoom() ? this.#header(at, end) : STOP;
          break;
        case State.IN_CONTENT:
          next = this.#hasRoom() ? this.#content(at, end) : STOP;
          break;
        case State.IN_PADDING:
          next = this.#padding(at, end);
          break;
        default:
          next = end;
      }
      if (next === STOP) break;
      at = next;
    }
    return this.#rows.end(at, this.#more);
  }

  note(event: number, exchangeId: number): void {
    this.#streams.note(event, exchangeId);
  }

  get resting(): boolean {
    const { activeCount, droppedCount } = this.#requests;
    return this.#state === State.EXPECT_HEADER && activeCount === 0 && droppedCount === 0;
  }

  /** No record makes more than two event rows at once. */
  #hasRoom(): boolean {
    if (this.#rows.hasRoom(2, 0)) return true;
    this.#more = true;
    return false;
  }

  /** Ends the connection for this decoder: one row, then nothing. Returns the offset after the last byte. */
  #kill(number: number, end: number): number {
    this.#rows.event(RowKind.ERROR, 0, 0, 0, number);
    this.#state = State.DEAD;
    return end;
  }

  #padding(at: number, end: number): number {
    const n = Math.min(this.#paddingBytes, end - at);
    this.#paddingBytes -= n;
    if (this.#paddingBytes === 0) this.#state = State.EXPECT_HEADER;
    return at + n;
  }

  #content(at: number, end: number): number {
    const n = Math.min(this.#contentBytes, end - at);
    this.#streams.content(this.#bytes, at, n);
    this.#contentBytes -= n;
    if (this.#contentBytes === 0) {
      this.#state = this.#paddingBytes > 0 ? State.IN_PADDING : State.EXPECT_HEADER;
    }
    return at + n;
  }

  /** The header of the current record is done: content, padding or the next header comes. */
  #accept(at: number): number {
    if (this.#contentBytes > 0) this.#state = State.IN_CONTENT;
    else this.#state = this.#paddingBytes > 0 ? State.IN_PADDING : State.EXPECT_HEADER;
    return at + HEADER_BYTES;
  }

  #skip(at: number): number {
    this.#streams.skip();
    return this.#accept(at);
  }

  #header(at: number, end: number): number {
    const bytes = this.#bytes;
    // Judged before the rest of the header: a peer of another protocol may never send it (F17l).
    if (bytes[at] !== VERSION) return this.#kill(ERRORS.FCGI_VERSION.number, end);
    if (end - at < HEADER_BYTES) return STOP;
    const type = bytes[at + 1]!;
    const id = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    this.#contentBytes = (bytes[at + 4]! << 8) | bytes[at + 5]!;
    this.#paddingBytes = bytes[at + 6]!;
    switch (type) {
      case RecordType.BEGIN_REQUEST:
        return this.#begin(id, at, end);
      case RecordType.ABORT_REQUEST:
      case RecordType.PARAMS:
      case RecordType.STDIN:
      case RecordType.DATA:
        if (id === NULL_REQUEST_ID) return this.#kill(ERRORS.FCGI_REQUEST_ID.number, end);
        return this.#record(type, id, at, end);
      case RecordType.END_REQUEST:
      case RecordType.STDOUT:
      case RecordType.STDERR:
        return this.#kill(ERRORS.FCGI_DIRECTION.number, end);
      case RecordType.GET_VALUES:
      case RecordType.GET_VALUES_RESULT:
      case RecordType.UNKNOWN_TYPE:
        return this.#control(type, id, at, end);
      default:
        if (id !== NULL_REQUEST_ID) return this.#record(type, id, at, end);
        return this.#control(type, id, at, end);
    }
  }

  /** Management records and those of the wrong direction that are dropped (§4). */
  #control(type: number, id: number, at: number, end: number): number {
    const asked = type === RecordType.GET_VALUES && id === NULL_REQUEST_ID;
    if (asked && end - at - HEADER_BYTES < this.#contentBytes) return STOP;
    this.#controls++;
    if (this.#controls > CONTROLS_MAX) return this.#kill(ERRORS.FCGI_CONTROLS.number, end);
    if (asked) {
      const start = at + HEADER_BYTES;
      this.#rows.event(RowKind.CONTROL, 0, start, this.#contentBytes, type);
    } else if (type < RecordType.BEGIN_REQUEST || type > RecordType.UNKNOWN_TYPE) {
      this.#rows.event(RowKind.CONTROL, 0, 0, 0, type);
    }
    return this.#skip(at);
  }

  #begin(id: number, at: number, end: number): number {
    if (id === NULL_REQUEST_ID) return this.#kill(ERRORS.FCGI_REQUEST_ID.number, end);
    if (this.#contentBytes !== BODY_BYTES) {
      return this.#kill(ERRORS.FCGI_BEGIN_LENGTH.number, end);
    }
    if (end - at < HEADER_BYTES + BODY_BYTES) return STOP;
    if (this.#requests.find(id) !== undefined) {
      return this.#kill(ERRORS.FCGI_DUPLICATE_BEGIN.number, end);
    }
    const bytes = this.#bytes;
    const role = (bytes[at + 8]! << 8) | bytes[at + 9]!;
    const refusal = this.#refusal(role);
    if (refusal !== 0) {
      this.#refusals++;
      if (this.#refusals > REFUSALS_MAX) return this.#kill(ERRORS.FCGI_REFUSALS.number, end);
      this.#rows.event(RowKind.ERROR, id, 0, 0, refusal);
    } else {
      const keep = (bytes[at + 10]! & BeginFlag.KEEP_CONN) !== 0 ? KEEP_CONNECTION : 0;
      this.#requests.begin(id, role);
      this.#rows.event(RowKind.BEGIN, id, 0, 0, role | keep);
    }
    return this.#skip(at);
  }

  /** Why a request of this role cannot begin now, as the number of an error; or 0. */
  #refusal(role: number): number {
    if (role < Role.RESPONDER || role > Role.FILTER) return ERRORS.FCGI_ROLE.number;
    if (this.#requests.activeCount < this.#requestsMax) return 0;
    return this.#requestsMax === 1 ? ERRORS.FCGI_CANT_MPX.number : ERRORS.FCGI_OVERLOADED.number;
  }

  /** Any record but BEGIN_REQUEST with an id of its own. */
  #record(type: number, id: number, at: number, end: number): number {
    const slot = this.#requests.find(id);
    if (slot === undefined) {
      // §3.3: records of an inactive id are ignored.
      this.#strayBytes += HEADER_BYTES + this.#contentBytes;
      if (this.#strayBytes > STRAY_BYTES_MAX) {
        return this.#kill(ERRORS.FCGI_STRAY_BYTES.number, end);
      }
      return this.#skip(at);
    }
    let failure: number;
    if (slot.state === RequestState.DROPPED || slot.state === RequestState.ZOMBIE) {
      failure = this.#streams.drop(slot, type, this.#contentBytes);
    } else if (type === RecordType.PARAMS) {
      if (slot.state === RequestState.IN_PARAMS) {
        if (this.#contentBytes === 0) return this.#endParams(slot, at);
        return this.#beginParams(slot, at, end);
      }
      failure = ERRORS.FCGI_PARAMS_ORDER.number;
    } else {
      failure = this.#streams.record(slot, type, this.#contentBytes);
    }
    return failure === 0 ? this.#accept(at) : this.#kill(failure, end);
  }

  /** A PARAMS record with content: read in place if it is the whole stream and its end is here too; else gathered. */
  #beginParams(slot: RequestSlot, at: number, end: number): number {
    const start = at + HEADER_BYTES;
    let failure = this.#heads.announce(slot, this.#contentBytes);
    if (failure === 0) {
      const endHeader = start + this.#contentBytes + this.#paddingBytes;
      if (slot.paramsRecords > 1 || !this.#heads.endsAt(slot.id, endHeader, end)) {
        this.#streams.gather(slot);
        return this.#accept(at);
      }
      failure = this.#heads.writeHead(slot, start, start + this.#contentBytes);
      if (failure === NO_ROOM) {
        this.#heads.retract(slot);
        this.#more = true;
        return STOP;
      }
      // What is only wrong at the end of the stream belongs to the record that ends it.
      if (failure === 0 || isEndFailure(failure)) {
        this.#contentBytes = 0;
        this.#paddingBytes = this.#bytes[endHeader + 6]!;
        return this.#finishHead(slot, failure, endHeader);
      }
    }
    this.#streams.fail(slot, failure);
    return this.#skip(at);
  }

  #endParams(slot: RequestSlot, at: number): number {
    const failure = this.#heads.writeGathered(slot);
    if (failure === NO_ROOM) {
      this.#more = true;
      return STOP;
    }
    return this.#finishHead(slot, failure, at);
  }

  #finishHead(slot: RequestSlot, failure: number, at: number): number {
    if (failure === 0) this.#controls = 0;
    else this.#streams.fail(slot, failure);
    return this.#skip(at);
  }
}
