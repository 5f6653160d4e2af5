/**
 * A node request → a Web `Request`: method, absolute URL, headers, a streaming body, an abort signal.
 * It reads no byte of the body before the handler does. Fetch standard, Request class.
 */
import { Readable } from "node:stream";
import type { GatewayRequest } from "../node/request.ts";

const BODILESS = new Set(["GET", "HEAD"]);

function headersOf(req: GatewayRequest): Headers {
  const headers = new Headers();
  const { rawHeaders } = req;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    const value = rawHeaders[i + 1]!;
    // Headers would join cookies by a comma, which no cookie parser takes apart.
    if (name.toLowerCase() === "cookie" && headers.has("cookie")) {
      headers.set("cookie", `${headers.get("cookie")}; ${value}`);
    } else headers.append(name, value);
  }
  return headers;
}

function urlOf(req: GatewayRequest): string {
  const scheme = req.gateway.tls === undefined ? "http" : "https";
  const path = req.url === "*" ? "/*" : (req.url ?? "/");
  const base = `${scheme}://${req.headers.host ?? "localhost"}`;
  // A host that is no host (a name server's test, a scanner) must not keep the request from its handler.
  return URL.canParse(base) ? base + path : `${scheme}://localhost${path}`;
}

/**
 * Makes the Request.
 *
 * @throws TypeError for methods that the standard forbids (CONNECT, TRACE, TRACK)
 */
export function createFetchRequest(req: GatewayRequest): Request {
  const method = req.method ?? "GET";
  const bodiless = BODILESS.has(method);
  const init: RequestInit & { duplex: "half" } = {
    method,
    headers: headersOf(req),
    signal: req.gateway.signal,
    duplex: "half",
  };
  if (!bodiless) init.body = Readable.toWeb(req) as ReadableStream<Uint8Array>;
  return new Request(urlOf(req), init);
}
