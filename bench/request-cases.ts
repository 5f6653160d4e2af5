/**
 * Requests and handlers for request.bench.ts: heads without a wire, a carrier that counts and sends nothing, and the same
 * handlers on node's own objects. Holds no clock.
 */
import { IncomingMessage, Server, ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import type { Carrier } from "../src/handler/carrier.ts";
import { Prototypes } from "../src/handler/node/prototypes.ts";
import { NodeRequest } from "../src/handler/node/request.ts";
import type { BodyPiece, RequestHead, ResponseHead } from "../src/http/head.ts";

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

/** A head of its own for each request, as a reader of a protocol makes it. */
function headOf(): RequestHead {
  return {
    method: "GET",
    url: "/users/42?tab=orders",
    httpVersion: "1.1",
    rawHeaders: RAW,
    find: () => "",
    upgradeFields: [],
    scriptName: "",
    pathInfo: "/users/42",
    params: {},
    attributes: {},
    remoteUser: "",
    authType: "",
    tls: undefined,
    remoteAddress: "192.0.2.1",
    remotePort: 50_000,
    localAddress: "192.0.2.2",
    localPort: 443,
  };
}

/** What one answer must have been. */
export interface Answer {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
}

/** What the carriers and sockets of a run were given. */
export class Tally {
  ended = 0;
  /** Set to look at the next answer. */
  kept: { status: number; fields: readonly string[]; body: string } | undefined;
}

/** A carrier that takes everything at once. */
class Sink implements Carrier {
  readonly protocol = "fastcgi";
  readonly role = "responder";
  readonly peerAddress = "";
  readonly peerPort = 0;
  readonly queuedBytes = 0;
  readonly head = headOf();
  readonly #tally: Tally;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  send(
    head: ResponseHead | undefined,
    pieces: readonly BodyPiece[],
    end: boolean,
    written: ((error?: Error | null) => void) | undefined,
  ): boolean {
    const tally = this.#tally;
    if (end) tally.ended++;
    if (written !== undefined) process.nextTick(written);
    if (tally.kept === undefined) return true;
    if (head !== undefined) Object.assign(tally.kept, { status: head.status, fields: head.fields });
    for (const piece of pieces) {
      tally.kept.body += typeof piece === "string" ? piece : Buffer.from(piece).toString("latin1");
    }
    return true;
  }
  stderr(): number {
    return 0;
  }
  want(): void {}
  giveUp(): void {}
  endUpgraded(): boolean {
    return true;
  }
  destroyUpgraded(): void {}
  report(error: Error): void {
    throw error;
  }
}

const BUFFER = Buffer.from("hello world\n");
const TEXT = "hello world\n";
const LENGTH = "12";
const PLAIN = "text/plain; charset=utf-8";

/** A handler, and what its answer must be. */
export interface Case {
  readonly handler: (req: IncomingMessage, res: ServerResponse) => void;
  /** Without it the handler answers nothing. */
  readonly answer: Answer | undefined;
}

const hello = (fields: readonly string[]): Answer => ({ status: 200, fields, body: TEXT });
const ownFields = ["Content-Type", PLAIN, "Content-Length", LENGTH];
let seen: unknown;

/** What was read last, so that nobody can leave the reading out. */
export function lastSeen(): unknown {
  return seen;
}

/** By title. */
export const CASES: Readonly<Record<string, Case>> = {
  "nothing read": { handler: () => {}, answer: undefined },
  "method and URL": {
    handler: (req) => {
      seen = [req.method, req.url];
    },
    answer: undefined,
  },
  "first header": {
    handler: (req) => {
      seen = req.rawHeaders[1];
    },
    answer: undefined,
  },
  "all headers": {
    handler: (req) => {
      seen = req.headers;
    },
    answer: undefined,
  },
  "remote address": {
    handler: (req) => {
      seen = req.socket.remoteAddress;
    },
    answer: undefined,
  },
  "writeHead, end(buffer)": {
    handler: (_req, res) => {
      res.writeHead(200, { "Content-Type": PLAIN, "Content-Length": LENGTH });
      res.end(BUFFER);
    },
    answer: hello(ownFields),
  },
  "setHeader twice, end(text)": {
    handler: (_req, res) => {
      res.setHeader("Content-Type", PLAIN);
      res.setHeader("Content-Length", LENGTH);
      res.end(TEXT);
    },
    answer: hello(ownFields),
  },
  "all headers, end(text)": {
    handler: (req, res) => {
      seen = req.headers;
      res.setHeader("Content-Type", PLAIN);
      res.end(TEXT);
    },
    answer: hello(ownFields),
  },
  "write(text), end()": {
    handler: (_req, res) => {
      res.writeHead(200, { "Content-Type": PLAIN, "Content-Length": LENGTH });
      res.write(TEXT);
      res.end();
    },
    answer: hello(ownFields),
  },
  "socket touched, end(text)": {
    handler: (req, res) => {
      seen = req.socket.listenerCount("close");
      res.setHeader("Content-Type", PLAIN);
      res.end(TEXT);
    },
    answer: hello(ownFields),
  },
};

/** Makes one request and runs its handler. */
export type Run = () => void;

/** On our objects. */
export function onOurs({ handler }: Case, tally: Tally): Run {
  const server = new Server();
  const prototypes = new Prototypes();
  return () => {
    const side = new NodeRequest(new Sink(tally), server, prototypes);
    handler(side.req, side.res);
    side.bodyEnd();
  };
}

/** Node's private members that its parser and server use. */
interface Private {
  _addHeaderLines(lines: readonly string[], count: number): void;
  _dump(): void;
}

/** A kept connection that sends nothing. */
function connection(tally: Tally): Duplex {
  const socket = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      if (tally.kept !== undefined) tally.kept.body += chunk.toString("latin1");
      done();
    },
  });
  return Object.assign(socket, { remoteAddress: "192.0.2.1" });
}

/** On node's own objects, with what its server does to them, over kept connections. */
export function onNodes({ handler }: Case, tally: Tally): Run {
  const idle: Duplex[] = [];
  const head = headOf();
  function finished(req: IncomingMessage, res: ServerResponse, socket: Duplex): void {
    tally.ended++;
    (req as unknown as Private)._dump();
    res.detachSocket(socket as never);
    process.nextTick(() => res.emit("close"));
    idle.push(socket);
  }
  return () => {
    const socket = idle.pop() ?? connection(tally);
    const req = new IncomingMessage(socket as never);
    req.httpVersionMajor = 1;
    req.httpVersionMinor = 1;
    req.httpVersion = "1.1";
    req.method = head.method;
    req.url = head.url;
    (req as unknown as Private)._addHeaderLines(head.rawHeaders, head.rawHeaders.length);
    const res = new ServerResponse(req);
    res.sendDate = false;
    res.assignSocket(socket as never);
    res.on("finish", finished.bind(undefined, req, res, socket));
    handler(req, res);
    req.complete = true;
    req.push(null);
  };
}
