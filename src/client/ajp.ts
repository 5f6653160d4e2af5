/**
 * An AJP web server's side of one connection: one request after the other, each body pulled by the application.
 * It opens no connection; client.ts does. Apache JServ Protocol 1.3: the first body packet goes out unasked when
 * the length is known, all later ones answer a Get Body Chunk.
 */
import { ClientError } from "../errors.ts";
import {
  BODY_OVERHEAD_BYTES,
  HEADER_BYTES,
  MAGIC_TO_SERVER,
  PacketType,
} from "../protocols/ajp/constants.ts";
import {
  decodeHeaders,
  encodeBody,
  encodeForward,
  encodePacket,
  packetBytes,
} from "./ajp-packets.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { closedBy, type PeerSocket } from "./peer-socket.ts";
import { type ClientResponse, Exchange } from "./response.ts";
import type { PreparedRequest, Session } from "./session.ts";

/** What an AJP connection has to know beside its socket. */
export interface AjpSessionOptions {
  readonly packetBytes: number;
  readonly secret: string | undefined;
  readonly rawBody: boolean;
  readonly keepAlive: boolean;
}

/** CPING under way. */
interface Ping {
  resolve(): void;
  reject(error: Error): void;
}

/** One AJP connection. */
export class AjpSession implements Session {
  readonly capacity = 1;
  served = 0;
  readonly #socket: PeerSocket;
  readonly #options: AjpSessionOptions;
  readonly #onFreed: () => void;
  readonly #frames: FrameBuffer;
  #exchange: Exchange | undefined;
  #request: PreparedRequest | undefined;
  #pings: Ping[] = [];
  /** Body packets that are owed: the unasked first one, and answers to Get Body Chunk. */
  #owedCount = 0;
  #sending: Promise<void> | undefined;
  #answered = false;
  #closing = false;

  /** @param onFreed called when another request may begin, or none any more */
  constructor(socket: PeerSocket, options: AjpSessionOptions, onFreed: () => void) {
    this.#socket = socket;
    this.#options = options;
    this.#onFreed = onFreed;
    this.#frames = new FrameBuffer(HEADER_BYTES, (header) =>
      packetBytes(header, MAGIC_TO_SERVER, options.packetBytes),
    );
    socket.listen({
      data: (chunk) => this.#frames.push(chunk, (packet) => this.#readPacket(packet)),
      ended: (error) => this.#end(error),
    });
  }

  get active(): number {
    return this.#exchange === undefined && this.#pings.length === 0 ? 0 : 1;
  }

  get reusable(): boolean {
    return !this.#closing && !this.#socket.ended && (this.#options.keepAlive || this.served === 0);
  }

  request(request: PreparedRequest): Promise<ClientResponse> {
    const { packetBytes: size, secret, rawBody } = this.#options;
    const packets = [encodeForward(request, size, secret)];
    // As lighttpd: an empty packet follows a request without a body.
    if (rawBody && request.body === undefined) packets.push(encodeBody(undefined, true));
    const exchange = new Exchange(request, this.served++ > 0, {
      pause: () => this.#socket.pause(),
      resume: () => this.#socket.resume(),
      cancel: (reason) => this.#abort(exchange, reason),
    });
    this.#exchange = exchange;
    this.#request = request;
    this.#answered = false;
    const sent = this.#socket.write(...packets);
    const first = request.body !== undefined && (request.contentLength ?? 0) > 0;
    if (first) this.#sendBody(size, sent);
    else sent?.catch(() => undefined);
    return exchange.response;
  }

  /**
   * Sends CPING and waits for CPONG. Precondition: no request is under way.
   *
   * @throws ClientError ERR_CLIENT_TIMEOUT
   */
  ping(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.ended) return reject(new ClientError("ERR_CLIENT_CLOSED"));
      const late = new ClientError("ERR_CLIENT_TIMEOUT", "(CPONG)");
      const timer = setTimeout(() => this.#socket.destroy(late), timeoutMs);
      this.#pings.push({
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#socket.write(encodePacket(Buffer.of(PacketType.CPING)))?.catch(() => undefined);
    });
  }

  close(): void {
    this.#closing = true;
    if (this.active === 0) this.#socket.close();
  }

  destroy(error: Error): void {
    this.#socket.destroy(error);
  }

  /** Sends one body packet of at most `wantedBytes`, or the end marker; one at a time, in order. */
  #sendBody(wantedBytes: number, after?: Promise<void>): void {
    const exchange = this.#exchange;
    const request = this.#request;
    this.#owedCount++;
    const send = async (): Promise<void> => {
      await after;
      const maxBytes = Math.min(wantedBytes, this.#options.packetBytes - BODY_OVERHEAD_BYTES);
      const piece = await request?.body?.read(maxBytes);
      if (this.#exchange !== exchange) return;
      await this.#socket.write(encodeBody(piece, this.#options.rawBody));
      this.#owedCount--;
    };
    this.#sending = (this.#sending ?? Promise.resolve()).then(send);
    this.#sending.catch((reason: unknown) => this.#abort(exchange, reason));
  }

  #readPacket(packet: Buffer): void {
    const payload = packet.subarray(HEADER_BYTES);
    const type = payload[0];
    if (type === PacketType.CPONG && this.#pings.length > 0) {
      this.#pings.shift()!.resolve();
      return this.#onFreed();
    }
    const exchange = this.#exchange;
    if (exchange === undefined) throw unexpected(type);
    this.#answered = true;
    if (type === PacketType.SEND_BODY_CHUNK) return readChunk(exchange, payload);
    if (type === PacketType.GET_BODY_CHUNK && payload.length >= 3) {
      return this.#sendBody(payload.readUInt16BE(1));
    }
    if (type === PacketType.END_RESPONSE && payload.length >= 2) {
      return this.#readEnd(exchange, payload[1] !== 0);
    }
    if (type !== PacketType.SEND_HEADERS || exchange.status !== 0) throw unexpected(type);
    exchange.begin(decodeHeaders(payload));
  }

  #readEnd(exchange: Exchange, reuse: boolean): void {
    // An answer to Get Body Chunk that has not gone out would be taken for the next request.
    const clean = reuse && this.#owedCount === 0 && this.#options.keepAlive && !this.#closing;
    this.#exchange = undefined;
    this.#request?.body?.cancel();
    this.#sending = undefined;
    exchange.end();
    if (!clean) {
      this.#closing = true;
      this.#socket.close();
    }
    this.#onFreed();
  }

  /** AJP has no word for it: the connection is closed. */
  #abort(exchange: Exchange | undefined, reason: unknown): void {
    if (exchange === undefined || this.#exchange !== exchange) return;
    exchange.fail(reason);
    this.#socket.destroy(new ClientError("ERR_CLIENT_CLOSED"));
  }

  #end(error: Error | undefined): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#request?.body?.cancel();
    exchange?.fail(closedBy(error, this.#answered));
    for (const ping of this.#pings.splice(0)) ping.reject(closedBy(error, false));
    this.#onFreed();
  }
}

function readChunk(exchange: Exchange, payload: Buffer): void {
  const length = payload.length < 3 ? -1 : payload.readUInt16BE(1);
  // The NUL behind the bytes is missing from some applications; nothing else may be.
  if (length < 0 || (payload.length !== length + 3 && payload.length !== length + 4)) {
    throw new ClientError(
      "ERR_CLIENT_RESPONSE",
      "A body chunk's length does not fit its packet.",
      true,
    );
  }
  if (length === 0) return exchange.flush();
  if (exchange.status === 0) throw unexpected(PacketType.SEND_BODY_CHUNK);
  exchange.chunk(payload.subarray(3, 3 + length));
}

function unexpected(type: number | undefined): ClientError {
  return new ClientError("ERR_CLIENT_RESPONSE", `Packet of type ${type} is not due here.`, true);
}
