/**
 * ResponseHead → the head of a CGI response: header lines, an empty line.
 * It judges nothing: names and values were checked when the handler set them. RFC 3875 §6.
 */
import type { ResponseHead } from "../../http/head.ts";
import { flattened, LineMemo } from "../line-memo.ts";

const lines = new LineMemo((name, value) => `${name}: ${value}\r\n`);
/** By status, with the reason that came with it last: nearly always the usual one. */
const statusLines: { readonly reason: string; readonly line: string }[] = [];

function statusLine(status: number, reason: string): string {
  const kept = statusLines[status];
  if (kept?.reason === reason) return kept.line;
  const line = flattened(`Status: ${status} ${reason}\r\n`);
  statusLines[status] = { reason, line };
  return line;
}

/**
 * Writes a CGI response head as latin1 text.
 *
 * @param statusLast FastCGI: `Status` after `Location`, since HAProxy before 3.2 makes 302 of any status that
 *   precedes a Location; SCGI wants it first
 */
export function cgiResponseHead(head: ResponseHead, statusLast: boolean): string {
  const { fields } = head;
  let text = "";
  let location = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    if (statusLast && name.length === 8 && name.toLowerCase() === "location") location = true;
    text += lines.line(name, fields[i + 1]!);
  }
  const status = statusLine(head.status, head.reason);
  return location ? `${text}${status}\r\n` : `${status}${text}\r\n`;
}
