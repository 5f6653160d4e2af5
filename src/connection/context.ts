/**
 * What a connection needs from its server: memory, options, limits, the clock, and the way to the application.
 * Shapes only; server/server.ts fills them.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { ErrorRow } from "../errors.ts";
import type { Books } from "./books.ts";
import type { Connection } from "./connection.ts";
import type { Counters, ProtocolCounts } from "./counters.ts";
import type { Engine } from "../engine/engine.ts";
import type { Exchange } from "./exchange.ts";
import type { DirectHandler } from "../handler/fetch/direct.ts";
import type { Prototypes } from "../handler/node/prototypes.ts";
import type { UpgradeSocket } from "../handler/node/upgrade.ts";
import type { RequestHead } from "../http/head.ts";
import type { Encoder, HeadOptions, Protocol } from "../protocols/protocol.ts";
import type { DecoderOptions, Limits } from "../wire/limits.ts";

/** One protocol with what it was set up with. */
export interface ProtocolSetup {
  readonly protocol: Protocol;
  readonly encoder: Encoder;
  readonly decoderOptions: DecoderOptions;
  readonly headOptions: HeadOptions;
  readonly counts: ProtocolCounts;
}

/** Deadlines of a connection in milliseconds; 0 switches one off. */
export interface ConnectionTimeouts {
  readonly head: number;
  readonly body: number;
  readonly write: number;
  readonly idle: number;
  readonly request: number;
  /** Since the front server got the request, as it says. */
  readonly queue: number;
}

/** The event loop's delay. */
export interface Lateness {
  /** Is the delay limited? */
  readonly watched: boolean;
  /** The delay in milliseconds, as it is now and not on average. Only where it is watched. */
  measure(): number;
  /** Did the loop stand still just now, so that peers may be gone that nobody has noticed yet? */
  readonly isLate: boolean;
  /** Calls back once what peers did meanwhile has been heard. */
  afterwards(call: () => void): void;
}

/** Requests that are answered before the application, and whatever the load. */
export interface Reserve {
  takes(head: RequestHead): boolean;
}

/** What all connections of one server share. */
export interface ConnectionContext {
  readonly server: Server;
  readonly engine: Engine;
  readonly limits: Readonly<Limits>;
  readonly timeouts: ConnectionTimeouts;
  readonly halfOpen: boolean;
  readonly counters: Counters;
  /** Are there as many connections as `limits.connections` allows? Those above it are answered 503, and closed. */
  readonly crowded: boolean;
  /** How late the loop is. */
  readonly lateness: Lateness;
  /** Paths that are answered whatever the load; undefined while there are none. */
  readonly reserve: Reserve | undefined;
  /** Coarse clock: advanced by the one timer, good for deadlines and nothing else. */
  readonly nowMs: number;
  /** Is the server closing? Then no connection is kept. */
  readonly draining: boolean;
  /** Are connections to leave for another worker? Then one that may be between two requests says so by {@link offer}. */
  readonly retiring: boolean;
  offer(connection: Connection): void;
  /** What requests and responses are born with. */
  readonly prototypes: Prototypes;
  /** Where requests are accounted for, while somebody wants to know. */
  readonly books: Books;
  /** Requests in flight, all connections together. */
  activeRequests: number;
  /** Requests that were handed to the application since the start. */
  begunRequests: number;
  /** Takes a request in place of {@link dispatch} and its objects; undefined while nothing does. */
  readonly direct: DirectHandler | undefined;
  /** Hands a request to the application; never throws. */
  dispatch(req: IncomingMessage, res: ServerResponse): void;
  /** Tells the listeners of "upgrade" of a request; never throws. */
  tellUpgrade(req: IncomingMessage, socket: UpgradeSocket): void;
  /** A peer broke a rule or a limit: it is counted, and the operator may have to hear of it. `exchange`: where it had begun. */
  remark(row: ErrorRow, exchange: Exchange | undefined): void;
  /** A connection is over. */
  forget(connection: Connection): void;
  /** Tells the operator of an error that has no other way out. */
  report(error: unknown, shown: IncomingMessage | Request | undefined): void;
}
