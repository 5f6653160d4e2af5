/**
 * Requests as the benches need them → the bytes that front servers send for them, in all three protocols.
 * It measures and decodes nothing. Shapes follow nginx for FastCGI and SCGI and Apache for AJP.
 */
/** The protocols that have a decoder. */
export type DecodedProtocol = "fastcgi" | "scgi" | "ajp";

/** One request, in the words of CGI. Content-Length is added where there is a body. */
export interface BenchRequest {
  readonly method: "GET" | "POST";
  readonly target: string;
  /** Request headers in their usual spelling. */
  readonly headers: readonly (readonly [string, string])[];
  readonly bodyBytes: number;
}

/** What one read brings, and whether we have to ask for it first (AJP). */
export interface BenchRead {
  readonly bytes: Buffer;
  readonly asked: boolean;
}

const CHROME: readonly (readonly [string, string])[] = [
  ["Host", "www.example.org"],
  ["Connection", "keep-alive"],
  ["Cache-Control", "max-age=0"],
  ["Sec-Ch-Ua", '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"'],
  ["Sec-Ch-Ua-Mobile", "?0"],
  ["Sec-Ch-Ua-Platform", '"Linux"'],
  ["Upgrade-Insecure-Requests", "1"],
  [
    "User-Agent",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  ],
  [
    "Accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  ],
  ["Sec-Fetch-Site", "same-origin"],
  ["Sec-Fetch-Mode", "navigate"],
  ["Sec-Fetch-User", "?1"],
  ["Sec-Fetch-Dest", "document"],
  ["Referer", "https://www.example.org/articles/2026/05/index.html"],
  ["Accept-Encoding", "gzip, deflate, br, zstd"],
  ["Accept-Language", "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7"],
  ["Cookie", "session=3f9a7c51d2e84b06a1c5e9f7; theme=dark; _ga=GA1.2.1234567890.1700000000"],
];

/** The four requests of every bench, by name. */
export const REQUESTS: Readonly<Record<string, BenchRequest>> = {
  "small GET": {
    method: "GET",
    target: "/",
    headers: [["Host", "localhost"]],
    bodyBytes: 0,
  },
  "browser GET": {
    method: "GET",
    target: "/articles/2026/05/a-title-of-some-length.html?page=2&order=newest",
    headers: CHROME,
    bodyBytes: 0,
  },
  "100 unknown headers": {
    method: "GET",
    target: "/",
    headers: [
      ["Host", "localhost"],
      ...Array.from({ length: 100 }, (_, i) => [`X-Custom-${i}`, `value of header ${i}`] as const),
    ],
    bodyBytes: 0,
  },
  "64 KiB upload": {
    method: "POST",
    target: "/upload",
    headers: [
      ["Host", "localhost"],
      ["Content-Type", "application/octet-stream"],
    ],
    bodyBytes: 65_536,
  },
};

/** The variables that nginx sends with its usual parameter file. */
function cgiPairs(request: BenchRequest): [string, string][] {
  const [path, query = ""] = request.target.split("?") as [string, string?];
  return [
    ["CONTENT_LENGTH", String(request.bodyBytes)],
    ["QUERY_STRING", query],
    ["REQUEST_METHOD", request.method],
    ["CONTENT_TYPE", ""],
    ["SCRIPT_NAME", path],
    ["REQUEST_URI", request.target],
    ["DOCUMENT_URI", path],
    ["DOCUMENT_ROOT", "/usr/share/nginx/html"],
    ["SERVER_PROTOCOL", "HTTP/1.1"],
    ["REQUEST_SCHEME", "https"],
    ["GATEWAY_INTERFACE", "CGI/1.1"],
    ["SERVER_SOFTWARE", "nginx/1.28.0"],
    ["REMOTE_ADDR", "192.0.2.17"],
    ["REMOTE_PORT", "51234"],
    ["SERVER_ADDR", "192.0.2.1"],
    ["SERVER_PORT", "443"],
    ["SERVER_NAME", "www.example.org"],
    ...request.headers.map(([name, value]): [string, string] => [
      `HTTP_${name.toUpperCase().replaceAll("-", "_")}`,
      value,
    ]),
  ];
}

function record(type: number, content: Buffer): Buffer {
  const padding = -content.length & 7;
  const header = Buffer.from([
    1,
    type,
    0,
    1,
    content.length >> 8,
    content.length & 255,
    padding,
    0,
  ]);
  return Buffer.concat([header, content, Buffer.alloc(padding)]);
}

function length(n: number): Buffer {
  if (n < 128) return Buffer.from([n]);
  const four = Buffer.alloc(4);
  four.writeUInt32BE((n | 0x8000_0000) >>> 0);
  return four;
}

function fastcgi(request: BenchRequest): BenchRead[] {
  const pairs = cgiPairs(request).flatMap(([name, value]) => [
    length(name.length),
    length(value.length),
    Buffer.from(name + value, "latin1"),
  ]);
  const records = [
    record(1, Buffer.from([0, 1, 1, 0, 0, 0, 0, 0])),
    record(4, Buffer.concat(pairs)),
    record(4, Buffer.alloc(0)),
  ];
  for (let left = request.bodyBytes; left > 0; left -= 16_384) {
    records.push(record(5, Buffer.alloc(Math.min(left, 16_384), "a")));
  }
  records.push(record(5, Buffer.alloc(0)));
  return [{ bytes: Buffer.concat(records), asked: false }];
}

function scgi(request: BenchRequest): BenchRead[] {
  const pairs = cgiPairs(request);
  pairs.splice(1, 0, ["SCGI", "1"]);
  const headers = pairs.map(([name, value]) => `${name}\0${value}\0`).join("");
  const head = Buffer.from(`${headers.length}:${headers},`, "latin1");
  return [{ bytes: Buffer.concat([head, Buffer.alloc(request.bodyBytes, "a")]), asked: false }];
}

const u16 = (n: number): Buffer => Buffer.from([n >> 8, n & 255]);
const ajpString = (text: string): Buffer =>
  Buffer.concat([u16(text.length), Buffer.from(`${text}\0`, "latin1")]);
const packet = (payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0x12, 0x34]), u16(payload.length), payload]);

/** Codes of request headers (AJP, Forward Request), in their order from a001. */
const CODED =
  "Accept Accept-Charset Accept-Encoding Accept-Language Authorization Connection Content-Type Content-Length " +
  "Cookie Cookie2 Host Pragma Referer User-Agent";

function ajpHeader([name, value]: readonly [string, string]): Buffer {
  const code = CODED.split(" ").indexOf(name) + 1;
  return Buffer.concat([code > 0 ? u16(0xa000 | code) : ajpString(name), ajpString(value)]);
}

function ajp(request: BenchRequest): BenchRead[] {
  const [path, query] = request.target.split("?") as [string, string?];
  const headers = [...request.headers];
  if (request.bodyBytes > 0) headers.push(["Content-Length", String(request.bodyBytes)]);
  const forward = Buffer.concat([
    Buffer.from([2, request.method === "GET" ? 2 : 4]),
    ajpString("HTTP/1.1"),
    ajpString(path),
    ajpString("192.0.2.17"),
    Buffer.from([0xff, 0xff]),
    ajpString("www.example.org"),
    u16(443),
    Buffer.from([1]),
    u16(headers.length),
    ...headers.map(ajpHeader),
    ...(query === undefined ? [] : [Buffer.from([5]), ajpString(query)]),
    Buffer.from([0x0a]),
    ajpString("AJP_REMOTE_PORT"),
    ajpString("51234"),
    Buffer.from([0xff]),
  ]);
  const reads: BenchRead[] = [{ bytes: packet(forward), asked: false }];
  for (let left = request.bodyBytes; left > 0; left -= 8_186) {
    const n = Math.min(left, 8_186);
    const bytes = packet(Buffer.concat([u16(n), Buffer.alloc(n, "a")]));
    reads.push({ bytes, asked: left !== request.bodyBytes });
  }
  return reads;
}

const ENCODE = { fastcgi, scgi, ajp };

/** The reads that one request makes. */
export function readsOf(protocol: DecodedProtocol, request: BenchRequest): BenchRead[] {
  return ENCODE[protocol](request);
}
