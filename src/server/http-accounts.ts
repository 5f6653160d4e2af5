/**
 * Requests by plain HTTP, which node's own server reads and answers → accounts like those of the other protocols.
 * It listens and counts; it changes nothing of what node does. Bytes of a response are those behind its head, the frames of
 * a chunked one among them. What node refuses by itself, since it is no HTTP, is no request.
 */
import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import type { Account, KnownHead } from "../connection/account.ts";
import type { Books } from "../connection/books.ts";
import { watchHttp } from "../handler/http-gateway.ts";
import { HEADER_NAMES } from "../http/field-names.ts";

/** What node keeps of a response's head under a name of its own. */
interface PrivateResponse {
  readonly _header?: string | null;
}

/** The head of one HTTP request. */
class HttpHead implements KnownHead {
  readonly method: string;
  readonly url: string;
  readonly remoteAddress: string;
  readonly remoteUser = "";
  readonly request: IncomingMessage;

  constructor(req: IncomingMessage) {
    this.request = req;
    this.method = req.method ?? "";
    // As it came: routers cut their mount off.
    this.url = req.url ?? "";
    this.remoteAddress = req.socket.remoteAddress ?? "";
  }

  get httpVersion(): string {
    return this.request.httpVersion;
  }

  get params(): Readonly<Record<string, string>> {
    const params: Record<string, string> = Object.create(null);
    for (const [name, value] of Object.entries(this.request.headers)) {
      if (name === "proxy") continue;
      params[`HTTP_${name.toUpperCase().replaceAll("-", "_")}`] = String(value);
    }
    return params;
  }

  find(id: number): string {
    const value = this.request.headers[HEADER_NAMES[id]!.toLowerCase()];
    return value === undefined ? "" : String(value);
  }
}

function fieldsOf(res: ServerResponse): string[] {
  return Object.entries(res.getHeaders()).flatMap(([name, value]) =>
    [value ?? ""].flat().flatMap((one) => [name, String(one)]),
  );
}

/** Counts the pieces of a body on their way from node's parser to the request. */
function countBody(req: IncomingMessage, account: Account): void {
  const push = req.push;
  req.push = function counted(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk !== null) account.requestBytes += chunk.length;
    return push.call(this, chunk, encoding);
  };
}

/** Reads from a response that is over what became of it. */
function settle(account: Account, res: ServerResponse, sentBytes: number): void {
  const { _header: head } = res as unknown as PrivateResponse;
  if (res.headersSent) {
    account.status = res.statusCode;
    account.responseHead = { fields: fieldsOf(res) };
    account.responseBytes = Math.max(0, sentBytes - (head?.length ?? 0));
  }
  if (!res.writableFinished) account.endsAs("aborted");
}

/** Accounts for a server's requests by plain HTTP. */
export function accountForHttp(server: Server, books: Books): void {
  watchHttp(server, (req: IncomingMessage, answer: Writable) => {
    const { socket } = req;
    const origin = { protocol: "http", peerAddress: socket.remoteAddress ?? "" } as const;
    const account = books.begin(origin, { readMs: performance.now() });
    if (account === undefined) return;
    account.knows(new HttpHead(req), true);
    countBody(req, account);
    const before = socket.bytesWritten;
    answer.once("close", () => {
      const sentBytes = socket.bytesWritten - before;
      if (answer instanceof ServerResponse) settle(account, answer, sentBytes);
      else {
        // An upgrade, whose answer the application wrote by itself.
        account.status = 101;
        account.responseBytes = (answer as Socket).bytesWritten - before;
      }
      books.end(account);
    });
  });
}
