/**
 * A request whose head is whole → the application may have it, or why not: overload, by requests, connections, the loop's
 * delay or the time it has waited already.
 *
 * What is answered whatever the load (CPing, GET_VALUES, the status path) never comes to these limits. Answers nothing.
 */
import { ERRORS, type ErrorRow } from "../errors.ts";
import type { RequestHead } from "../http/head.ts";
import type { ExchangeHost } from "./exchange-host.ts";

/** Up to these a time is seconds, milliseconds or microseconds since 1970; front servers write all three. */
const SECONDS_MAX = 1e11;
const MILLISECONDS_MAX = 1e14;

/** Older is no age but a clock that is wrong. */
const AGE_MS_MAX = 86_400_000;

/**
 * How long ago the front server got the request, in milliseconds, as its X-Request-Start says; 0 when it does not.
 *
 * @param head `t=1700000000.123` (nginx, `t=${msec}`), `t=1700000000123456` (Apache, `%t`), with or without `t=`
 * @param nowMs since 1970
 */
export function ageMsOf(head: RequestHead, nowMs: number): number {
  const { rawHeaders } = head;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length !== 15 || name.toLowerCase() !== "x-request-start") continue;
    const number = Number(/^(?:t=)?(\d{9,17}(?:\.\d{1,9})?)$/.exec(rawHeaders[i + 1]!)?.[1] ?? 0);
    const perMs = number < SECONDS_MAX ? 0.001 : number < MILLISECONDS_MAX ? 1 : 1_000;
    const ageMs = nowMs - number / perMs;
    return ageMs > 0 && ageMs < AGE_MS_MAX ? ageMs : 0;
  }
  return 0;
}

/** Why a request is refused before the application hears of it; undefined: it is not. */
export function obstacleTo(head: RequestHead, host: ExchangeHost): ErrorRow | undefined {
  const { context } = host;
  const { limits, timeouts, lateness } = context;
  let row: ErrorRow | undefined;
  if (context.activeRequests >= limits.requests) row = ERRORS.LIMIT_REQUESTS;
  else if (host.reserved) row = ERRORS.LIMIT_CONNECTIONS;
  else if (lateness.watched && lateness.measure() > limits.delay) row = ERRORS.LIMIT_DELAY;
  else if (timeouts.queue > 0 && ageMsOf(head, Date.now()) > timeouts.queue)
    row = ERRORS.TIMEOUT_QUEUE;
  return row !== undefined && context.reserve?.takes(head) === true ? undefined : row;
}
