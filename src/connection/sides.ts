/**
 * One exchange's head → the handler's side of it, and the application hears of the request.
 * Which side it is: an upgrade's, a fetch handler's without node's objects, or node's req and res.
 */
import type { IncomingMessage } from "node:http";
import type { HandlerSide } from "../handler/carrier.ts";
import { NodeRequest } from "../handler/node/request.ts";
import { NodeUpgrade } from "../handler/node/upgrade.ts";
import type { HeadMeta } from "../protocols/protocol.ts";
import type { ConnectionContext } from "./context.ts";
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
  const direct = context.reserve?.takes(exchange.head) === true ? undefined : context.direct;
  if (direct !== undefined) {
    const side = direct.side(exchange);
    exchange.side = side;
    if (context.lateness.isLate) return hold(exchange, context, () => side.start());
    side.start();
    return;
  }
  const side = new NodeRequest(exchange, context.server, context.prototypes);
  exchange.side = side;
  if (context.lateness.isLate)
    return hold(exchange, context, () => context.dispatch(side.req, side.res));
  context.dispatch(side.req, side.res);
}

/** The loop stood still: the application hears of the request once it is known whether its peer is still there. */
function hold(exchange: Exchange, context: ConnectionContext, start: () => void): void {
  context.lateness.afterwards(() => {
    if (exchange.response.over) context.counters.drops++;
    else start();
  });
}
