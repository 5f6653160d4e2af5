/**
 * A request to a front server → its answer, with what the browser would see of it.
 *
 * Speaks HTTP/1.1 by node:http, and by a bare socket where node's parser would hide what came. Knows
 * nothing of gateways; a connection serves one request unless an agent is given.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  type Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
} from "node:http";
import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { BLOCK_BYTES, payload } from "./payload.mjs";

/** What of an answer is kept as text, in bytes. */
const TEXT_BYTES = 1_048_576;

/** So much of a body is sent before its refusal is due: more than HAProxy's buffer, less than a socket's. */
const REFUSED_BYTES = 20_000;

/** A body to send: so many bytes of payload.mjs, by length or chunked. */
export interface Upload {
  readonly bytes: number;
  readonly chunked?: boolean;
  /** Waits for a refusal after the first bytes: one that meets a write in progress would be lost. */
  readonly expectsRefusal?: boolean;
}

/** What is asked of a front server. */
export interface Question {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  /** Names and values in turn, repeated names included. */
  readonly headers?: readonly string[];
  readonly upload?: Upload;
  readonly agent?: Agent;
  readonly timeoutMs?: number;
  /** Rests this long after every 8 MiB of answer. */
  readonly restMs?: number;
}

/** What came back, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly bytes: number;
  /** SHA-256 of the body, in hexadecimal. */
  readonly sha256: string;
  /** The body's beginning. */
  readonly text: string;
}

/** An answer of which only the head has come. */
export interface OpenAnswer {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

/** Starts a request without a body; resolves when the head of the answer is there. */
export function openAnswer(question: Question): Promise<OpenAnswer> {
  const request = begin(question);
  return new Promise((done, fail) => {
    request.once("error", fail);
    request.once("response", (response) => done({ request, response }));
    request.end();
  });
}

/** Starts a request, of an upload only the first block, and waits for nothing: for handlers that do not answer. */
export function openRequest(question: Question): ClientRequest {
  const request = begin(question);
  request.on("error", () => {
    // The test itself breaks the connection off.
  });
  if (question.upload === undefined) request.end();
  // The first block of a body alone, so that the request stays unfinished.
  else for (const block of payload(BLOCK_BYTES)) request.write(block);
  return request;
}

/** Sends a request and reads its answer to the end; rejects when the answer breaks off. */
export async function ask(question: Question): Promise<Answer> {
  const request = begin(question);
  const answered = new Promise<IncomingMessage>((done, fail) => {
    request.once("response", done);
    // After the response this is a server that did not want the rest of the body.
    request.on("error", fail);
  });
  answered.catch(() => undefined);
  const sent = question.upload ? send(request, question.upload) : Promise.resolve(request.end());
  const response = await answered;
  const answer = await readAnswer(response, question.restMs ?? 0);
  request.destroy();
  await sent;
  return answer;
}

function begin(question: Question): ClientRequest {
  const { upload } = question;
  const headers = ["Host", `127.0.0.1:${question.port}`, ...(question.headers ?? [])];
  if (upload?.chunked) headers.push("Transfer-Encoding", "chunked");
  else if (upload) headers.push("Content-Length", String(upload.bytes));
  const request = httpRequest({
    host: "127.0.0.1",
    port: question.port,
    method: question.method ?? (upload ? "POST" : "GET"),
    path: question.path,
    headers: question.agent ? headers : [...headers, "Connection", "close"],
    agent: question.agent ?? false,
  });
  request.setTimeout(question.timeoutMs ?? 20_000, () =>
    request.destroy(new Error(`no byte for too long: ${question.method ?? ""} ${question.path}`)),
  );
  return request;
}

/** Writes the body as fast as the server takes it; stops when the server answers early or hangs up. */
async function send(request: ClientRequest, upload: Upload): Promise<void> {
  const over = new Promise<void>((done) => {
    request.once("response", () => done());
    request.once("close", done);
  });
  let isOver = false;
  over.then(() => {
    isOver = true;
  });
  if (upload.expectsRefusal && upload.bytes > REFUSED_BYTES) {
    for (const block of payload(REFUSED_BYTES)) request.write(block);
    return await over;
  }
  for (const block of payload(upload.bytes)) {
    if (isOver) return;
    if (!request.write(block)) {
      await Promise.race([once(request, "drain").catch(() => undefined), over]);
    }
  }
  request.end();
}

/** Reads an answer to its end. */
export async function readAnswer(response: IncomingMessage, restMs = 0): Promise<Answer> {
  const hash = createHash("sha256");
  const kept: Buffer[] = [];
  let bytes = 0;
  let keptBytes = 0;
  let untilRest = 8 * 1_048_576;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    if (keptBytes < TEXT_BYTES) {
      kept.push(chunk);
      keptBytes += chunk.length;
    }
    untilRest -= chunk.length;
    if (restMs > 0 && untilRest <= 0) {
      untilRest += 8 * 1_048_576;
      await sleep(restMs);
    }
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    bytes,
    sha256: hash.digest("hex"),
    text: Buffer.concat(kept).toString("utf8"),
  };
}

/** Values of a repeated header, in order, each as it stood on its line. */
export function headerLines(answer: Answer, name: string): string[] {
  return answer.rawHeaders.filter(
    (_, index) => index % 2 === 1 && answer.rawHeaders[index - 1]?.toLowerCase() === name,
  );
}

/** What a bare socket read until the server closed. */
export interface RawAnswer {
  readonly status: number;
  /** Header lines in lower case, status line excluded. */
  readonly head: string;
  /** Every byte after the empty line, chunk marks included. */
  readonly body: Buffer;
}

/** Sends bytes (latin1) as they are and reads until the server closes. */
export async function askRaw(port: number, text: string): Promise<RawAnswer> {
  const socket = createConnection(port, "127.0.0.1");
  socket.setTimeout(30_000, () =>
    socket.destroy(new Error("the server neither answers nor closes")),
  );
  socket.write(text, "latin1");
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  const all = Buffer.concat(chunks);
  const headEnd = all.indexOf("\r\n\r\n");
  if (headEnd < 0)
    throw new Error(`no response head came: ${all.toString("latin1").slice(0, 200)}`);
  const lines = all.toString("latin1", 0, headEnd).split("\r\n");
  return {
    status: Number(lines[0]?.split(" ")[1]),
    head: lines.slice(1).join("\n").toLowerCase(),
    body: all.subarray(headEnd + 4),
  };
}
