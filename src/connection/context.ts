/**
 * What a connection needs from its server: memory, options, limits, the clock, and the way to the application.
 * Shapes only; server/server.ts fills them.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { ErrorRow } from "../errors.ts";
import type { Connection } from "./connection.ts";
import type { Engine } from "../engine/engine.ts";
import type { DirectHandler } from "../handler/fetch/direct.ts";
import type { Prototypes } from "../handler/node/prototypes.ts";
import type { UpgradeSocket } from "../handler/node/upgrade.ts";
import type { Encoder, HeadOptions, Protocol } from "../protocols/protocol.ts";
import type { DecoderOptions, Limits } from "../wire/limits.ts";

/** One protocol with what it was set up with. */
export interface ProtocolSetup {
  readonly protocol: Protocol;
  readonly encoder: Encoder;
  readonly decoderOptions: DecoderOptions;
  readonly headOptions: HeadOptions;
}

/** Deadlines of a connection in milliseconds; 0 switches one off. */
export interface ConnectionTimeouts {
  readonly head: number;
  readonly body: number;
  readonly write: number;
  readonly idle: number;
  readonly request: number;
}

/** What all connections of one server share. */
export interface ConnectionContext {
  readonly server: Server;
  readonly engine: Engine;
  readonly limits: Readonly<Limits>;
  readonly timeouts: ConnectionTimeouts;
  readonly halfOpen: boolean;
  /** Coarse clock: advanced by the one timer, good for deadlines and nothing else. */
  readonly nowMs: number;
  /** Is the server closing? Then no connection is kept. */
  readonly draining: boolean;
  /** Are connections to leave for another worker? Then one that may be between two requests says so by {@link offer}. */
  readonly retiring: boolean;
  offer(connection: Connection): void;
  /** What requests and responses are born with. */
  readonly prototypes: Prototypes;
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
  /** A request was refused: where only an option can mend that, the operator hears of it, once. */
  remark(row: ErrorRow): void;
  /** A connection is over. */
  forget(connection: Connection): void;
  /** Tells the operator of an error that has no other way out. */
  report(error: unknown, shown: IncomingMessage | Request | undefined): void;
}
