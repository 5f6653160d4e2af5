/**
 * What is counted of one request while it runs, for whoever keeps book of requests: times, bytes, status, its end.
 * Integers and references only; nothing is made into text here. Where nobody keeps book there are no accounts at all.
 */
import type { ErrorRow } from "../errors.ts";
import type { BodyPiece, ProtocolName, RequestHead, ResponseHead } from "../http/head.ts";

/**
 * How a request ended: with its response complete; left by the front server or its client; refused by the gateway; or
 * broken off, since a response that had begun could not be completed.
 */
export type Ending = "done" | "aborted" | "refused" | "failed";

/** What can be asked of a request's head for a log. */
export interface KnownHead
  extends Pick<
    RequestHead,
    | "method"
    | "url"
    | "httpVersion"
    | "remoteAddress"
    | "remoteUser"
    | "params"
    | "find"
    | "locate"
    | "givenId"
  > {
  /** What stands for the request, where that is another object. */
  readonly request?: object;
}

/** Where a request came by. */
export interface Origin {
  readonly protocol: ProtocolName;
  /** Address of the front server, "" for a unix socket. */
  readonly peerAddress: string;
}

/** One request. Times are monotonic, in milliseconds with a fraction; 0 is "not yet". */
export class Account {
  readonly origin: Origin;
  /** When its first byte was read. */
  readonly beganMs: number;
  /** When its head was whole, and the application got it; only where somebody wants to know. */
  knownMs = 0;
  /** Only where somebody wants to know. */
  endedMs = 0;
  /** Undefined where no head could be read. */
  head: KnownHead | undefined = undefined;
  /** 0 while there is none. */
  status = 0;
  responseHead: Pick<ResponseHead, "fields"> | undefined = undefined;
  /** Bytes of bodies, without heads and frames. */
  requestBytes = 0;
  responseBytes = 0;
  ending: Ending = "done";
  /** Which rule or limit ended it. */
  error: ErrorRow | undefined = undefined;
  /** Whoever keeps book of it may give it a number, which is 0 at first. */
  mark = 0;
  /** Neighbours among the requests in flight; see {@link Books}. */
  before: Account | undefined = undefined;
  after: Account | undefined = undefined;
  isOpen = true;

  constructor(origin: Origin, beganMs: number) {
    this.origin = origin;
    this.beganMs = beganMs;
  }

  /** Its head was read. `isTimed`: somebody wants to know when. */
  knows(head: KnownHead, isTimed: boolean): void {
    this.head = head;
    if (isTimed) this.knownMs = performance.now();
  }

  /** A piece of a response leaves. */
  sent(head: ResponseHead | undefined, pieces: readonly BodyPiece[]): void {
    if (head !== undefined) {
      this.status = head.status;
      this.responseHead = head;
    }
    for (const piece of pieces) this.responseBytes += piece.length;
  }

  /** It ends otherwise than with a complete response; the first reason counts. */
  endsAs(ending: Ending, error?: ErrorRow): void {
    if (this.ending !== "done") return;
    this.ending = ending;
    this.error = error;
  }
}
