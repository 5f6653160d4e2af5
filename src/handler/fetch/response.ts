/**
 * A Web `Response` → a node response: status, headers, and the body as fast as the client takes it.
 * A body that is whole when it is first read leaves in one write with its length. Fetch standard, Response class.
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";

function writeHead(res: ServerResponse, response: Response): void {
  res.statusCode = response.status;
  if (response.statusText !== "") res.statusMessage = response.statusText;
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") res.setHeader(name, value);
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) res.setHeader("set-cookie", cookies);
}

/** A body that is whole within so many bytes leaves with its length; of a longer one this much waits at most. */
const WHOLE_BYTES = 65_536;

/** Has a promise settled once everything that is ready now has run? A Blob's stream takes a turn more to end. */
async function settlesNow<T>(promise: Promise<T>): Promise<T | undefined> {
  const later = new Promise<undefined>((resolve) => {
    setImmediate(() => setImmediate(() => resolve(undefined)));
  });
  return Promise.race([promise, later]);
}

async function room(res: ServerResponse): Promise<void> {
  if (res.destroyed || !res.writableNeedDrain) return;
  await Promise.race([once(res, "drain"), once(res, "close")]);
}

type Chunk = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>>;
type Read = Promise<Chunk>;

/** The first chunk and what is ready with it; `pending` is the read that is not, undefined where the body is whole. */
async function readReady(
  read: () => Read,
): Promise<{ chunks: Uint8Array[]; pending: Read | undefined }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let result: Chunk | undefined = await read();
  while (result !== undefined && !result.done) {
    chunks.push(result.value);
    size += result.value.length;
    const pending = read();
    result = size < WHOLE_BYTES ? await settlesNow(pending) : undefined;
    if (result === undefined) return { chunks, pending };
  }
  return { chunks, pending: undefined };
}

async function pump(res: ServerResponse, body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  // The handler's stream hears at once that nobody takes its bytes any more, also while it makes the next.
  const cancel = (): void => {
    if (!res.writableFinished)
      reader.cancel(new Error("The client is gone.")).catch(() => undefined);
  };
  res.once("close", cancel);
  const read = (): ReturnType<typeof reader.read> => {
    const result = reader.read();
    // Read errors surface where the result is awaited, not as an unhandled rejection before it.
    result.catch(() => undefined);
    return result;
  };
  const { chunks, pending } = await readReady(read);
  if (pending === undefined) {
    res.end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    return;
  }
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

/** Sends a Response. Rejects with the body's error when its stream fails. */
export async function sendFetchResponse(res: ServerResponse, response: Response): Promise<void> {
  if (res.destroyed || res.writableEnded) {
    await response.body?.cancel();
    return;
  }
  writeHead(res, response);
  if (response.body === null) res.end();
  else await pump(res, response.body as ReadableStream<Uint8Array>);
}
