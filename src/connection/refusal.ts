/**
 * The responses that postern makes by itself: a status, its reason, one line of text.
 * They show no stack, path or version. Retry-After goes with 503, so that a balancer comes back.
 */
import { STATUS_CODES } from "node:http";
import { ERRORS, type ErrorRow } from "../errors.ts";
import type { ResponseHead } from "../http/head.ts";
import type { ResponsePath } from "./response-half.ts";

/** A connection, as far as it matters whether all it carried is answered. */
export interface Answered {
  readonly idle: boolean;
  readonly watch: { readonly hasLeftover: boolean };
}

/** Is this about a request that never began, so that its neighbours and the connection are as they were? */
export function isBystander(row: ErrorRow): boolean {
  return row.status === 0 || row === ERRORS.FCGI_OVERLOADED;
}

/** protocolStatus of END_REQUEST: anything but REQUEST_COMPLETE only where a server expects it (FastCGI §5.5). */
export function protocolStatusOf(row: ErrorRow): number {
  if (row === ERRORS.FCGI_CANT_MPX) return 1;
  if (row === ERRORS.FCGI_OVERLOADED) return 2;
  return row === ERRORS.FCGI_ROLE ? 3 : 0;
}

/** A whole response for a status. */
export function errorResponse(status: number): { head: ResponseHead; body: Uint8Array } {
  const reason = STATUS_CODES[status] ?? "Error";
  const body = Buffer.from(`${status} ${reason}\n`, "latin1");
  const fields = [
    "Content-Type",
    "text/plain; charset=utf-8",
    "Content-Length",
    String(body.length),
    ...(status === 503 ? ["Retry-After", "1"] : []),
  ];
  return { head: { status, reason, fields, contentLength: body.length }, body };
}

/** Refusals of what a front server sends by its configuration: an option here, or there, makes it go away. */
const BY_CONFIGURATION: ReadonlySet<ErrorRow> = new Set([
  ERRORS.AJP_SECRET,
  ERRORS.AJP_ATTRIBUTE,
  ERRORS.AJP_BODY_LENGTH,
  ERRORS.AJP_PACKET_BYTES,
  ERRORS.SCGI_STRICT,
]);

/** Should the operator hear of this refusal? */
export function concernsOperator(row: ErrorRow): boolean {
  return BY_CONFIGURATION.has(row);
}

/** Ends a connection on which nothing can be said any more: its peer takes nothing, or what it sends has no meaning. */
export function endUnanswered({ context, transport }: ResponsePath, row: ErrorRow): void {
  context.remark(row, undefined);
  if (row === ERRORS.TIMEOUT_WRITE) transport.abandon();
  else transport.destroy();
}

/**
 * Is this about too many bytes of requests that were all answered, by a 413 perhaps? Then there is nothing to say, but the
 * peer has to be able to read what was said: a connection that is reset loses it.
 */
export function isBehindAnswer(row: ErrorRow, { idle, watch }: Answered): boolean {
  return row === ERRORS.FCGI_STRAY_BYTES && idle && watch.hasLeftover;
}

/** A whole answer to bytes that became no request. */
export function answerError({ context, setup, transport }: ResponsePath, row: ErrorRow): void {
  context.remark(row, undefined);
  if (row.status === 0) return;
  const peerAddress = transport.remoteAddress;
  context.books.refuse({ protocol: setup.protocol.name, peerAddress }, row, context.counters);
  const { head, body } = errorResponse(row.status);
  const end = { appStatus: 0, protocolStatus: 0, reuse: false, stdout: true, stderr: false };
  setup.encoder.response(transport.writer, 1, head, body, end);
  transport.flush();
}
