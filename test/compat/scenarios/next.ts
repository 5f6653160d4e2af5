/**
 * Scenarios on Next.js: pages rendered on the server, pages that were built, API routes, route handlers, public files.
 * The application is next-app/.
 */
import { field } from "../clients.ts";
import type { Scenario } from "../grid.ts";
import { get, multipart, one, send, several } from "./one.ts";

/** The list. */
export const NEXT: readonly Scenario[] = [
  one("a page that was built", 200, get("/")),
  one("HEAD of a page that was built", 200, { method: "HEAD", url: "/" }),
  several("an ETag of a page", [200, 304], get("/"), (seen) =>
    get("/", { "if-none-match": field(seen[0], "etag") }),
  ),
  one("a page rendered on the server", 200, get("/rendered?x=1&x=2", { cookie: "a=1" })),
  one("a page with a parameter", 200, get("/users/%C3%A9%20b")),
  one("a rewritten path", 200, get("/rewritten/7")),
  one("a redirect of the configuration", 307, get("/redirect")),
  one("a redirect of a page", 307, get("/users/elsewhere")),
  one("a page that is not there", 404, get("/users/nobody")),
  one("an unknown path", 404, get("/nowhere")),
  one("data of a page", 200, get("/api/hello")),
  one("a JSON body", 200, send("POST", "/api/body", "application/json", '{"a":[1,"\u00e9"]}')),
  one("a broken JSON body", 400, send("POST", "/api/body", "application/json", '{"a":')),
  one("a form", 200, send("POST", "/api/body", "application/x-www-form-urlencoded", "a=1&b=2")),
  one("a body over the limit", 413, send("POST", "/api/body", "text/plain", "x".repeat(30_000))),
  one("an error of an API route", 500, get("/api/fails")),
  one("gzip of an answer", 200, get("/api/long", { "accept-encoding": "gzip" })),
  one("a route handler of the app folder", 200, get("/web?x=1", { "x-key": "k", cookie: "a=1" })),
  one("a form with files in a route handler", 200, multipart("/web", 10, 100_000)),
  one("a stream of a route handler", 200, get("/web/stream")),
  one("a public file", 200, get("/hello.txt")),
  one("a range of a public file", 206, get("/hello.txt", { range: "bytes=2-5" })),
  several("a public file that has not changed", [200, 304], get("/hello.txt"), (seen) =>
    get("/hello.txt", { "if-none-match": field(seen[0], "etag") }),
  ),
];
