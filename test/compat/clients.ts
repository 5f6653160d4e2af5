/**
 * A question → what a client sees of the answer: by node:http's client, or by postern's in a web server's place.
 * Both see the same things in the same shape; which of them may differ is comparison.ts.
 */
import { type IncomingMessage, request as requestHttp } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ClientConnection,
  request as requestFramed,
  type RequestOptions,
} from "../../src/client/client.ts";
import { until } from "../support/front/ports.ts";
import { SECRET, type Served } from "./servers.ts";

/** What is asked. */
export interface Ask {
  readonly method?: string;
  readonly url: string;
  /** Beside `Host` and the length of the body. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of known length; or pieces, whose length nobody knows unless `content-length` says so. */
  readonly body?: Uint8Array | string | (() => AsyncIterable<Uint8Array>);
  /** The client goes away when the handler has marked this. */
  readonly leavesAt?: string;
  /** The client goes away with the first bytes of the body. */
  readonly leavesAtBody?: boolean;
  /** Over HTTP it goes away with a reset, so that node sees a lost client and no syntax error. */
  readonly resets?: boolean;
  /** Reads the answer with rests. */
  readonly slowly?: boolean;
}

/** What is seen. */
export interface Seen {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case, and values, as they came. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** Came everything; was it broken off; had the client left; or came nothing at all? */
  readonly end: "whole" | "broken" | "left" | "none";
  readonly informational: readonly number[];
  readonly trailers: readonly string[];
}

/** The first value of a field, or "". */
export function field(seen: Seen | undefined, name: string): string {
  return seen?.fields.find(([other]) => other === name)?.[1] ?? "";
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly rawHeaders: readonly string[];
  readonly body: AsyncIterable<Uint8Array>;
  trailers(): readonly string[];
}

function headersOf({ headers = {}, body }: Ask): Record<string, string> {
  const known = typeof body === "string" || body instanceof Uint8Array;
  const framing: Record<string, string> = known
    ? { "content-length": String(Buffer.byteLength(body)) }
    : body !== undefined && headers["content-length"] === undefined
      ? { "transfer-encoding": "chunked" }
      : {};
  return { host: "app.test:8080", ...headers, ...framing };
}

/** Node 20 knows `setDefaultHeaders`; its types do not. */
const NO_DEFAULTS: object = { setDefaultHeaders: false };

async function askHttp(
  served: Served,
  ask: Ask,
  signal: AbortSignal,
  informational: number[],
): Promise<Answer> {
  const request = requestHttp({
    host: "127.0.0.1",
    port: served.port,
    path: ask.url,
    method: ask.method ?? "GET",
    agent: false,
    ...NO_DEFAULTS,
    ...(ask.resets === true ? {} : { signal }),
  });
  for (const [name, value] of Object.entries(headersOf(ask))) request.setHeader(name, value);
  // Belongs to the connection and must not be seen by applications that show their headers.
  request.removeHeader("connection");
  request.on("information", ({ statusCode }) => informational.push(statusCode));
  const answered = new Promise<IncomingMessage>((done, fail) => {
    request.on("response", done);
    request.on("error", fail);
  });
  if (ask.resets === true) {
    signal.addEventListener("abort", () => request.socket?.resetAndDestroy(), { once: true });
  }
  void sendBody(ask, request, signal);
  const response = await answered;
  return {
    status: response.statusCode ?? 0,
    reason: response.statusMessage ?? "",
    rawHeaders: response.rawHeaders,
    body: response,
    trailers: () => response.rawTrailers,
  };
}

/** A server that refuses a body closes the connection under it: that is seen in the answer, not here. */
async function sendBody(
  { body }: Ask,
  request: ReturnType<typeof requestHttp>,
  signal: AbortSignal,
): Promise<void> {
  if (typeof body !== "function") {
    // Without it node's client announces a body of no bytes for methods it does not know.
    if (body === undefined) request.useChunkedEncodingByDefault = false;
    request.end(body);
    return;
  }
  for await (const piece of body()) {
    if (request.destroyed || signal.aborted) return;
    await new Promise((done) => request.write(piece, done));
  }
  request.end();
}

/** A connection for several questions, kept where the protocol can; undefined over HTTP. */
export function keepConnection({ way, port }: Served): ClientConnection | undefined {
  const { protocol } = way;
  if (protocol === "http") return undefined;
  const secret = protocol === "ajp" ? { secret: SECRET } : {};
  return new ClientConnection({ protocol, address: { port }, ...secret });
}

async function askFramed(
  served: Served,
  ask: Ask,
  signal: AbortSignal,
  kept: ClientConnection | undefined,
): Promise<Answer> {
  const { protocol } = served.way;
  if (protocol === "http") throw new Error("not a protocol of a gateway");
  const { "transfer-encoding": _framing, ...headers } = headersOf(ask);
  const body = typeof ask.body === "function" ? ask.body() : ask.body;
  const ports = { SERVER_ADDR: "127.0.0.1", REMOTE_PORT: "50000" };
  const options: RequestOptions = {
    ...(protocol === "ajp"
      ? { attributes: { AJP_REMOTE_PORT: "50000", AJP_LOCAL_ADDR: "127.0.0.1" } }
      : { params: ports }),
    method: ask.method ?? "GET",
    url: ask.url,
    headers,
    ...(body === undefined ? {} : { body }),
    signal,
  };
  const secret = protocol === "ajp" ? { secret: SECRET } : {};
  const single = { protocol, address: { port: served.port }, ...secret };
  const response = await (kept?.request(options) ?? requestFramed({ ...single, ...options }));
  const { status, reason, rawHeaders } = response;
  return { status, reason, rawHeaders, body: response.body, trailers: () => [] };
}

/** Waits until the handler says so, and goes away. */
async function leave(served: Served, mark: string, controller: AbortController): Promise<void> {
  await until(`mark ${mark}`, () => served.marks.includes(mark));
  controller.abort();
}

/**
 * Asks a server, and reads the answer to its end.
 *
 * @param kept a connection that has carried questions before, and will carry more
 */
export async function visit(served: Served, ask: Ask, kept?: ClientConnection): Promise<Seen> {
  const controller = new AbortController();
  const informational: number[] = [];
  const leaving = ask.leavesAt === undefined ? undefined : leave(served, ask.leavesAt, controller);
  const { signal } = controller;
  const pieces: Uint8Array[] = [];
  let answer: Answer | undefined;
  let end: Seen["end"] = "whole";
  try {
    answer =
      served.way.protocol === "http"
        ? await askHttp(served, ask, signal, informational)
        : await askFramed(served, ask, signal, kept);
    for await (const piece of answer.body) {
      pieces.push(piece);
      if (pieces.length === 1) served.tellRead();
      if (ask.leavesAtBody === true) controller.abort();
      if (ask.slowly === true && pieces.length % 4 === 0) await sleep(1);
    }
  } catch (error) {
    end = signal.aborted ? "left" : answer === undefined ? "none" : "broken";
    if (process.env["POSTERN_COMPAT_SHOW"] !== undefined && end === "none") console.error(error);
  }
  await leaving;
  const fields: [string, string][] = [];
  const raw = answer?.rawHeaders ?? [];
  for (let i = 0; i + 1 < raw.length; i += 2) fields.push([raw[i]!.toLowerCase(), raw[i + 1]!]);
  return {
    status: answer?.status ?? 0,
    reason: answer?.reason ?? "",
    fields,
    body: Buffer.concat(pieces),
    end,
    informational,
    trailers: answer?.trailers() ?? [],
  };
}
