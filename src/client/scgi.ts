/**
 * An SCGI web server's side of one connection: one request out, one answer in, then the end.
 * It opens no connection and keeps none. SCGI protocol of 2008: CONTENT_LENGTH first, SCGI second, no name twice;
 * it never half-closes, since several implementations take that as an abort.
 */
import { ClientError } from "../errors.ts";
import { type BodySource, collectBody } from "./body-source.ts";
import { closedBy, type PeerSocket } from "./peer-socket.ts";
import { cgiVariables } from "./request-head.ts";
import { type ClientResponse, Exchange } from "./response.ts";
import { ResponseParser } from "./response-parser.ts";
import type { PreparedRequest, Session } from "./session.ts";

/** Body bytes of one write. */
const WRITE_BYTES = 65_536;

/** The netstring of a request's head, with the comma. */
export function encodeHead(request: PreparedRequest, bodyBytes: number): Buffer {
  const variables = cgiVariables(request);
  const length = variables.get("CONTENT_LENGTH") ?? `${bodyBytes}`;
  variables.delete("CONTENT_LENGTH");
  const scgi = Object.hasOwn(request.params, "SCGI") ? [] : ["SCGI", "1"];
  const parts = ["CONTENT_LENGTH", length, ...scgi, ...[...variables].flat()];
  const headers = Buffer.from(`${parts.join("\0")}\0`, "latin1");
  return Buffer.concat([Buffer.from(`${headers.length}:`), headers, Buffer.from(",")]);
}

/** One SCGI connection. */
export class ScgiSession implements Session {
  readonly capacity = 1;
  served = 0;
  readonly #socket: PeerSocket;
  readonly #onEnded: () => void;
  readonly #parser = new ResponseParser();
  #exchange: Exchange | undefined;
  #request: PreparedRequest | undefined;

  /** @param onEnded called when the connection is over */
  constructor(socket: PeerSocket, onEnded: () => void) {
    this.#socket = socket;
    this.#onEnded = onEnded;
    socket.listen({
      data: (chunk) => this.#read(chunk),
      ended: (error) => this.#end(error),
    });
  }

  get active(): number {
    return this.#exchange === undefined || this.#exchange.ended ? 0 : 1;
  }

  get reusable(): boolean {
    return this.#exchange === undefined && !this.#socket.ended;
  }

  request(request: PreparedRequest): Promise<ClientResponse> {
    const exchange = new Exchange(request, false, {
      pause: () => this.#socket.pause(),
      resume: () => this.#socket.resume(),
      cancel: (reason) => this.#abort(reason),
    });
    this.served++;
    this.#exchange = exchange;
    this.#request = request;
    if (this.#socket.ended) exchange.fail(new ClientError("ERR_CLIENT_CLOSED"));
    else this.#send(request, exchange).catch((reason: unknown) => this.#abort(reason));
    return exchange.response;
  }

  close(): void {
    if (this.active === 0) this.#socket.close();
  }

  destroy(error: Error): void {
    this.#socket.destroy(error);
  }

  async #send(request: PreparedRequest, exchange: Exchange): Promise<void> {
    let { body } = request;
    if (body !== undefined && request.contentLength === undefined) {
      const bytes = await collectBody(body);
      await this.#socket.write(encodeHead(request, bytes.length), bytes);
      body = undefined;
    } else {
      await this.#socket.write(encodeHead(request, 0));
    }
    await this.#sendBytes(body);
    if (request.upgrade === undefined) return;
    const { status } = await exchange.response.catch(() => ({ status: 0 }));
    if (status === 101) await this.#sendBytes(request.upgrade);
  }

  async #sendBytes(source: BodySource | undefined): Promise<void> {
    while (source !== undefined && !this.#socket.ended) {
      const piece = await source.read(WRITE_BYTES);
      if (piece === undefined) return;
      await this.#socket.write(piece);
    }
  }

  #read(chunk: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      throw new ClientError("ERR_CLIENT_RESPONSE", "It came before the request.", true);
    }
    if (this.#parser.head === undefined) {
      const rest = this.#parser.push(chunk);
      if (rest === undefined) return;
      exchange.begin(this.#parser.head!);
      exchange.chunk(rest);
    } else {
      exchange.chunk(chunk);
    }
    // The end of the connection is not waited for when Content-Length has told it before.
    if (exchange.satisfied) {
      exchange.end();
      this.#socket.close();
    }
  }

  #abort(reason: unknown): void {
    this.#exchange?.fail(reason);
    this.#socket.destroy(new ClientError("ERR_CLIENT_CLOSED"));
  }

  #end(error: Error | undefined): void {
    this.#onEnded();
    this.#request?.body?.cancel();
    this.#request?.upgrade?.cancel();
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.ended) return;
    const { head, begun } = this.#parser;
    // SCGI §"The response": the end of the connection is the end of the answer; a reset is none.
    if (error === undefined && head !== undefined) exchange.end();
    else exchange.fail(closedBy(error, begun));
  }
}
