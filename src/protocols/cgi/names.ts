/**
 * CGI names of headers without an id → header names in their usual spelling.
 * It looks nothing up in a head. RFC 3875 §4.1.18.
 */

const HEADER_NAME = /^HTTP_[A-Z0-9_]+$/;
/** By CGI name; bounded, since peers choose them. */
const spelled = new Map<string, string>();
const SPELLED_MAX = 2_000;

/** Header name in its usual spelling of a CGI name without an id, or "" for a variable that is no header. */
export function headerName(cgiName: string): string {
  let name = spelled.get(cgiName);
  if (name !== undefined) return name;
  if (!HEADER_NAME.test(cgiName)) return "";
  name = cgiName
    .slice(5)
    .split("_")
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join("-");
  if (spelled.size < SPELLED_MAX) spelled.set(cgiName, name);
  return name;
}
