/**
 * A method's characters in a head → the method, without making a string for those that everybody uses.
 * It knows no method's meaning but which have a body only by exception. RFC 9110 §9.1 and §5.6.2.
 */
import { ERRORS, ProtocolError } from "../errors.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Methods whose request has a body only by exception: front servers invent `CONTENT_LENGTH 0` for them. */
export const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "DELETE"]);

/** @throws ProtocolError ERR_METHOD unless it is a token */
export function checkMethod(method: string): string {
  if (!TOKEN.test(method)) throw new ProtocolError(ERRORS.METHOD);
  return method;
}

/**
 * The method at `start` of a text.
 *
 * @throws ProtocolError ERR_METHOD unless it is a token
 */
export function methodAt(text: string, start: number, length: number): string {
  if (length === 3 && text.startsWith("GET", start)) return "GET";
  if (length === 4) {
    if (text.startsWith("POST", start)) return "POST";
    if (text.startsWith("HEAD", start)) return "HEAD";
  }
  return checkMethod(text.slice(start, start + length));
}
