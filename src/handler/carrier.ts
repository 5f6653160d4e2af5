/**
 * What a handler's objects need from the exchange that carries them, and what it needs from them.
 * Two small interfaces, so that handler/ knows no socket and connection/ no http class; no behaviour.
 */
import type { BodyPiece, ProtocolName, RequestHead, ResponseHead, RoleName } from "../http/head.ts";

/** The exchange, as req, res and their socket see it. */
export interface Carrier {
  readonly protocol: ProtocolName;
  readonly role: RoleName;
  readonly head: RequestHead;
  /** Address of the front server, "" for a unix socket; its port, or 0. */
  readonly peerAddress: string;
  readonly peerPort: number;
  /** Bytes of responses that the kernel has not taken yet. */
  readonly queuedBytes: number;
  /**
   * Sends what there is in one write: the head the first time, body, and the end.
   *
   * @param head    status 101 accepts an upgrade: from there on bytes go both ways, without a length
   * @param chunks  body bytes, none of them empty; they must not change until they are written
   * @param written called once the bytes are with the kernel, or with an error when they never will be
   * @returns false when more should wait for {@link HandlerSide.drained}
   */
  send(
    head: ResponseHead | undefined,
    chunks: readonly BodyPiece[],
    end: boolean,
    written: ((error?: Error | null) => void) | undefined,
  ): boolean;
  /** Text for the front server's error log; returns the bytes taken (`limits.stderrBytes`). */
  stderr(chunk: Uint8Array): number;
  /** The handler can take more of the body. */
  want(): void;
  /** The application destroyed its side before the response was complete. */
  giveUp(): void;
  /**
   * The application ends its side of an upgraded request.
   *
   * @param written called once everything is with the kernel, or with an error when it never will be
   * @returns true when the peer may go on sending, as after a FIN; false when that was the end of both sides
   */
  endUpgraded(written: (error?: Error | null) => void): boolean;
  /** The application destroyed an upgraded request: closes at once, and not as a failure. */
  destroyUpgraded(): void;
  /** An error that the operator should hear of. */
  report(error: Error): void;
}

/** The handler's objects, as the exchange sees them. */
export interface HandlerSide {
  /** Bytes of the request body; borrowed no longer: the chunk is the handler's. Returns bytes now held unread. */
  body(chunk: Buffer): number;
  bodyEnd(): void;
  /**
   * The response is over before the request: no more of its body will come.
   *
   * @param whole is there no body at all, by the head?
   */
  inputOver(whole: boolean): void;
  /** Bytes of a Filter's file. */
  data(chunk: Buffer): number;
  dataEnd(): void;
  /** The transport has room again. */
  drained(): void;
  /** The request ended before its time; `reason` says why. */
  aborted(reason: Error): void;
  /** Request body bytes that arrived and were not read yet. */
  readonly unreadBytes: number;
}
