/**
 * A Web-style handler → a Node-style one, and what becomes of its failures: `onError` may answer them with a Response.
 * What fails while an answer is sent is treated alike, as far as nothing of it has left.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { GatewayRequest } from "../node/request.ts";
import { type AnswerSink, NodeSink } from "./answer.ts";
import { type FetchHandler, type FetchInfo, RequestInfo } from "./info.ts";
import { createFetchRequest, joinNative } from "./native.ts";
import { sendFetchResponse } from "./response.ts";

/** Methods that no Request can have. */
const FORBIDDEN = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Where a fetch handler's errors go. */
export interface FetchErrors {
  /** An error beside the answer: rejections of `waitUntil`. */
  report(error: unknown): void;
  /** An error that took the answer's place; returns what `onError` made of it. */
  answer(error: unknown, info: FetchInfo, request: Request): unknown;
}

/** A fetch handler, and where its errors go. */
export interface FetchMount {
  readonly fetch: FetchHandler;
  readonly errors: FetchErrors;
}

/** Is this what the handler promised? Instances of other realms and light look-alikes count. */
function isResponse(value: unknown): value is Response {
  return typeof value === "object" && value !== null && "status" in value && "headers" in value;
}

function send(sink: AnswerSink, answer: unknown): Promise<void> | undefined {
  if (!isResponse(answer)) throw new TypeError("The fetch handler returned no Response");
  return sendFetchResponse(sink, answer);
}

async function failed(
  { errors }: FetchMount,
  error: unknown,
  request: Request,
  info: FetchInfo,
  sink: AnswerSink,
): Promise<void> {
  let answer: unknown;
  try {
    answer = await errors.answer(error, info, request);
  } catch (own) {
    // onError itself failed: the client still gets its 500.
    errors.report(own);
  }
  const { current } = sink;
  if (isResponse(answer) && !current.isBegun) await sendFetchResponse(current, answer);
  else current.fail();
}

/** A function of its own: the closures are made only where something is waited for. */
function settled(
  mount: FetchMount,
  sent: Promise<unknown>,
  request: Request,
  info: FetchInfo,
  sink: AnswerSink,
): Promise<void> {
  return sent.then(
    () => undefined,
    (error: unknown) => failed(mount, error, request, info, sink),
  );
}

/** Would no Request have this method? */
export function isForbidden(method: string): boolean {
  return method !== "GET" && FORBIDDEN.has(method.toUpperCase());
}

/**
 * Runs a fetch handler and sends what it returns, or what `onError` returns in its place.
 *
 * @param sink where the answer goes, unless node's objects have taken its place by then
 * @returns undefined where all of it is sent already; rejects only where answering for a failure fails as well
 */
export function answerBy(
  mount: FetchMount,
  request: Request,
  info: FetchInfo,
  sink: AnswerSink,
): Promise<void> | undefined {
  try {
    const answer: unknown = mount.fetch(request, info);
    const sent =
      typeof (answer as Partial<PromiseLike<unknown>> | null)?.then === "function"
        ? sendLater(sink, answer as Promise<unknown>)
        : send(sink.current, answer);
    return sent === undefined ? undefined : settled(mount, sent, request, info, sink);
  } catch (error) {
    return failed(mount, error, request, info, sink);
  }
}

function sendLater(sink: AnswerSink, answer: Promise<unknown>): Promise<void> {
  return answer.then((response) => send(sink.current, response));
}

/**
 * Makes a Node-style handler of a fetch handler.
 *
 * @returns a handler that catches what the fetch handler throws, and rejects only where answering for it fails as well
 */
export function nodeHandlerOf(
  fetch: FetchHandler,
  errors: FetchErrors,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> | undefined {
  joinNative();
  const report = (error: unknown): void => errors.report(error);
  const mount = { fetch, errors };
  return (incoming, res) => {
    const req = incoming as GatewayRequest;
    if (isForbidden(req.method ?? "")) {
      res.statusCode = 501;
      res.end();
      return undefined;
    }
    const info = new RequestInfo(req, res, report);
    return answerBy(mount, createFetchRequest(req), info, new NodeSink(res));
  };
}
