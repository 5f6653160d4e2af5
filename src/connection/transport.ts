/**
 * One accepted socket as the rest of the connection sees it: rows in, one write out, pause, and the ways to end.
 * It decides nothing; every decision of a socket's life is the connection's. Two kinds of it exist: node-transport.ts
 * over node:net, and native-transport.ts, whose bytes the addon moves.
 */
import type { RowReceiver } from "./dispatch.ts";
import type { PassedSocket } from "./passed-socket.ts";
import type { Writer } from "./writer.ts";

/** What a transport tells its connection, beside the rows of what it read. */
export interface TransportListener extends RowReceiver {
  /** Nothing more is to be dispatched: the connection closes. */
  readonly deaf: boolean;
  /** Rows of one read follow, then {@link readEnds}. */
  readBegins(): void;
  readEnds(): void;
  /** Bytes came and were thrown away, after {@link Transport.drop}. */
  dropped(): void;
  /** More bytes wait behind an unanswered upgrade than may be held. */
  windowFull(): void;
  /** Somebody threw while rows were dispatched. Throws it again where it is not postern's own mistake. */
  threw(error: unknown): void;
  /**
   * The peer will send nothing more. `closed`: nor will it read (unix sockets alone can tell). `unread`: what it sent
   * before may not have been read, since reading is paused.
   */
  ended(closed: boolean, unread: boolean): void;
  /** The socket is gone. Nothing follows. */
  closed(): void;
  /** What was queued has gone to the kernel. */
  drained(): void;
}

/** Told once bytes are with the kernel, or with an error when they never will be. */
export type Flushed = (error?: Error | null) => void;

/** One accepted socket. */
export interface Transport {
  /** Collects what the next {@link flush} writes. Shared: nothing may stay in it. */
  readonly writer: Writer;
  /** Does the peer come by a unix socket? Then there is no reset, but a full close can be told from a half-close. */
  readonly isUnix: boolean;
  /** The peer's address, "" for a unix socket; its port, or 0. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Bytes that were written and are not with the kernel yet. */
  readonly queuedBytes: number;
  /**
   * Two numbers for what the peer has not taken: of a stalled peer they stay the same, and of a slow reader of one
   * large chunk they do not.
   */
  readonly progress: readonly [doneBytes: number, heldBytes: number];
  readonly destroyed: boolean;
  /** Is it gone, or about to go in a way that the peer sees as a failure? */
  readonly broken: boolean;
  /** Is a frame unfinished? */
  readonly partial: boolean;
  /** Does a request begin with the next byte, has all been written and nothing ended? Then another worker can go on. */
  readonly movable: boolean;
  /** Writes what the writer holds. Returns false when more should wait for `drained`. */
  flush(written?: Flushed): boolean;
  /** What is flushed until {@link uncork} leaves together then: responses of several requests that came in one read. */
  cork(): void;
  uncork(): void;
  pause(): void;
  resume(): void;
  /** From now on what comes is thrown away. */
  drop(): void;
  /**
   * Ends our side once everything is written; reading goes on.
   *
   * @param written that has happened, or never will
   * @param quiet   the peer has nothing more to send, by its protocol: where nothing of it is unread, both sides may end
   */
  finish(written?: () => void, quiet?: boolean): void;
  /** Closes both sides now. */
  destroy(): void;
  /** Closes on a peer that takes nothing: by a reset over TCP, so that what it has does not look complete. */
  abandon(): void;
  /**
   * Ends so that the peer cannot take it for a complete response: a reset over TCP; over a unix socket, which knows
   * none, an invalid record for FastCGI and a plain close otherwise.
   *
   * @param invalidRecord does the peer read records (FastCGI)?
   */
  breakOff(invalidRecord: boolean): void;
  /** Tells the decoder what we did, by a {@link Note}. */
  note(note: number, exchangeId: number): void;
  /** Decodes what was held back, once the decoder was told that it may go on. */
  readHeld(): void;
  /** Forgets what is unfinished. */
  discard(): void;
  /** Gives the socket to the caller, unseen by the peer; `closed` is told as ever. Precondition: {@link movable}. */
  handOver(): PassedSocket;
}

/** Eight bytes of version 0: no front server takes them for the end of a response. */
export const INVALID_RECORD: Buffer = Buffer.alloc(8);
