/**
 * A file and a request → the answer: whole, one range, 304, 412 or 416, with ETag, Last-Modified and Content-Type.
 * The library @fastify/send decides and reads (RFC 9110 §13 and §14); it is loaded at the first use. Which file may be
 * sent is found-file.ts's to say.
 */
import { once } from "node:events";
import { ReadStream } from "node:fs";
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { pipeline } from "node:stream/promises";
import { type FoundFile, isAbsent, isForbidden, namesBelow } from "./found-file.ts";

/** Of these the file decides and not the handler. */
const OF_THE_FILE: ReadonlySet<string> = new Set([
  "accept-ranges",
  "content-length",
  "content-range",
  "etag",
  "last-modified",
]);

/** What the library decided. */
type Answer = Awaited<ReturnType<typeof import("@fastify/send").send>>;
/** What it asks of a request. */
type Asked = Pick<IncomingMessage, "method" | "headers">;

/** A weak tag cannot tell that a part belongs to the same bytes: the range is not looked at (RFC 9110 §13.1.5). */
function strictly({ method, headers }: Asked): Asked {
  const { range, ...others } = headers;
  const isWeak = String(headers["if-range"]).startsWith("W/");
  return { method, headers: isWeak ? others : headers } as Asked;
}

async function decide(asked: Asked, file: FoundFile): Promise<Answer> {
  const { send } = await import("@fastify/send");
  const names = namesBelow(file.root, file.real) ?? [];
  const path = names.map(encodeURIComponent).join("/");
  // Hidden names were judged already, and where the application names the file itself they may be sent.
  return send(strictly(asked) as IncomingMessage, path, {
    root: file.root,
    index: false,
    dotfiles: "allow",
    cacheControl: false,
  });
}

/** Answers with a status and its name, as text. */
export function answerStatus(res: ServerResponse, status: number): void {
  res.statusCode = status;
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.end(`${status} ${STATUS_CODES[status]}\n`);
}

/** Answers for a file that could not be looked at or opened; rethrows what is nobody's doing. */
export function answerFailure(res: ServerResponse, error: unknown): void {
  if (isAbsent(error)) answerStatus(res, 404);
  else if (isForbidden(error)) answerStatus(res, 403);
  else throw error;
}

/** Sets headers where the handler has set none; those of the file in any case. */
function setHeaders(res: ServerResponse, headers: Answer["headers"]): void {
  for (const [name, value] of Object.entries(headers)) {
    if (OF_THE_FILE.has(name.toLowerCase()) || !res.hasHeader(name)) res.setHeader(name, value);
  }
}

/** Without these a browser would guess what the file is, and how long it may keep it. */
function setDefaults(res: ServerResponse): void {
  if (!res.hasHeader("Cache-Control")) res.setHeader("Cache-Control", "no-cache");
  if (res.statusCode !== 304 && !res.hasHeader("Content-Type")) {
    res.setHeader("Content-Type", "application/octet-stream");
  }
}

/** Writes a stream; a client that goes away is no error. */
async function pump(stream: Answer["stream"], res: ServerResponse): Promise<void> {
  try {
    await pipeline(stream, res);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  }
}

/**
 * Sends a file through the gateway.
 *
 * Resolves when the answer is with the connection, or its client gone. A status other than 200 that the handler set
 * stays, and then the file is sent whole.
 *
 * @throws the system's error when reading fails; where the head has left the answer is broken off
 */
export async function streamFile(
  req: IncomingMessage,
  res: ServerResponse,
  file: FoundFile,
): Promise<void> {
  const special = res.statusCode !== 200;
  const answer = await decide(special ? { method: req.method, headers: {} } : req, file);
  const { stream, statusCode, headers, type } = answer;
  if (type === "error") {
    const { "Content-Range": range } = headers;
    if (range !== undefined) res.setHeader("Content-Range", range);
    answerStatus(res, statusCode);
    return;
  }
  if (stream instanceof ReadStream) {
    try {
      // Before the head leaves it must be certain that there is a body.
      await once(stream, "open");
    } catch (error) {
      answerFailure(res, error);
      return;
    }
  }
  if (res.destroyed || res.writableEnded) {
    stream.destroy();
    return;
  }
  if (!special) res.statusCode = statusCode;
  setHeaders(res, headers);
  if (statusCode === 304) res.removeHeader("Content-Length");
  setDefaults(res);
  if (stream instanceof ReadStream) await pump(stream, res);
  else res.end();
}

/**
 * Sets the headers of a file that somebody else will send.
 *
 * @param validators ETag and Last-Modified as well: whoever sends it makes none
 */
export async function describeFile(
  res: ServerResponse,
  file: FoundFile,
  validators: boolean,
): Promise<void> {
  const { headers } = await decide({ method: "HEAD", headers: {} }, file);
  const wanted = Object.entries(headers).filter(([name]) => {
    const lower = name.toLowerCase();
    if (lower === "etag" || lower === "last-modified") return validators;
    return !OF_THE_FILE.has(lower);
  });
  setHeaders(res, Object.fromEntries(wanted));
  setDefaults(res);
}
