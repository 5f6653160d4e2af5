/**
 * Errors about requests that never began → exchanges that live only to be refused.
 * A decoder reports them in place of BEGIN; everything else about an error is the connection's business.
 */
import type { ErrorRow } from "../errors.ts";
import { KEEP_CONNECTION, Role } from "../wire/abi.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeHost } from "./exchange-host.ts";
import type { ExchangeTable } from "./exchange-table.ts";
import { isBystander } from "./refusal.ts";

/**
 * Refuses a request that was never seen to begin; others of the connection go on.
 *
 * @returns false when the error is about another kind of request: nothing was done
 */
export function refuseUnbegun(
  id: number,
  row: ErrorRow,
  host: ExchangeHost,
  exchanges: ExchangeTable,
): boolean {
  const isAfterAnswer = host.setup.protocol.name === "fastcgi" || exchanges.unsettled;
  if (isAfterAnswer && !isBystander(row)) return false;
  const exchange = new Exchange(host, id, Role.RESPONDER | KEEP_CONNECTION);
  exchange.inputDue = false;
  exchanges.add(exchange);
  exchange.refuse(row);
  return true;
}
