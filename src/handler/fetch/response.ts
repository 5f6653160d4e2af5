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

/** Has a promise settled once everything that is ready now has run? */
async function settlesNow<T>(promise: Promise<T>): Promise<T | undefined> {
  const later = new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
  return Promise.race([promise, later]);
}

async function room(res: ServerResponse): Promise<void> {
  if (res.destroyed || !res.writableNeedDrain) return;
  await Promise.race([once(res, "drain"), once(res, "close")]);
}

async function pump(res: ServerResponse, body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  // The handler's stream hears at once that nobody takes its bytes any more, also while it makes the next.
  const cancel = (): void => {
    if (!res.writableFinished)
      reader.cancel(new Error("The client is gone.")).catch(() => undefined);
  };
  res.once("close", cancel);
  let pending = reader.read();
  for (;;) {
    const { done, value } = await pending;
    if (done || res.destroyed) break;
    pending = reader.read();
    // Read errors surface at the next turn of the loop, not as an unhandled rejection before it.
    pending.catch(() => undefined);
    const next = res.headersSent ? undefined : await settlesNow(pending);
    if (next?.done === true) {
      res.end(value);
      return;
    }
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
