/**
 * A FastCGI web server's side of one connection: requests out, answers in, one or many at a time.
 * It opens no connection and chooses none; client.ts does. FastCGI specification §3 to §6: reading goes on while
 * writing, unknown types and ids are skipped, an answer that comes before the body is sent ends the sending.
 */
import { ClientError } from "../errors.ts";
import {
  BeginFlag,
  BODY_BYTES,
  HEADER_BYTES,
  NULL_REQUEST_ID,
  RecordType,
  VERSION,
} from "../protocols/fastcgi/constants.ts";
import { Role } from "../wire/abi.ts";
import type { BodySource } from "./body-source.ts";
import {
  decodePairs,
  encodeBegin,
  encodePairs,
  encodeRecord,
  encodeStream,
  recordHeader,
} from "./fastcgi-records.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { closedBy, type PeerSocket } from "./peer-socket.ts";
import { cgiVariables } from "./request-head.ts";
import { type ClientResponse, Exchange } from "./response.ts";
import { ResponseParser } from "./response-parser.ts";
import type { PreparedRequest, Session } from "./session.ts";

/** Body bytes of one STDIN or DATA record, as nginx: small enough for others to get between. */
const BODY_RECORD_BYTES = 32_768;
/** How long an aborted request may keep its id before the connection is given up. */
const ABORT_WAIT_MS = 2_000;

/** One request that has not ended. */
interface Entry {
  readonly id: number;
  readonly exchange: Exchange;
  readonly parser: ResponseParser;
  readonly request: PreparedRequest;
  /** No more STDIN and DATA may be sent: everything is, or nobody wants it. */
  inputClosed: boolean;
  aborted: NodeJS.Timeout | undefined;
}

/** GET_VALUES under way. */
interface Query {
  resolve(values: Record<string, string>): void;
  reject(error: Error): void;
}

/** One FastCGI connection. */
export class FastCgiSession implements Session {
  /** How many requests at once; raised by whoever knows that the application multiplexes. */
  capacity = 1;
  served = 0;
  readonly #socket: PeerSocket;
  readonly #keepAlive: boolean;
  readonly #onFreed: () => void;
  readonly #frames = new FrameBuffer(HEADER_BYTES, recordBytes);
  readonly #entries = new Map<number, Entry>();
  readonly #pausedBy = new Set<number>();
  #queries: Query[] = [];
  #closing = false;

  /** @param onFreed called when another request may begin, or none any more */
  constructor(socket: PeerSocket, keepAlive: boolean, onFreed: () => void) {
    this.#socket = socket;
    this.#keepAlive = keepAlive;
    this.#onFreed = onFreed;
    socket.listen({
      data: (chunk) => this.#frames.push(chunk, (record) => this.#readRecord(record)),
      ended: (error) => this.#end(error),
    });
  }

  get active(): number {
    return this.#entries.size;
  }

  get reusable(): boolean {
    return !this.#closing && !this.#socket.ended && (this.#keepAlive || this.served === 0);
  }

  request(request: PreparedRequest): Promise<ClientResponse> {
    let id = 1;
    while (this.#entries.has(id)) id++;
    const exchange = new Exchange(request, this.served++ > 0, {
      pause: () => this.#pause(id),
      resume: () => this.#resume(id),
      cancel: (reason) => this.#abort(entry, reason),
    });
    const entry: Entry = {
      id,
      exchange,
      parser: new ResponseParser(),
      request,
      inputClosed: false,
      aborted: undefined,
    };
    this.#entries.set(id, entry);
    this.#begin(entry);
    return exchange.response;
  }

  /** Everything that is known at once goes out in one write. */
  #begin(entry: Entry): void {
    const { id, request } = entry;
    const role = Role[request.role.toUpperCase() as keyof typeof Role];
    const begin = encodeBegin(role, this.#keepAlive ? BeginFlag.KEEP_CONN : 0);
    const records = [
      encodeRecord(RecordType.BEGIN_REQUEST, id, begin),
      encodeStream(RecordType.PARAMS, id, encodePairs(cgiVariables(request))),
    ];
    // An Authorizer has no STDIN (§6.3).
    if (request.role === "authorizer") entry.inputClosed = true;
    if (request.role === "responder" && !request.body && !request.upgrade) {
      records.push(recordHeader(RecordType.STDIN, id, 0));
      entry.inputClosed = true;
    }
    const sent = this.#socket.write(...records);
    if (entry.inputClosed) sent?.catch(() => undefined);
    else this.#send(entry, sent).catch((error: unknown) => this.#abort(entry, error));
  }

  /**
   * Asks for management variables (§4.1).
   *
   * @param names     such as `FCGI_MPXS_CONNS`
   * @param timeoutMs how long to wait
   * @returns those that the application knows; null prototype
   * @throws ClientError ERR_CLIENT_TIMEOUT; ERR_CLIENT_RESPONSE when GET_VALUES is an unknown type over there
   */
  getValues(names: readonly string[], timeoutMs: number): Promise<Record<string, string>> {
    return new Promise((resolve, reject) => {
      if (this.#socket.ended) return reject(new ClientError("ERR_CLIENT_CLOSED"));
      const timer = setTimeout(() => reject(new ClientError("ERR_CLIENT_TIMEOUT")), timeoutMs);
      this.#queries.push({
        resolve: (values) => {
          clearTimeout(timer);
          resolve(values);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      const content = encodePairs(names.map((name) => [name, ""]));
      // Waiting for room would gain nothing: the answer is waited for anyway.
      this.#socket
        .write(encodeRecord(RecordType.GET_VALUES, NULL_REQUEST_ID, content))
        ?.catch(() => undefined);
    });
  }

  close(): void {
    this.#closing = true;
    if (this.#entries.size === 0) this.#socket.close();
  }

  destroy(error: Error): void {
    this.#socket.destroy(error);
  }

  /** STDIN, then DATA, each with its end. Returns early when nobody wants the rest. */
  async #send(entry: Entry, sent: Promise<void> | undefined): Promise<void> {
    const { request } = entry;
    await sent;
    let { body } = request;
    if (request.upgrade !== undefined) {
      // As lighttpd does: STDIN stays open until it is known whether it becomes the other direction.
      const { status } = await entry.exchange.response.catch(() => ({ status: 0 }));
      if (status === 101) body = request.upgrade;
    }
    await this.#sendStream(entry, RecordType.STDIN, body);
    if (request.role === "filter") await this.#sendStream(entry, RecordType.DATA, request.data);
    entry.inputClosed = true;
  }

  async #sendStream(entry: Entry, type: number, source: BodySource | undefined): Promise<void> {
    for (;;) {
      const piece = await source?.read(BODY_RECORD_BYTES);
      if (entry.inputClosed) return;
      if (piece === undefined) break;
      await this.#socket.write(recordHeader(type, entry.id, piece.length), piece);
      if (entry.inputClosed) return;
    }
    await this.#socket.write(recordHeader(type, entry.id, 0));
  }

  #readRecord(record: Buffer): void {
    const id = record.readUInt16BE(2);
    const content = record.subarray(HEADER_BYTES, HEADER_BYTES + record.readUInt16BE(4));
    const type = record[1]!;
    if (id === NULL_REQUEST_ID) return this.#readManagement(type, content);
    const entry = this.#entries.get(id);
    // §3.3: records of an inactive id are ignored.
    if (entry === undefined) return;
    if (type === RecordType.END_REQUEST) return this.#readEnd(entry, content);
    if (entry.aborted !== undefined) return;
    if (type === RecordType.STDERR) entry.exchange.stderr(content);
    else if (type === RecordType.STDOUT) this.#readStdout(entry, content);
  }

  #readManagement(type: number, content: Buffer): void {
    if (type === RecordType.GET_VALUES_RESULT) {
      const pairs = decodePairs(content);
      this.#queries.shift()?.resolve(Object.assign(Object.create(null), Object.fromEntries(pairs)));
    } else if (type === RecordType.UNKNOWN_TYPE) {
      this.#queries
        .shift()
        ?.reject(new ClientError("ERR_CLIENT_RESPONSE", "It does not know GET_VALUES.", true));
    }
  }

  #readStdout(entry: Entry, content: Buffer): void {
    if (entry.parser.head !== undefined) return entry.exchange.chunk(content);
    const rest = entry.parser.push(content);
    if (rest === undefined) return;
    entry.exchange.begin(entry.parser.head!);
    entry.exchange.chunk(rest);
  }

  #readEnd(entry: Entry, content: Buffer): void {
    if (content.length < BODY_BYTES) {
      throw new ClientError("ERR_CLIENT_RESPONSE", "END_REQUEST is too short.", true);
    }
    clearTimeout(entry.aborted);
    this.#entries.delete(entry.id);
    entry.exchange.end(content.readUInt32BE(0), content[4]!);
    if (!entry.inputClosed) {
      closeInput(entry);
      // What is left of the body is not sent, but the id can only be used again once its input has ended.
      if (this.#keepAlive) {
        this.#socket.write(recordHeader(RecordType.STDIN, entry.id, 0))?.catch(() => undefined);
      }
    }
    if (this.#entries.size === 0 && (this.#closing || !this.#keepAlive)) this.#socket.close();
    this.#onFreed();
  }

  /** Gives one request up: by ABORT_REQUEST where others share the connection, by close where not (§5.4). */
  #abort(entry: Entry, reason: unknown): void {
    if (entry.aborted !== undefined || this.#entries.get(entry.id) !== entry) return;
    closeInput(entry);
    entry.exchange.fail(reason);
    if (!this.#keepAlive) return this.#socket.destroy(new ClientError("ERR_CLIENT_CLOSED"));
    const lost = new ClientError("ERR_CLIENT_TIMEOUT", "(END_REQUEST after ABORT_REQUEST)", true);
    entry.aborted = setTimeout(() => this.#socket.destroy(lost), ABORT_WAIT_MS);
    this.#socket.write(recordHeader(RecordType.ABORT_REQUEST, entry.id, 0))?.catch(() => undefined);
  }

  #pause(id: number): void {
    this.#pausedBy.add(id);
    this.#socket.pause();
  }

  #resume(id: number): void {
    this.#pausedBy.delete(id);
    if (this.#pausedBy.size === 0) this.#socket.resume();
  }

  #end(error: Error | undefined): void {
    for (const entry of [...this.#entries.values()]) {
      clearTimeout(entry.aborted);
      closeInput(entry);
      const answered = entry.parser.begun;
      if (error === undefined && entry.exchange.satisfied) entry.exchange.end();
      else entry.exchange.fail(closedBy(error, answered));
    }
    this.#entries.clear();
    for (const query of this.#queries.splice(0)) query.reject(closedBy(error, false));
    this.#onFreed();
  }
}

/** Sends no more of a request's input, and lets its sources clean up. */
function closeInput(entry: Entry): void {
  entry.inputClosed = true;
  for (const source of [entry.request.body, entry.request.data, entry.request.upgrade]) {
    source?.cancel();
  }
}

function recordBytes(header: Buffer): number {
  if (header[0] !== VERSION) {
    throw new ClientError("ERR_CLIENT_RESPONSE", `A record has version ${header[0]}.`, true);
  }
  return HEADER_BYTES + header.readUInt16BE(4) + header[6]!;
}
