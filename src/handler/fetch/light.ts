/**
 * Light Responses, which frameworks make in place of native ones since those are costly → head and body as they are.
 * Recognised by shape: a method that hands out status, headers and body for a node response. Takes the Response's
 * content, so it is called once, when it is to be sent. Others are sent through their public members.
 */
import { PassThrough, Readable } from "node:stream";

type Body = string | Uint8Array | ReadableStream<Uint8Array>;

/** What React's server renderer makes: less than a stream. */
interface Pipeable {
  pipe(to: PassThrough): unknown;
  abort?(reason?: unknown): void;
}

/** What a light Response is made of. */
export interface LightContent {
  readonly status: number;
  readonly statusText: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Body | undefined;
}

/** srvx's FastResponse, and whatever follows its example. */
interface LightResponse {
  _toNodeResponse(): (Partial<LightContent> & { body?: unknown }) | undefined;
}

/** Is this a light Response? */
export function isLight(response: object): response is LightResponse {
  return typeof (response as Partial<LightResponse>)._toNodeResponse === "function";
}

function streamOf(source: Pipeable): ReadableStream<Uint8Array> {
  if (source instanceof Readable) return Readable.toWeb(source) as ReadableStream<Uint8Array>;
  const stream = new PassThrough();
  source.pipe(stream);
  stream.once("close", () => {
    if (!stream.readableEnded) source.abort?.();
  });
  return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}

function bodyOf(body: unknown): Body | undefined {
  if (body === null || body === undefined || body === "") return undefined;
  if (typeof body === "string" || body instanceof Uint8Array) return body;
  if (typeof (body as Partial<Pipeable>).pipe === "function") return streamOf(body as Pipeable);
  if (body instanceof ReadableStream) return body;
  throw new TypeError("The fetch handler returned a light Response whose body is of no known kind");
}

/**
 * Takes a light Response apart.
 *
 * @throws TypeError where it is made of something else than such Responses are; RangeError for a status that is no
 *         final one: native Responses cannot have it either
 */
export function takeLight(response: LightResponse): LightContent {
  const { status, statusText = "", headers, body } = response._toNodeResponse() ?? {};
  if (typeof status !== "number" || !Array.isArray(headers)) {
    throw new TypeError("The fetch handler returned a light Response without status and headers");
  }
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new RangeError(
      `The fetch handler returned a light Response with status ${status}; use 200 to 599`,
    );
  }
  return { status, statusText, headers, body: bodyOf(body) };
}
