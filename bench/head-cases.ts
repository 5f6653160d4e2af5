/**
 * Protocol × request → functions that read that request's head again and again, from the rows of one decoding.
 * Holds no clock. The rows come from the TypeScript engine; both engines write the same.
 */
import { readFields } from "../src/connection/dispatch.ts";
import { createTypescriptEngine } from "../src/engine/typescript.ts";
import type { RequestHead } from "../src/http/head.ts";
import type { HeadMeta, HeadOptions } from "../src/protocols/protocol.ts";
import { EVENT_WIDTH, EventColumn, FIELD_WIDTH, HeadColumn, RowKind } from "../src/wire/abi.ts";
import { BENCH_OPTIONS, PROTOCOLS } from "./cases.ts";
import { type BenchRequest, type DecodedProtocol, readsOf } from "./streams.ts";

const OPTIONS: HeadOptions = {
  scriptName: undefined,
  stripScriptName: false,
  trust: { user: true, tls: true },
  ajpSecretHash: undefined,
  ajpAttributes: undefined,
};

/** Everything but headers and variables. */
function facts(head: RequestHead): unknown[] {
  const { httpVersion, scriptName, pathInfo, attributes, upgradeFields, remoteUser, authType } =
    head;
  const { tls, remoteAddress, remotePort, localAddress, localPort } = head;
  const names = [httpVersion, scriptName, pathInfo, attributes, upgradeFields];
  return [names, remoteUser, authType, tls, remoteAddress, remotePort, localAddress, localPort];
}

/** What a handler asks of a head; each after those before it. */
export const READINGS: Readonly<Record<string, (head: RequestHead) => unknown>> = {
  "method and url": (head) => head.method.length + head.url.length,
  "raw headers": (head) => head.method.length + head.url.length + head.rawHeaders.length,
  "all facts": (head) => [head.method, head.url, head.rawHeaders, facts(head)],
  params: (head) => [head.method, head.url, head.rawHeaders, facts(head), head.params],
};

/** Reads one head again and again. */
export interface HeadCase {
  /** From the rows to what the reading asks. */
  read(reading: string): unknown;
  /** Reads the head, and nothing of it. */
  head(): RequestHead;
  /** Throws an Error unless the head is the one of this request. */
  check(): void;
}

/** Makes a case with memory of its own. */
export function headCase(name: DecodedProtocol, request: BenchRequest): HeadCase {
  const { ring, tables, createDecoder } = createTypescriptEngine(BENCH_OPTIONS);
  const protocol = PROTOCOLS[name];
  const { bytes } = readsOf(name, request)[0]!;
  ring.bytes.set(bytes, ring.readStart);
  const end = ring.readStart + bytes.length;
  const rows = createDecoder(protocol, BENCH_OPTIONS).decode(ring.readStart, end);
  const { events, fields } = tables;
  let at = 0;
  while (at < rows * EVENT_WIDTH && events[at] !== RowKind.HEAD) at += EVENT_WIDTH;
  if (at >= rows * EVENT_WIDTH) throw new Error("no HEAD row");
  const first = events[at + EventColumn.START]!;
  const count = events[at + EventColumn.LENGTH]!;
  const meta: HeadMeta = {
    bodyKind: events[at + EventColumn.DETAIL]!,
    metaA: fields[first * FIELD_WIDTH + HeadColumn.META_A]!,
    metaB: fields[first * FIELD_WIDTH + HeadColumn.META_B]!,
  };
  const textStart = fields[first * FIELD_WIDTH + HeadColumn.BYTES_START]!;
  const textEnd = textStart + fields[first * FIELD_WIDTH + HeadColumn.BYTES_LENGTH]!;
  const readHead = (): RequestHead => {
    const text = ring.bytes.toString("latin1", textStart, textEnd);
    return protocol.readHead(readFields(text, fields, first, count), meta, OPTIONS);
  };
  return {
    head: readHead,
    read: (reading) => READINGS[reading]!(readHead()),
    check: () => checkHead(readHead(), request),
  };
}

function checkHead(head: RequestHead, request: BenchRequest): void {
  if (head.method !== request.method) throw new Error(`method ${head.method}`);
  if (head.url !== request.target) throw new Error(`url ${head.url}`);
  const sent = request.headers.filter(([name]) => name !== "Connection").flat();
  if (head.rawHeaders.join("\n") !== sent.join("\n")) throw new Error("other headers");
  if (head.remoteAddress !== "192.0.2.17" || head.remotePort !== 51_234) {
    throw new Error(`from ${head.remoteAddress}:${head.remotePort}`);
  }
  if (head.params["SERVER_NAME"] !== "www.example.org") throw new Error("other params");
}
