/**
 * One exchange's head → the handler's side of it, and the application hears of the request.
 * Which side it is: an upgrade's, a fetch handler's without node's objects, or node's req and res.
 */
import type { IncomingMessage } from "node:http";
import type { HandlerSide } from "../handler/carrier.ts";
import { NodeRequest } from "../handler/node/request.ts";
import { NodeUpgrade } from "../handler/node/upgrade.ts";
import type { HeadMeta } from "../protocols/protocol.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import { asksForUpgrade } from "./upgrade.ts";

/** The handler's side of an exchange, and what errors are shown with. */
export interface Side extends HandlerSide {
  readonly req: IncomingMessage | Request;
}

/** Gives an exchange that has its head its side, before the application hears of it. */
export function giveSide(exchange: Exchange, meta: HeadMeta, host: ExchangeHost): void {
  const { context } = host;
  if (asksForUpgrade(exchange, meta, host)) {
    const hear = context.tellUpgrade.bind(context);
    exchange.side = new NodeUpgrade(exchange, context.server, hear);
    return;
  }
  const { direct } = context;
  if (direct !== undefined) {
    const side = direct.side(exchange);
    exchange.side = side;
    side.start();
    return;
  }
  const side = new NodeRequest(exchange, context.server, context.prototypes);
  exchange.side = side;
  context.dispatch(side.req, side.res);
}
