/**
 * The rows of all connections of one native transport → calls of each: the turn of the loop in which bytes came.
 * It owns the table of connections and says nothing about what they carry. Who is accepted, and what a first byte means,
 * is its owner's (server/native-listener.ts). An error that a connection lets through is thrown a tick later, so that
 * the rows of the others are not lost.
 */
import type { NativeMemory } from "../engine/transport.ts";
import { EVENT_WIDTH, EndedDetail, StateCell, TransportRow } from "../wire/abi.ts";
import { dispatchRow } from "./dispatch.ts";
import { type NativeShare, NativeTransport } from "./native-transport.ts";
import { closePassed, type PassedSocket } from "./passed-socket.ts";
import type { TransportListener } from "./transport.ts";
import type { Writer } from "./writer.ts";

/** Index of a connection in its number; the rest is a generation. */
const INDEX_MASK = 0xfffff;

/** Who decides about connections. */
export interface HubOwner {
  readonly isUnix: boolean;
  readonly nowMs: number;
  /** A connection was accepted: keep it, or destroy it. */
  opened(transport: NativeTransport): void;
  /** Its first bytes came; what they are is `protocol` of the table of first bytes. Gives it a listener, or ends it. */
  speaks(transport: NativeTransport, protocol: number, bytesView: Uint8Array): void;
  /** It is gone. */
  left(transport: NativeTransport): void;
  /** The system has no descriptor for a connection; accepting rests. */
  starved(errno: number): void;
}

function left(owner: HubOwner, transport: NativeTransport): void {
  transport.closed();
  owner.left(transport);
}

function rethrow(error: unknown): never {
  throw error;
}

/** The connections of one native transport. */
export class NativeHub implements NativeShare {
  readonly functions: NativeMemory["functions"];
  readonly writer: Writer;
  readonly isUnix: boolean;
  readonly #memory: NativeMemory;
  readonly #owner: HubOwner;
  readonly #transports: (NativeTransport | undefined)[] = [];

  constructor(memory: NativeMemory, owner: HubOwner, writer: Writer) {
    this.#memory = memory;
    this.functions = memory.functions;
    this.#owner = owner;
    this.writer = writer;
    this.isUnix = owner.isUnix;
  }

  /** Called by the addon once a turn of the loop, and by the coarse timer. */
  turn(): void {
    const { ring, tables } = this.#memory;
    const { state } = tables;
    let more = true;
    while (more) {
      if (state[StateCell.PIECE_WANTED] === 1) this.functions.land(ring.landing!.renew());
      const count = this.functions.poll();
      more = state[StateCell.MORE] === 1;
      this.#dispatch(count);
    }
  }

  decodeHeld(transport: NativeTransport): void {
    const { state } = this.#memory.tables;
    let more = true;
    while (more && !transport.destroyed) {
      const count = this.functions.decodeHeld(transport.id);
      more = state[StateCell.MORE] === 1;
      this.#dispatch(count);
    }
  }

  leave(transport: NativeTransport): void {
    this.#transports[transport.id & INDEX_MASK] = undefined;
    process.nextTick(left, this.#owner, transport);
  }

  /** Rows of one connection stand together, as far as it read once. */
  #dispatch(count: number): void {
    const { ring, tables } = this.#memory;
    const { events } = tables;
    let transport: NativeTransport | undefined;
    let reading: TransportListener | undefined;
    let id = 0;
    for (let i = 0; i < count; ) {
      const at = i * EVENT_WIDTH;
      const kind = events[at]!;
      if (transport === undefined || events[at + 1] !== id) {
        reading?.readEnds();
        reading = undefined;
        id = events[at + 1]!;
        transport = this.#find(id);
      }
      if (kind >= TransportRow.OPEN) {
        reading?.readEnds();
        try {
          transport = this.#transportRow(kind, id, transport, at);
        } catch (error) {
          // A listener of "connection" threw; the rows of others are not lost by that, nor its own.
          process.nextTick(rethrow, error);
          transport = this.#find(id);
        }
        // The first bytes are heard, be there rows of them or not.
        reading = kind === TransportRow.SPEAKS ? transport?.listener : undefined;
        reading?.readBegins();
        i++;
        continue;
      }
      const listener = transport?.listener;
      if (listener === undefined || listener.deaf) {
        i++;
        continue;
      }
      if (reading === undefined) {
        reading = listener;
        listener.readBegins();
      }
      try {
        i += dispatchRow(listener, ring, tables, i, count);
      } catch (error) {
        threw(listener, error);
        i++;
      }
    }
    reading?.readEnds();
  }

  #find(id: number): NativeTransport | undefined {
    const transport = this.#transports[id & INDEX_MASK];
    return transport?.id === id ? transport : undefined;
  }

  #transportRow(
    kind: number,
    id: number,
    transport: NativeTransport | undefined,
    at: number,
  ): NativeTransport | undefined {
    const { events } = this.#memory.tables;
    if (kind === TransportRow.OPEN) return this.#opened(id);
    if (kind === TransportRow.ACCEPT_FAILED) this.#owner.starved(events[at + 5]!);
    if (transport === undefined) return undefined;
    const { listener } = transport;
    switch (kind) {
      case TransportRow.SPEAKS: {
        const start = events[at + 3]!;
        const bytesView = this.#memory.ring.bytes.subarray(start, start + events[at + 4]!);
        this.#owner.speaks(transport, events[at + 5]!, bytesView);
        break;
      }
      case TransportRow.ENDED:
        if (listener === undefined) transport.destroy();
        else {
          const detail = events[at + 5]!;
          listener.ended(detail === EndedDetail.CLOSED, detail === EndedDetail.UNREAD);
        }
        break;
      case TransportRow.DRAINED:
        transport.drained();
        break;
      case TransportRow.GONE:
        transport.gone();
        break;
      case TransportRow.DROPPED:
        listener?.dropped();
        break;
      case TransportRow.HELD:
        listener?.windowFull();
        break;
    }
    return transport;
  }

  /** Takes over a connected socket. Throws an Error where the system does not let it; it is closed then. */
  adopt(passed: PassedSocket): void {
    const { handle } = passed;
    const id = this.functions.adopt(passed.fd ?? handle!.fd, handle !== undefined);
    if (handle !== undefined || id < 0) closePassed(passed);
    if (id < 0) throw new Error(`A connection cannot be taken over (errno ${-id}).`);
    // As in the rows, which are of signed integers.
    this.#opened(id | 0);
  }

  #opened(id: number): NativeTransport | undefined {
    const transport = new NativeTransport(id, this, this.#owner.nowMs);
    this.#transports[id & INDEX_MASK] = transport;
    this.#owner.opened(transport);
    return transport.destroyed ? undefined : transport;
  }
}

/** Rows of this connection are lost; the others go on. */
function threw(listener: TransportListener, error: unknown): void {
  try {
    listener.threw(error);
  } catch (again) {
    process.nextTick(rethrow, again);
  }
}
