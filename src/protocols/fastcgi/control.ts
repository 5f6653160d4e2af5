/**
 * Answers to management records: GET_VALUES and types we do not know (FastCGI specification §4).
 * It answers nothing else, and never speaks unasked: front servers take that for a broken response.
 */
import type { EncoderOptions, Output } from "../protocol.ts";
import { ManagementName, RecordType } from "./constants.ts";
import { recordHeader } from "./encoder.ts";

/** Length of a name or value at `at`, and where what follows it begins; undefined when it is cut off. */
function lengthAt(content: Uint8Array, at: number): { length: number; next: number } | undefined {
  if (at >= content.length) return undefined;
  const first = content[at]!;
  if (first < 128) return { length: first, next: at + 1 };
  if (content.length - at < 4) return undefined;
  const length =
    (first & 127) * 0x1000000 +
    content[at + 1]! * 0x10000 +
    content[at + 2]! * 256 +
    content[at + 3]!;
  return { length, next: at + 4 };
}

/** Known names that GET_VALUES asks for, each once. A pair that is cut off ends the list. */
function askedNames(content: Uint8Array): Set<string> {
  const known = new Set<string>(Object.values(ManagementName));
  const asked = new Set<string>();
  let at = 0;
  while (at < content.length && asked.size < known.size) {
    const name = lengthAt(content, at);
    const value = name && lengthAt(content, name.next);
    if (name === undefined || value === undefined) break;
    if (name.length > content.length - value.next) break;
    const nameEnd = value.next + name.length;
    const text = Buffer.from(content.subarray(value.next, nameEnd)).toString("latin1");
    if (known.has(text)) asked.add(text);
    if (value.length > content.length - nameEnd) break;
    at = nameEnd + value.length;
  }
  return asked;
}

/** Writes the answer to a management record. Always true: every one of them is answered. */
export function answerControl(
  out: Output,
  type: number,
  content: Uint8Array,
  options: EncoderOptions,
): boolean {
  if (type !== RecordType.GET_VALUES) {
    out.text(
      recordHeader(RecordType.UNKNOWN_TYPE, 0, 8) + String.fromCharCode(type, 0, 0, 0, 0, 0, 0, 0),
    );
    return true;
  }
  const values: Record<string, string> = {
    [ManagementName.MAX_CONNS]: String(options.maxConnections),
    [ManagementName.MAX_REQS]: String(options.maxRequests),
    [ManagementName.MPXS_CONNS]: options.multiplex ? "1" : "0",
  };
  let pairs = "";
  for (const name of askedNames(content)) {
    const value = values[name] ?? "";
    pairs += String.fromCharCode(name.length, value.length) + name + value;
  }
  out.text(recordHeader(RecordType.GET_VALUES_RESULT, 0, pairs.length) + pairs);
  return true;
}
