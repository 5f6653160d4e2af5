/**
 * Scenarios on static files: whole, ranges, conditions, folders, what is not there.
 * The folder is the grid's; its files have one date, so that validators are the same everywhere.
 */
import { field } from "../clients.ts";
import type { Scenario } from "../grid.ts";
import { get, one, several } from "./one.ts";

const DATE = "Mon, 02 Jan 2023 03:04:05 GMT";

/** Whole files. */
export const FILES: readonly Scenario[] = [
  one("a file", 200, get("/static/hello.txt")),
  one("a file of 1 MiB", 200, get("/static/big.bin")),
  one("a file of 1 MiB for a slow client", 200, { url: "/static/big.bin", slowly: true }),
  one("an empty file", 200, get("/static/empty.txt")),
  one("a file with an encoded name", 200, get("/static/h%C3%A9llo.txt")),
  one("HEAD of a file", 200, { method: "HEAD", url: "/static/hello.txt" }),
  one("a file that is not there", 404, get("/static/missing.txt")),
];

/** Ranges. */
export const RANGES: readonly Scenario[] = [
  one("a range", 206, get("/static/hello.txt", { range: "bytes=2-5" })),
  one("a range to the end", 206, get("/static/big.bin", { range: "bytes=1000000-" })),
];

/** Ranges as `send` and its relatives have them. */
export const MORE_RANGES: readonly Scenario[] = [
  one("the last bytes", 206, get("/static/big.bin", { range: "bytes=-500" })),
  one("a range past the end", 416, get("/static/hello.txt", { range: "bytes=500-" })),
  one("HEAD of a range", 206, {
    method: "HEAD",
    url: "/static/hello.txt",
    headers: { range: "bytes=0-3" },
  }),
  several(
    "If-Range",
    [206, 200],
    get("/static/hello.txt", { range: "bytes=0-3", "if-range": DATE }),
    get("/static/hello.txt", { range: "bytes=0-3", "if-range": '"other"' }),
  ),
];

/** Conditional requests. */
export const CONDITIONS: readonly Scenario[] = [
  several(
    "If-None-Match",
    [200, 304, 200],
    get("/static/hello.txt"),
    (seen) => get("/static/hello.txt", { "if-none-match": field(seen[0], "etag") }),
    get("/static/hello.txt", { "if-none-match": '"other"' }),
  ),
  one("If-Modified-Since", 304, get("/static/hello.txt", { "if-modified-since": DATE })),
  one("If-Match that fails", 412, get("/static/hello.txt", { "if-match": '"other"' })),
];

/** Folders; `bare` is the status of a folder without its slash, `outside` of a path that leads out. */
export function folders(bare: number, outside: number, hidden = 404): readonly Scenario[] {
  return [
    one("the index of a folder", 200, get("/static/deep/")),
    one("a folder without its slash", bare, get("/static/deep")),
    one("a path that leads out", outside, get("/static/%2e%2e/%2e%2e/etc/passwd")),
    one("a hidden file", hidden, get("/static/.hidden")),
  ];
}
