/**
 * What an exchange needs from the connection that carries it.
 * Shapes only; connection.ts fills them.
 */
import type { Exchange } from "./exchange.ts";
import type { ResponsePath } from "./response-half.ts";
import type { Upgrade } from "./upgrade.ts";

/** What an exchange needs from its connection. */
export interface ExchangeHost extends ResponsePath {
  /** Was it accepted above `limits.connections`, for status and refusals alone? */
  readonly reserved: boolean;
  /** Does another exchange of this connection live? */
  isShared(): boolean;
  /** May the connection be used again after this exchange's end? */
  canReuse(exchange: Exchange): boolean;
  /** The response is over, well or not: the exchange leaves. */
  exchangeEnded(exchange: Exchange): void;
  /** Nothing can be said any more: ends the connection so that the peer sees a failure. */
  breakOff(): void;
  /** 101 has left for this exchange: what comes from now on is its own, and the connection is nobody else's. */
  exchangeUpgraded(upgrade: Upgrade): void;
  /** Ends the connection at once, and not as a failure. */
  destroy(): void;
  /** A body is held unread up to its window: reading stops until `bodyWanted`. */
  windowFull(): void;
  bodyWanted(): void;
}
