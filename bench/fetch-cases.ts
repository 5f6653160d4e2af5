/**
 * Requests and answers for fetch.bench.ts: node requests without a wire, the Request that native classes make of one,
 * and what a handler reads of it. Holds no clock.
 */
import { IncomingMessage, Server, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Readable } from "node:stream";
import type { Carrier } from "../src/handler/carrier.ts";
import type { FetchMount } from "../src/handler/fetch/adapter.ts";
import { DirectFetch } from "../src/handler/fetch/direct.ts";
import { createFetchRequest, joinNative } from "../src/handler/fetch/native.ts";
import { prototypesOf } from "../src/handler/node/prototypes.ts";
import { type GatewayRequest, NodeRequest } from "../src/handler/node/request.ts";
import type { BodyPiece, RequestHead } from "../src/http/head.ts";

const RAW = [
  ["Host", "example.test"],
  [
    "User-Agent",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140",
  ],
  ["Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
  ["Accept-Language", "en-GB,en;q=0.9"],
  ["Accept-Encoding", "gzip, deflate, br, zstd"],
  ["Cookie", "session=0123456789abcdef; theme=dark"],
  ["Sec-Fetch-Site", "same-origin"],
  ["X-Forwarded-Proto", "https"],
].flat();
const BODY = Buffer.alloc(1_024, "a");

function headOf(method: string): RequestHead {
  const empty: Record<string, string> = Object.create(null);
  return {
    method,
    url: "/users/42?tab=orders",
    httpVersion: "1.1",
    rawHeaders: RAW,
    find: () => "",
    upgradeFields: [],
    scriptName: "",
    pathInfo: "/users/42",
    params: empty,
    attributes: empty,
    remoteUser: "",
    authType: "",
    tls: undefined,
    remoteAddress: "192.0.2.1",
    remotePort: 50_000,
    localAddress: "192.0.2.2",
    localPort: 443,
  };
}

/** A carrier that takes everything at once; `sentBytes` shows that something was sent. */
class Sink implements Carrier {
  readonly protocol = "fastcgi";
  readonly role = "responder";
  readonly peerAddress = "";
  readonly peerPort = 0;
  readonly queuedBytes = 0;
  readonly head: RequestHead;
  sentBytes = 0;
  ended = false;

  constructor(method: string) {
    this.head = headOf(method);
  }

  send(
    _head: unknown,
    chunks: readonly BodyPiece[],
    end: boolean,
    written: ((error?: Error | null) => void) | undefined,
  ): boolean {
    for (const chunk of chunks) this.sentBytes += chunk.length;
    this.ended = end;
    if (written !== undefined) process.nextTick(written);
    return true;
  }
  stderr(): number {
    return 0;
  }
  want(): void {}
  giveUp(): void {}
  endUpgraded(): boolean {
    return false;
  }
  destroyUpgraded(): void {}
  report(error: Error): void {
    throw error;
  }
}

const server = new Server();
const prototypes = prototypesOf(server);

/** A request and its response as a handler gets them. */
export function exchange(method: string): { req: GatewayRequest; res: ServerResponse; sink: Sink } {
  const sink = new Sink(method);
  const { req, res } = new NodeRequest(sink, server, prototypes);
  return { req, res, sink };
}

/** Takes requests as a server does where nobody else is there to see node's objects. */
export function directExchange(mount: FetchMount): (method: string) => Sink {
  const direct = new DirectFetch(mount, server);
  return (method) => {
    const sink = new Sink(method);
    const side = direct.side(sink);
    side.start();
    side.bodyEnd();
    return sink;
  };
}

/** A node request alone: what a Request is made of, and the same for both makers. */
export function nodeRequest(method: string): GatewayRequest {
  const req = new IncomingMessage(new Socket());
  req.method = method;
  req.url = "/users/42?tab=orders";
  req.rawHeaders = RAW;
  Object.assign(req.headers, { host: "example.test" });
  const gateway = {
    tls: undefined,
    // A new one each time, since a request that is used again would gather listeners.
    get signal(): AbortSignal {
      return new AbortController().signal;
    },
  };
  if (method === "POST") {
    req.push(BODY);
    req.push(null);
    req.complete = true;
  }
  return Object.assign(req, { gateway }) as unknown as GatewayRequest;
}

/** The shortest way to a native Request. */
function nativeRequest(req: GatewayRequest): Request {
  const headers = new Headers();
  const { rawHeaders } = req;
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
  const init: RequestInit & { duplex: "half" } = {
    method: req.method!,
    headers,
    signal: req.gateway.signal,
    duplex: "half",
  };
  if (req.method === "POST") init.body = Readable.toWeb(req) as NonNullable<RequestInit["body"]>;
  return new Native(`http://${req.headers.host}${req.url}`, init);
}

const Native = Request;
/** Before it is wrapped. */
export const NativeResponse: typeof Response = Response;
joinNative();

/** Both makers of Requests. */
export const MAKERS: Readonly<Record<"native" | "lazy", (req: GatewayRequest) => Request>> = {
  native: nativeRequest,
  lazy: createFetchRequest,
};

/** What handlers do with a Request. Each returns something, so that nothing is thrown away as dead code. */
export const TOUCHES: Readonly<
  Record<string, { readonly method: string; touch(request: Request): unknown }>
> = {
  "nothing read": { method: "GET", touch: (request) => request },
  "method and URL": { method: "GET", touch: ({ method, url }) => method + url },
  "one header more": {
    method: "GET",
    touch: ({ method, url, headers }) => method + url + headers.get("cookie"),
  },
  "every header": { method: "GET", touch: ({ headers }) => [...headers].length },
  signal: { method: "GET", touch: ({ signal }) => signal },
  "clone()": { method: "GET", touch: (request) => request.clone() },
  "text() of 1 KiB": { method: "POST", touch: (request) => request.text() },
  "body of 1 KiB, read": {
    method: "POST",
    async touch({ body }) {
      let size = 0;
      for await (const chunk of body!) size += chunk.length;
      return size;
    },
  },
};
