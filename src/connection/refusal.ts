/**
 * The responses that postern makes by itself: a status, its reason, one line of text.
 * They show no stack, path or version. Retry-After goes with 503, so that a balancer comes back.
 */
import { STATUS_CODES } from "node:http";
import type { ResponseHead } from "../http/head.ts";

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
