/**
 * ResponseHead → the head of a CGI response: header lines, an empty line.
 * It judges nothing: names and values were checked when the handler set them. RFC 3875 §6.
 */
import type { ResponseHead } from "../../http/head.ts";

/**
 * Writes a CGI response head as latin1 text.
 *
 * @param statusLast FastCGI: `Status` after `Location`, since HAProxy before 3.2 makes 302 of any status that
 *   precedes a Location; SCGI wants it first
 */
export function cgiResponseHead(head: ResponseHead, statusLast: boolean): string {
  const { fields } = head;
  let lines = "";
  let location = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    if (statusLast && name.length === 8 && name.toLowerCase() === "location") location = true;
    lines += `${name}: ${fields[i + 1]!}\r\n`;
  }
  const status = `Status: ${head.status} ${head.reason}\r\n`;
  return location ? `${lines}${status}\r\n` : `${status}${lines}\r\n`;
}
