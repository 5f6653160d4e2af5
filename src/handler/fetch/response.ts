/**
 * A Web `Response` → a node response: status, headers, and the body as fast as the client takes it.
 * A body that is whole when it is first read leaves in one write with its length. Fetch standard, Response class.
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { isLight, takeLight } from "./light.ts";

/** Status, reason and fields: written when the first bytes are there, so that a body that fails at once is a 500. */
interface Head {
  readonly status: number;
  readonly statusText: string;
  /** Names and values in turn. */
  readonly headers: string[];
}

type Stream = ReadableStream<Uint8Array>;
type Chunk = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>>;
type Read = Promise<Chunk>;

/** A body that is whole within so many bytes leaves with its length; of a longer one this much waits at most. */
const WHOLE_BYTES = 65_536;
/**
 * Microtasks in which a stream over bytes that are there hands them out, or ends: 2 for text (Node 20 and 22; 1 on
 * 24 and 26), 6 for a form.
 */
const READY_TICKS = 8;

function headOf(response: Response): Head {
  const headers: string[] = [];
  // Set-Cookie comes line by line.
  for (const [name, value] of response.headers) headers.push(name, value);
  return { status: response.status, statusText: response.statusText, headers };
}

function writeHead(res: ServerResponse, { status, statusText, headers }: Head): void {
  if (statusText === "") res.writeHead(status, headers);
  else res.writeHead(status, statusText, headers);
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * What a promise has settled to once everything that is ready now has run; undefined where it has not.
 * A Blob's stream ends two turns of the loop later (Node 24, 26).
 */
async function settlesNow<T>(promise: Promise<T>): Promise<T | undefined> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  promise.then(mark, mark);
  for (let i = 0; i < READY_TICKS && !settled; i++) await undefined;
  for (let i = 0; i < 2 && !settled; i++) await nextTurn();
  return settled ? promise : undefined;
}

async function room(res: ServerResponse): Promise<void> {
  if (res.destroyed || !res.writableNeedDrain) return;
  await Promise.race([once(res, "drain"), once(res, "close")]);
}

/** The chunks that are ready; `pending` is the read that is not, undefined where the body is whole. */
async function readReady(
  read: () => Read,
): Promise<{ chunks: Uint8Array[]; pending: Read | undefined }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const pending = read();
    const result = size < WHOLE_BYTES ? await settlesNow(pending) : undefined;
    if (result === undefined) return { chunks, pending };
    if (result.done) return { chunks, pending: undefined };
    chunks.push(result.value);
    size += result.value.length;
  }
}

async function pump(res: ServerResponse, head: Head, body: Stream): Promise<void> {
  const reader = body.getReader();
  // The handler's stream hears at once that nobody takes its bytes any more, also while it makes the next.
  const cancel = (): void => {
    if (!res.writableFinished)
      reader.cancel(new Error("The client is gone.")).catch(() => undefined);
  };
  res.once("close", cancel);
  const read = (): Read => {
    const result = reader.read();
    // Read errors surface where the result is awaited, not as an unhandled rejection before it.
    result.catch(() => undefined);
    return result;
  };
  const { chunks, pending } = await readReady(read);
  if (res.destroyed) return;
  writeHead(res, head);
  if (pending === undefined) {
    res.end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    return;
  }
  // Where the body takes its time, the head does not wait for it.
  if (chunks.length === 0) res.flushHeaders();
  for (const chunk of chunks) res.write(chunk);
  await room(res);
  for (let next = pending; !res.destroyed; next = read()) {
    const { done, value } = await next;
    if (done || res.destroyed) break;
    res.write(value);
    await room(res);
  }
  res.end();
}

function ignore(body: Stream): void {
  body.cancel().catch(() => undefined);
}

/** Sends what a Response holds; `body` in any form that is written without being made into a stream. */
function send(
  res: ServerResponse,
  head: Head,
  body: Stream | string | Uint8Array | null | undefined,
): Promise<void> | undefined {
  if (body instanceof ReadableStream) {
    const { status } = head;
    if (res.req.method !== "HEAD" && status !== 204 && status !== 304) return pump(res, head, body);
    // Nobody asked for it: a stream without end would keep the answer for ever.
    ignore(body);
    writeHead(res, head);
    res.end();
    return undefined;
  }
  writeHead(res, head);
  if (body === null || body === undefined) res.end();
  else res.end(body);
  return undefined;
}

/**
 * Sends a Response.
 *
 * @returns undefined where all of it is sent already; rejects with the body's error when its stream fails
 * @throws TypeError for a Response that cannot be sent: `Response.error()`, a body that was read
 */
export function sendFetchResponse(
  res: ServerResponse,
  response: Response,
): Promise<void> | undefined {
  if (res.destroyed || res.writableEnded) {
    if (response.body !== null && !response.body.locked) ignore(response.body as Stream);
    return undefined;
  }
  // First of all: any other member of a light one makes it a native one.
  if (isLight(response)) {
    const { body, ...head } = takeLight(response);
    return send(res, { ...head, headers: [...head.headers] }, body);
  }
  if (response.status === 0) {
    throw new TypeError("The fetch handler returned Response.error(), which has no status to send");
  }
  if (response.bodyUsed) {
    throw new TypeError("The fetch handler returned a Response whose body was read already");
  }
  // The body first: other light ones know the type of a text only once they were asked for it.
  const body = response.body as Stream | null;
  return send(res, headOf(response), body);
}
