/**
 * A Web `Response` → an answer on its way: status, headers, and the body as fast as the client takes it.
 * A body that is whole when it is first read leaves in one write with its length. Fetch standard, Response class.
 */
import type { AnswerHead, AnswerSink } from "./answer.ts";
import { LazyResponse } from "./lazy-response.ts";
import { isLight, takeLight } from "./light.ts";

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

function headOf(response: Response): AnswerHead {
  const headers: string[] = [];
  // Set-Cookie comes line by line.
  for (const [name, value] of response.headers) headers.push(name, value);
  return { status: response.status, statusText: response.statusText, headers };
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

/** Written when the first bytes are there, so that a body that fails at once is a 500. */
async function pump(sink: AnswerSink, head: AnswerHead, body: Stream): Promise<void> {
  const reader = body.getReader();
  // The handler's stream hears at once that nobody takes its bytes any more, also while it makes the next.
  sink.onGone(() => {
    reader.cancel(new Error("The client is gone.")).catch(() => undefined);
  });
  const read = (): Read => {
    const result = reader.read();
    // Read errors surface where the result is awaited, not as an unhandled rejection before it.
    result.catch(() => undefined);
    return result;
  };
  const { chunks, pending } = await readReady(read);
  if (sink.isGone) return;
  if (pending === undefined) {
    sink.whole(head, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    return;
  }
  sink.begin(head, chunks);
  await sink.room();
  for (let next = pending; !sink.isGone; next = read()) {
    const { done, value } = await next;
    if (done || sink.isGone) break;
    sink.write(value);
    await sink.room();
  }
  sink.end();
}

function ignore(body: Stream): void {
  body.cancel().catch(() => undefined);
}

/** Sends what a Response holds; `body` in any form that is written without being made into a stream. */
function send(
  sink: AnswerSink,
  head: AnswerHead,
  body: Stream | string | Uint8Array | null | undefined,
): Promise<void> | undefined {
  if (body instanceof ReadableStream) {
    const { status } = head;
    if (!sink.isHead && status !== 204 && status !== 304) return pump(sink, head, body);
    // Nobody asked for it: a stream without end would keep the answer for ever.
    ignore(body);
    sink.whole(head, undefined);
  } else sink.whole(head, body ?? undefined);
  return undefined;
}

/**
 * Sends a Response.
 *
 * @returns undefined where all of it is sent already; rejects with the body's error when its stream fails
 * @throws TypeError for a Response that cannot be sent: `Response.error()`, a body that was read
 */
export function sendFetchResponse(sink: AnswerSink, response: Response): Promise<void> | undefined {
  if (sink.isGone || sink.isEnded) {
    if (response.body !== null && !response.body.locked) ignore(response.body as Stream);
    return undefined;
  }
  // First of all: any other member of other people's light ones makes it a native one.
  if (isLight(response)) {
    const { body, ...head } = takeLight(response);
    return send(sink, head, body);
  }
  if (LazyResponse.is(response) && response.sendTo(sink)) return undefined;
  if (response.status === 0) {
    throw new TypeError("The fetch handler returned Response.error(), which has no status to send");
  }
  if (response.bodyUsed) {
    throw new TypeError("The fetch handler returned a Response whose body was read already");
  }
  // The body first: other light ones know the type of a text only once they were asked for it.
  const body = response.body as Stream | null;
  return send(sink, headOf(response), body);
}
