/**
 * The addon's transport as TypeScript calls it: memory for its rows, and its functions.
 * It opens an epoll set and no socket: a listening descriptor is handed to it. Only Linux has it.
 * Twin: native/binding/js_transport.cc.
 */
import type { BodyPiece } from "../http/head.ts";
import type { DecoderOptions, Limits } from "../wire/limits.ts";
import type { Ring } from "../wire/ring.ts";
import type { Tables } from "../wire/tables.ts";

/** Pieces of one {@link TransportFunctions.sendPieces}. */
export const PIECES_MAX = 1_024;

/** The functions of one transport. Connections go by the number in their rows; a word about one that is gone does nothing. */
export interface TransportFunctions {
  /**
   * Accepts from a duplicate of a listening descriptor. Returns 0 or an errno.
   *
   * @param isShared other processes have it as well, and may make it a blocking one at any time
   */
  listen(fd: number, isShared: boolean): number;
  /** Stops accepting, for good. */
  unlisten(): void;
  /** Accepts again after descriptors had run out. */
  acceptAgain(): void;
  /** Shall the loop go on for this transport? At first it does not. */
  setReferenced(referenced: boolean): void;
  /** Closes every descriptor. */
  close(): void;
  /** Does a part of the turn's work and returns the rows it left; state MORE 1: there is more to do. */
  poll(): number;
  /** Takes memory for bodies, as state PIECE_WANTED asks. Throws TypeError. */
  land(piece: Uint8Array): void;
  /** Decodes what a connection held back; as {@link poll}. */
  decodeHeld(id: number): number;
  /** Ring bytes as a latin1 string. */
  text(start: number, length: number): string;
  /** Writes latin1 text. Returns the bytes that the kernel has not taken of all that was sent. */
  send(id: number, latin1: string): number;
  /** Writes at most {@link PIECES_MAX} pieces in one go; bytes must not change until they are written. As {@link send}. */
  sendPieces(id: number, pieces: readonly BodyPiece[]): number;
  note(id: number, event: number, exchangeId: number): void;
  setReading(id: number, reading: boolean): void;
  /** From now on what comes is thrown away, and counted in rows. */
  drop(id: number): void;
  /**
   * Ends our side once everything is written; both where the peer has ended as well or, if `quiet`, has nothing more to
   * send. Returns whether that closed the connection now.
   */
  finish(id: number, quiet: boolean): boolean;
  closeNow(id: number, reset: boolean): void;
  /** Returns whether it is closed now. */
  closeWhenSent(id: number): boolean;
  /** Gives the descriptor to the caller, or −1. */
  release(id: number): number;
  /** Is it between two requests, with nothing read that is not decoded and nothing queued? Then another can take it over. */
  isMovable(id: number): boolean;
  /** Takes over a connected socket, or a duplicate of it. Returns the connection's number, or −errno; then it did not. */
  adopt(fd: number, duplicate: boolean): number;
  queuedBytes(id: number): number;
  writtenBytes(id: number): number;
  /** Is a frame unfinished? */
  isPartial(id: number): boolean;
  /** `address port`, or "". */
  peer(id: number): string;
}

/** One transport with its memory. */
export interface NativeMemory {
  readonly ring: Ring;
  readonly tables: Tables;
  readonly functions: TransportFunctions;
}

/** What a transport is opened with. */
export interface TransportSettings {
  readonly limits: Readonly<Limits>;
  readonly decoderOptions: DecoderOptions;
  /** For each first byte of a connection what it speaks: a ProtocolNumber, or any other number but 0 of the caller's. */
  readonly protocols: Uint8Array;
  /** Called once a turn of the loop in which there is something to poll for. */
  readonly turn: () => void;
}

/** Opens a transport. Throws an Error when the system gives no epoll set. */
export type TransportFactory = (settings: TransportSettings) => NativeMemory;
