/**
 * Beginnings and ends of requests and connections → counters, times, and the diagnostics channels
 * `postern:request:start`, `postern:request:end`, `postern:connection:open` and `postern:connection:close`.
 *
 * Every request of FastCGI, SCGI and AJP comes by here once each way, whoever answers it. It makes no object unless
 * somebody has subscribed.
 */
import { channel } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import type { ProtocolName, RequestHead, RoleName } from "../http/head.ts";
import type { FieldBlock } from "../http/field-block.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionContext } from "./context.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeHost } from "./exchange-host.ts";

/** Message of `postern:request:start`. */
export interface RequestStarted {
  readonly protocol: ProtocolName;
  readonly role: RoleName;
  readonly head: RequestHead;
  /** Of the front server: "" and 0 over a unix socket. */
  readonly peer: { readonly address: string; readonly port: number };
  /** By `performance.now()`. */
  readonly startedMs: number;
}

/** Message of `postern:request:end`. */
export interface RequestEnded {
  /** The same object that was the message of its start; undefined when nobody had subscribed then. */
  readonly request: RequestStarted | undefined;
  /** 0: no response head left. */
  readonly status: number;
  readonly durationMs: number;
  /** Did the peer go away before the response was complete? */
  readonly aborted: boolean;
}

const started = channel("postern:request:start");
const ended = channel("postern:request:end");

/** What was told of the start of requests that run. */
const told = new WeakMap<Exchange, RequestStarted>();

/** Its head is whole and read. */
export function noteStart(exchange: Exchange, fields: FieldBlock, host: ExchangeHost): void {
  const { counters } = host.context;
  host.setup.counts.requests++;
  counters.receivedBytes += fields.text.length;
  if (!counters.timed && !started.hasSubscribers && !ended.hasSubscribers) return;
  exchange.startedMs = counters.readMs;
  if (!started.hasSubscribers) return;
  const { protocol, role, head, startedMs, peerAddress, peerPort } = exchange;
  const peer = { address: peerAddress, port: peerPort };
  const message: RequestStarted = { protocol, role, head, peer, startedMs };
  told.set(exchange, message);
  started.publish(message);
}

/** Its response is over, well or not. */
export function noteEnd(exchange: Exchange, context: ConnectionContext): void {
  const { startedMs, aborted, counted } = exchange;
  if (counted) context.activeRequests--;
  if (aborted && counted) context.counters.aborts++;
  if (startedMs === 0) return;
  const durationMs = performance.now() - startedMs;
  if (context.counters.timed) context.counters.time(durationMs);
  if (!ended.hasSubscribers) return;
  const { status } = exchange.response;
  const message: RequestEnded = { request: told.get(exchange), status, durationMs, aborted };
  ended.publish(message);
}

const failed = channel("postern:error");

/** Message of `postern:error`. */
export interface ErrorTold {
  readonly error: unknown;
  /** What the handler was given; undefined for an error that is no request's. */
  readonly request: IncomingMessage | Request | undefined;
}

/** An error that `onError` is told of. */
export function noteError(error: unknown, request: IncomingMessage | Request | undefined): void {
  if (!failed.hasSubscribers) return;
  const message: ErrorTold = { error, request };
  failed.publish(message);
}

/** Message of `postern:connection:open` and `postern:connection:close`; the same object for one connection. */
export interface ConnectionTold {
  readonly protocol: ProtocolName;
  readonly peer: { readonly address: string; readonly port: number };
}

const opened = channel("postern:connection:open");
const closed = channel("postern:connection:close");
const toldConnections = new WeakMap<Connection, ConnectionTold>();

function tell(connection: Connection): ConnectionTold {
  let message = toldConnections.get(connection);
  if (message === undefined) {
    const { remoteAddress, remotePort } = connection.transport;
    const { name } = connection.setup.protocol;
    message = { protocol: name, peer: { address: remoteAddress, port: remotePort } };
    toldConnections.set(connection, message);
  }
  return message;
}

/** A connection was accepted. */
export function noteOpen(connection: Connection): void {
  if (opened.hasSubscribers) opened.publish(tell(connection));
}

/** It is gone. */
export function noteClose(connection: Connection): void {
  if (closed.hasSubscribers) closed.publish(tell(connection));
}
