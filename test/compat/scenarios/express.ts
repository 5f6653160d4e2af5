/**
 * Scenarios on what Express adds to req and res: files, cookies, negotiation, errors given to `next`.
 * The application is apps/express.mjs, the same for Express 4 and 5.
 */
import { field } from "../clients.ts";
import type { Scenario } from "../grid.ts";
import { get, one, several } from "./one.ts";

/** The list. */
export const EXPRESS: readonly Scenario[] = [
  one("a mounted application", 200, get("/application/inner")),
  one("what follows a mounted application", 200, get("/application/other")),
  one("res.cookie, append and links", 200, get("/cookie-jar")),
  several(
    "res.format",
    [200, 200, 406],
    get("/negotiated", { accept: "application/json", "accept-language": "de" }),
    get("/negotiated", { accept: "text/html" }),
    get("/negotiated", { accept: "image/png" }),
  ),
  one("a permanent redirect to elsewhere", 308, get("/moved")),
  several("an ETag of res.send", [200, 304], get("/text"), (seen) =>
    get("/text", { "if-none-match": field(seen[0], "etag") }),
  ),
  one("HEAD of res.send", 200, { method: "HEAD", url: "/text" }),
  one("res.download with a name beyond ASCII", 200, get("/download")),
  several(
    "res.sendFile",
    [200, 206, 304, 404],
    get("/file/hello.txt"),
    get("/file/big.bin", { range: "bytes=0-99" }),
    (seen) => get("/file/hello.txt", { "if-none-match": field(seen[0], "etag") }),
    get("/file/missing.txt"),
  ),
  several(
    "res.sendStatus",
    [202, 404, 500],
    get("/status/202"),
    get("/status/404"),
    get("/status/500"),
  ),
  one("an error with status and headers given to next", 418, get("/next-error")),
  one("an error that a handler answers", 422, get("/handled")),
  one("OPTIONS of a route", 200, { method: "OPTIONS", url: "/hello" }),
];
