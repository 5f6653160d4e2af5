/**
 * Scenarios on node's own `req` and `res`, for every framework that lets an application at them: apps/raw-*.mjs.
 * What has to come of them is asked of node:http in the same run.
 */
import type { Scenario } from "../grid.ts";
import { get, one, pieces, send, several, stuck } from "./one.ts";

const forms = ["object", "flat", "reason", "cookie", "length"].map((form) =>
  one(
    `writeHead in the form of ${form}`,
    form === "object" || form === "flat" ? 201 : 200,
    get(`/raw/forms?form=${form}`),
  ),
);

const statuses = [
  200, 201, 202, 204, 205, 206, 299, 304, 400, 404, 418, 451, 500, 503, 599,
].flatMap((code) => [
  one(`status ${code} without a body`, code, get(`/raw/status/${code}`)),
  one(`status ${code} with a body`, code, get(`/raw/status/${code}/body`)),
]);

/** Response heads. */
const HEADS: readonly Scenario[] = [
  ...forms,
  one("writeHead of an unknown status", 299, get("/raw/forms?form=bare")),
  ...statuses,
  one("names and values of headers as res tells them", 200, get("/raw/names")),
  one("codes of refused headers, statuses and chunks", 200, get("/raw/refusals")),
  one("codes of what comes after the head", 200, get("/raw/late")),
  one("patched write, end and writeHead; on-headers", 200, get("/raw/patched")),
  one("a head made by _implicitHeader, bytes held back", 200, get("/raw/held")),
  one("prototypes swapped under req and res", 200, get("/raw/swapped")),
  one("fields of the connection, and a date, set by the application", 200, get("/raw/connection")),
  one("no length and no date by the application's wish", 200, get("/raw/bare")),
  one("1xx answers before the final one", 200, get("/raw/informational")),
  one("trailers", 200, get("/raw/trailers")),
  ...["/raw/parts", "/raw/status/200/body", "/raw/stream", "/raw/forms?form=length"].map((url) =>
    one(`HEAD of ${url.slice(4)}`, 200, { method: "HEAD", url }),
  ),
  one("HEAD of a status without a body", 304, { method: "HEAD", url: "/raw/status/304/body" }),
];

const many = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [`x-header-${i}`, `value ${i}`]),
);

/** Requests as the application sees them. */
const FACTS: readonly Scenario[] = [
  one("facts of req, res and socket", 200, get("/raw/facts")),
  one(
    "facts with 40 headers, cookies and a query",
    200,
    get("/raw/facts?a=%20b&c=%C3%A9&&x=y;z", { ...many, cookie: "a=1; b=2" }),
  ),
  one(
    "facts of names like members of objects",
    200,
    get("/raw/facts", { constructor: "1", hasownproperty: "2", "x-latin1": "caf\u00e9" }),
  ),
  one("facts of a path with odd characters", 200, get("/raw/facts/a//b/../c;d=e/%2F%00")),
  one(
    "facts of a request with a body",
    200,
    send("POST", "/raw/facts", "text/plain; charset=utf-8", "body"),
  ),
  one("facts of a PUT without bytes", 200, send("PUT", "/raw/facts", "text/plain", "")),
  one("facts of a DELETE", 200, { method: "DELETE", url: "/raw/facts" }),
  one("facts of OPTIONS", 200, { method: "OPTIONS", url: "/raw/facts" }),
  one("facts of an uncommon method", 200, send("PROPFIND", "/raw/facts", "text/xml", "<a/>")),
];

/** Bodies, both ways. */
const BODIES: readonly Scenario[] = [
  one("a small body, read", 200, send("POST", "/raw/digest", "text/plain", "hello")),
  one("a body of no bytes, read", 200, send("POST", "/raw/digest", "text/plain", "")),
  one("no body, read", 200, get("/raw/digest")),
  one(
    "a body of 3 MB",
    200,
    send("POST", "/raw/digest", "text/plain", Buffer.alloc(3_000_000, "a")),
  ),
  one(
    "a body of unknown length",
    200,
    send("POST", "/raw/digest", "text/plain", pieces(20, 7_001)),
  ),
  one(
    "a body with every byte",
    200,
    send("PUT", "/raw/digest", "x/y", Buffer.from(Array.from({ length: 256 }, (_, i) => i))),
  ),
  one(
    "upload back-pressure: 1 MB for a slow reader",
    200,
    send("POST", "/raw/digest?slowly", "x/y", Buffer.alloc(1_000_000, "b")),
  ),
  one("a body that nobody reads", 200, send("POST", "/raw/unread", "text/plain", "not read")),
  several(
    "a large body that nobody reads, and a next request",
    [200, 200],
    send("POST", "/raw/unread", "text/plain", Buffer.alloc(100_000, "c")),
    get("/raw/unread"),
  ),
  one("an answer in parts of many encodings", 200, get("/raw/parts")),
  one("corked writes", 200, get("/raw/corked")),
  one("a streamed answer, callbacks in order", 200, get("/raw/stream"), "ended"),
  one("server-sent events", 200, get("/raw/events")),
  one("a piped download of 4 MB", 200, get("/raw/large"), "piped"),
  one("a download for a slow client", 200, { url: "/raw/large", slowly: true }, "piped"),
  one("drain as often as write asks for it", 200, { url: "/raw/drained", slowly: true }, "waited"),
];

/** Ends, events and clients that leave. */
const ENDS: readonly Scenario[] = [
  one(
    "a client that leaves a stream of events",
    200,
    { url: "/raw/endless", leavesAtBody: true },
    "over",
  ),
  one("write and end after the end", 200, get("/raw/after-end"), "end"),
  one(
    "on-finished of req and res",
    200,
    send("POST", "/raw/finished", "text/plain", "body"),
    "response finished",
  ),
  one("states at each event of a GET", 200, get("/raw/states"), "req close"),
  one(
    "states at each event of a POST",
    200,
    send("POST", "/raw/states", "text/plain", "body"),
    "req close",
  ),
  one("fewer bytes than the Content-Length says", 200, get("/raw/short")),
  ...["response", "request", "socket"].map((by) =>
    one(`a ${by} destroyed in mid-answer`, 200, get(`/raw/broken?by=${by}`)),
  ),
  one(
    "setTimeout of a request whose body does not come",
    503,
    send("POST", "/raw/timeouts?by=request", "x/y", stuck(10), { "content-length": "900" }),
    "request",
  ),
  ...["response", "socket"].map((by) =>
    one(`setTimeout of a ${by}`, 503, get(`/raw/timeouts?by=${by}`), by),
  ),
  one(
    "a client that leaves while the handler waits",
    0,
    { url: "/raw/waiting", leavesAt: "waiting" },
    "finished",
  ),
  one(
    "a client that leaves after its body was read",
    0,
    { ...send("POST", "/raw/waiting", "x/y", "body"), leavesAt: "waiting" },
    "finished",
  ),
  one(
    "a client that leaves in the middle of its body",
    0,
    {
      ...send("POST", "/raw/waiting/read", "x/y", stuck(1_000), { "content-length": "9000" }),
      leavesAt: "waiting",
      resets: true,
    },
    "finished",
  ),
  one(
    "a client that leaves in the middle of the answer",
    200,
    { url: "/raw/waiting/begin", leavesAtBody: true },
    "finished",
  ),
];

/** All of them. */
export const RAW: readonly Scenario[] = [...HEADS, ...FACTS, ...BODIES, ...ENDS];
