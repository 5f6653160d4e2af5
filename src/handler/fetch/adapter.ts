/**
 * A Web-style handler → a Node-style one, and what becomes of its failures: `onError` may answer them with a Response.
 * What fails while an answer is sent is treated alike, as far as nothing of it has left.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { failResponse, type GatewayRequest } from "../node/request.ts";
import { type FetchHandler, RequestInfo } from "./info.ts";
import { createFetchRequest, joinNative } from "./native.ts";
import { sendFetchResponse } from "./response.ts";

/** Methods that no Request can have. */
const FORBIDDEN = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Where a fetch handler's errors go. */
export interface FetchErrors {
  /** An error beside the answer: rejections of `waitUntil`. */
  report(error: unknown): void;
  /** An error that took the answer's place; returns what `onError` made of it. */
  answer(error: unknown, req: IncomingMessage, request: Request): unknown;
}

/** Is this what the handler promised? Instances of other realms and light look-alikes count. */
function isResponse(value: unknown): value is Response {
  return typeof value === "object" && value !== null && "status" in value && "headers" in value;
}

function send(res: ServerResponse, answer: unknown): Promise<void> | undefined {
  if (!isResponse(answer)) throw new TypeError("The fetch handler returned no Response");
  return sendFetchResponse(res, answer);
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
  const failed = async (
    error: unknown,
    request: Request,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> => {
    let answer: unknown;
    try {
      answer = await errors.answer(error, req, request);
    } catch (own) {
      // onError itself failed: the client still gets its 500.
      errors.report(own);
    }
    if (isResponse(answer) && !res.headersSent) await sendFetchResponse(res, answer);
    else failResponse(res);
  };
  return (incoming, res) => {
    const req = incoming as GatewayRequest;
    if (FORBIDDEN.has((req.method ?? "").toUpperCase())) {
      res.statusCode = 501;
      res.end();
      return undefined;
    }
    const request = createFetchRequest(req);
    try {
      const answer: unknown = fetch(request, new RequestInfo(req, res, report));
      const sent =
        typeof (answer as Partial<PromiseLike<unknown>> | null)?.then === "function"
          ? (answer as Promise<unknown>).then((response) => send(res, response))
          : send(res, answer);
      return sent?.then(undefined, (error: unknown) => failed(error, request, req, res));
    } catch (error) {
      return failed(error, request, req, res);
    }
  };
}
