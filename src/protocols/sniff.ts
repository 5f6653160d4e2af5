/**
 * First byte of a connection → the protocol it speaks, so that one listener can serve all of them.
 * It decodes nothing: a wrong guess is found by the protocol's own decoder.
 * FastCGI begins with version 1, SCGI with a digit, AJP with 12 34, HTTP with a method.
 */
import type { ProtocolName } from "../http/head.ts";

/**
 * Tells the protocol by the first byte.
 *
 * @param allowed protocols of this listener; with one of them nothing is guessed
 * @returns undefined when no allowed protocol begins like that
 */
export function sniffProtocol(
  first: number,
  allowed: readonly ProtocolName[],
): ProtocolName | undefined {
  if (allowed.length === 1) return allowed[0];
  let name: ProtocolName | undefined;
  if (first === 0x01) name = "fastcgi";
  else if (first === 0x12) name = "ajp";
  else if (first >= 0x30 && first <= 0x39) name = "scgi";
  else if ((first >= 0x41 && first <= 0x5a) || (first >= 0x61 && first <= 0x7a)) name = "http";
  return name !== undefined && allowed.includes(name) ? name : undefined;
}
