/**
 * Scenarios on what frameworks are for: routes, bodies, cookies, sessions, errors, streams.
 * Each application answers them in its own words (apps/*.mjs), so that expected statuses are arguments.
 */
import type { field } from "../clients.ts";
import type { Scenario } from "../grid.ts";
import { get, multipart, one, pieces, send, several } from "./one.ts";

const JSON_BODY = JSON.stringify({ a: [1, 2, { b: "\u00e9" }], c: null });
const cookiesOf = (from: Parameters<typeof field>[0]): string =>
  (from?.fields ?? [])
    .filter(([name]) => name === "set-cookie")
    .map(([, value]) => value.split(";")[0])
    .join("; ");

/** Plain routes; what an unknown path and an unknown method get. */
export function routing(wrongMethod = 404): readonly Scenario[] {
  return [
    one("a route", 200, get("/hello")),
    one("a route with parameters and a query", 200, get("/users/42?x=1&x=2&y=%C3%A9")),
    one("a route with an encoded parameter", 200, get("/users/%C3%A9%20b")),
    one("a mounted router", 200, get("/mounted/inner?q=1")),
    one("an unknown path", 404, get("/nowhere?x")),
    one("an unknown method of a known path", wrongMethod, { method: "POST", url: "/hello" }),
    one("HEAD of a route", 200, { method: "HEAD", url: "/hello" }),
    one("a redirect", 302, get("/redirect")),
    several(
      "PUT, PATCH and DELETE",
      [200, 200, 200],
      send("PUT", "/items/1", "application/json", JSON_BODY),
      send("PATCH", "/items/2", "application/json", "[1]"),
      { method: "DELETE", url: "/items/3" },
    ),
    one(
      "what the framework knows of the client",
      200,
      get("/seen?a=1", {
        "x-key": "k",
        "x-forwarded-for": "1.2.3.4",
        "x-forwarded-proto": "https",
      }),
    ),
    one("a buffer as answer", 200, get("/buffer")),
    several("204 and 304", [204, 304], get("/status/204"), get("/status/304")),
    one("a streamed answer", 200, get("/streamed")),
  ];
}

/** Bodies of every type; `broken` and `large` are the statuses of refusals. */
export function bodies(broken: number, large: number): readonly Scenario[] {
  return [
    one("a JSON body", 200, send("POST", "/json", "application/json", JSON_BODY)),
    one(
      "a JSON body of unknown length",
      200,
      send("POST", "/json", "application/json", async function* () {
        yield Buffer.from('{"a":');
        yield Buffer.from("1}");
      }),
    ),
    one("a broken JSON body", broken, send("POST", "/json", "application/json", '{"a":')),
    one(
      "a JSON body over the limit",
      large,
      send("POST", "/json", "application/json", JSON.stringify("x".repeat(30_000))),
    ),
    one(
      "a form",
      200,
      send("POST", "/form", "application/x-www-form-urlencoded", "a=1&b=%C3%A9+x&a=2"),
    ),
    one("a text body", 200, send("POST", "/text", "text/plain", "t\u00e9xt")),
    one("a multipart form with files", 200, multipart("/upload", 10, 300_000)),
    one("a multipart form without files", 200, multipart("/upload")),
  ];
}

/** Errors: thrown (`thrown`), rejected, and after the head has left. */
export function failures(thrown: number): readonly Scenario[] {
  return [
    one("a thrown error", thrown, get("/throw")),
    one("a rejected promise", 500, get("/reject")),
    one("HEAD of an error", thrown, { method: "HEAD", url: "/throw" }),
  ];
}

/** An error after the head. */
export const LATE_FAILURE: Scenario = one("an error in mid-answer", 200, get("/throw-late"));

/** Cookies and sessions. */
export const COOKIES: readonly Scenario[] = [
  one("cookies, read and set", 200, get("/cookies", { cookie: "a=1; b=%20x; c=s%3A1" })),
];

/** A session that lives in a path, over three visits. */
export function session(path: string): Scenario {
  return several(
    `a session at ${path} over three visits`,
    [200, 200, 200],
    get(path),
    (seen) => get(path, { cookie: cookiesOf(seen[0]) }),
    (seen) => get(path, { cookie: cookiesOf(seen[1]) || cookiesOf(seen[0]) }),
  );
}

/** Compression of a text known as a whole. */
export function compression(path: string): readonly Scenario[] {
  return [
    one("gzip of a text", 200, get(path, { "accept-encoding": "gzip" })),
    one("no gzip for a client without", 200, get(path)),
    one("HEAD of what would be compressed", 200, {
      method: "HEAD",
      url: path,
      headers: { "accept-encoding": "gzip" },
    }),
  ];
}

/** Helmet and CORS; `preflight` is the status of the preflight request. */
export function guarded(preflight: number): readonly Scenario[] {
  const origin = { origin: "http://other.test" };
  const method = {
    ...origin,
    "access-control-request-method": "PUT",
    "access-control-request-headers": "x-a",
  };
  return [
    one("headers of helmet and CORS", 200, get("/guarded", origin)),
    one("a CORS preflight", preflight, { method: "OPTIONS", url: "/guarded", headers: method }),
  ];
}

/** What Web handlers do beside. */
export const WEB: readonly Scenario[] = [
  one("server-sent events of the framework", 200, get("/sse")),
  one("a stream of 3 MB", 200, get("/blocks")),
  one("a stream of 3 MB for a slow client", 200, { url: "/blocks", slowly: true }),
  one("a Blob", 200, get("/blob")),
  one("a body sent back as it comes", 200, send("POST", "/echo", "x/y", pieces(16, 20_000))),
];

/** What the list of Connect's middleware does: apps/connect-middleware.mjs. */
export const CONNECT_STYLE: readonly Scenario[] = [
  ...bodies(400, 413),
  ...COOKIES,
  session("/session"),
  session("/server-session"),
  ...compression("/compress"),
  {
    ...one(
      "a compressed stream with flushes",
      200,
      get("/compress-stream", { "accept-encoding": "gzip" }),
    ),
    unzips: true,
  },
  ...guarded(204),
  one("busboy, piped by hand", 200, multipart("/busboy", 10, 200_000)),
  one(
    "busboy of a form that is cut",
    400,
    send("POST", "/busboy", "multipart/form-data; boundary=x", "--x\r\nContent-Disp"),
  ),
  several("morgan's lines", [200, 200], get("/logged?a"), { method: "HEAD", url: "/logged" }),
  one(
    "passport lets in",
    200,
    send("POST", "/login", "application/x-www-form-urlencoded", "username=jack&password=secret"),
  ),
  one(
    "passport keeps out",
    401,
    send("POST", "/login", "application/x-www-form-urlencoded", "username=jack&password=no"),
  ),
  one("http-proxy in front of an upstream", 203, get("/proxy/x?y", { "x-key": "k" })),
  one("http-proxy with a body", 203, send("POST", "/proxy/x", "text/plain", "p".repeat(70_000))),
  one("http-proxy without an upstream", 502, get("/proxy-down/")),
  one("send of a file", 200, get("/send-file")),
];
