/**
 * What an application answers, as its caller sees it: a head at once, a body that streams, facts at the end.
 * It reads no socket: a session feeds an Exchange, which pauses the session while nobody takes the body.
 * Header fields are joined as node:http joins those of a response.
 */
import { ClientError } from "../errors.ts";
import type { ParsedHead } from "./response-parser.ts";
import type { PreparedRequest } from "./session.ts";

/** Body bytes held for a caller that does not read, before reading from the application stops. */
const WINDOW_BYTES = 262_144;
/** Error text kept of one request; the rest is dropped. */
const STDERR_BYTES_MAX = 1_048_576;

/** What comes beside the body; complete when the body has ended. */
interface Facts {
  readonly stderr: Buffer[];
  stderrBytes: number;
  appStatus: number | undefined;
  protocolStatus: number | undefined;
  flushCount: number;
}

/** What an Exchange asks of its session. */
export interface Demand {
  /** The body is not read: stop reading from the socket if that can be. */
  pause(): void;
  /** The body is read again, or nobody wants it any more. */
  resume(): void;
  /** Nobody wants the rest: the caller has left the body, or its signal says so. */
  cancel(reason: unknown): void;
}

/** An answer. */
export class ClientResponse {
  readonly status: number;
  readonly reason: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** By name in lower case; null prototype. `set-cookie` is an array, others that repeat are joined by `, `. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Did the connection carry a request before this one? */
  readonly reused: boolean;
  /**
   * The body as it comes; can be read once. It ends when the request has ended, so that the facts below are
   * complete then. Leaving it early gives the request up.
   */
  readonly body: AsyncIterable<Uint8Array>;
  readonly #facts: Facts;

  constructor(head: ParsedHead, reused: boolean, body: AsyncIterable<Uint8Array>, facts: Facts) {
    this.status = head.status;
    this.reason = head.reason;
    this.rawHeaders = head.rawHeaders;
    this.headers = joinHeaders(head.rawHeaders);
    this.reused = reused;
    this.body = body;
    this.#facts = facts;
  }

  /** FastCGI: what came on STDERR so far; "" elsewhere. */
  get stderr(): string {
    return Buffer.concat(this.#facts.stderr).toString();
  }

  /** FastCGI: appStatus of END_REQUEST, undefined before it and elsewhere. */
  get appStatus(): number | undefined {
    return this.#facts.appStatus;
  }

  /** FastCGI: protocolStatus of END_REQUEST, undefined before it and elsewhere. */
  get protocolStatus(): number | undefined {
    return this.#facts.protocolStatus;
  }

  /** AJP: chunks of no bytes, which ask a web server to pass on what it holds. */
  get flushCount(): number {
    return this.#facts.flushCount;
  }

  /** The whole body. Throws what ended it early. */
  async buffer(): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.body) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** The whole body as UTF-8. Throws what ended it early. */
  async text(): Promise<string> {
    return (await this.buffer()).toString();
  }
}

function joinHeaders(rawHeaders: readonly string[]): Record<string, string | readonly string[]> {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    const value = rawHeaders[i + 1]!;
    const present = headers[name];
    if (name === "set-cookie") headers[name] = [...(present ?? []), value];
    else headers[name] = present === undefined ? value : `${present}, ${value}`;
  }
  return headers;
}

/** One request's answer while it comes in: the session writes here, the caller reads a ClientResponse. */
export class Exchange {
  /** Settles when the head is there, or with what went wrong before it. */
  readonly response: Promise<ClientResponse>;
  readonly #method: string;
  readonly #reused: boolean;
  readonly #demand: Demand;
  readonly #facts: Facts = {
    stderr: [],
    stderrBytes: 0,
    appStatus: undefined,
    protocolStatus: undefined,
    flushCount: 0,
  };
  #resolve!: (response: ClientResponse) => void;
  #reject!: (error: unknown) => void;
  #status = 0;
  /** Body bytes that Content-Length leaves, or undefined when there is none. */
  #due: number | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #paused = false;
  #ended = false;
  #error: { readonly reason: unknown } | undefined;
  #wake: (() => void) | undefined;
  readonly #onStderr: ((bytes: Uint8Array) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#demand.cancel(this.#signal?.reason);

  /** @param reused has the connection carried a request before? */
  constructor(request: PreparedRequest, reused: boolean, demand: Demand) {
    this.#method = request.method;
    this.#reused = reused;
    this.#demand = demand;
    this.#onStderr = request.onStderr;
    this.#signal = request.signal;
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Status of the head, or 0 before it. */
  get status(): number {
    return this.#status;
  }

  /** Has the answer ended, well or not? */
  get ended(): boolean {
    return this.#ended;
  }

  /** Has every byte come that Content-Length promised? False where nothing was promised. */
  get satisfied(): boolean {
    return this.#due === 0;
  }

  /** The head. A Content-Length is held to, but for answers that have no body. */
  begin(head: ParsedHead): void {
    this.#status = head.status;
    const bodiless = this.#method === "HEAD" || head.status === 204 || head.status === 304;
    const response = new ClientResponse(head, this.#reused, this.#read(), this.#facts);
    const length = response.headers["content-length"];
    if (length !== undefined && !bodiless && head.status !== 101) {
      if (typeof length !== "string" || !/^\d{1,15}$/.test(length)) {
        throw new ClientError("ERR_CLIENT_RESPONSE", "Its Content-Length is no number.", true);
      }
      this.#due = Number(length);
    }
    this.#resolve(response);
  }

  /** Body bytes; kept, not copied. */
  chunk(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#ended) return;
    if (this.#due !== undefined) {
      if (bytes.length > this.#due) {
        throw new ClientError(
          "ERR_CLIENT_RESPONSE",
          "Its body is longer than its Content-Length.",
          true,
        );
      }
      this.#due -= bytes.length;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#wakeReader();
    if (this.#queuedBytes > WINDOW_BYTES && !this.#paused) {
      this.#paused = true;
      this.#demand.pause();
    }
  }

  /** A request to pass on what is held (AJP). */
  flush(): void {
    this.#facts.flushCount++;
  }

  /** Text for the error log. */
  stderr(bytes: Uint8Array): void {
    this.#onStderr?.(bytes);
    this.#facts.stderrBytes += bytes.length;
    if (this.#facts.stderrBytes <= STDERR_BYTES_MAX) this.#facts.stderr.push(Buffer.from(bytes));
  }

  /** The end as the protocol marks it; one without a head or with too few bytes is a failure. */
  end(appStatus?: number, protocolStatus?: number): void {
    if (this.#ended) return;
    this.#facts.appStatus = appStatus;
    this.#facts.protocolStatus = protocolStatus;
    if (this.#status === 0) return this.fail(endWithoutHead(protocolStatus ?? 0));
    if (this.#due !== undefined && this.#due > 0) {
      return this.fail(
        new ClientError("ERR_CLIENT_TRUNCATED", `${this.#due} bytes are missing.`, true),
      );
    }
    this.#ended = true;
    this.#release();
  }

  /** The end of everything before its time. What has come of the body can still be read. */
  fail(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = { reason };
    this.#reject(reason);
    this.#release();
  }

  #release(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#wakeReader();
    if (!this.#paused) return;
    this.#paused = false;
    this.#demand.resume();
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const bytes = this.#queue.shift();
        if (bytes !== undefined) {
          this.#queuedBytes -= bytes.length;
          if (this.#paused && this.#queuedBytes < WINDOW_BYTES / 2) {
            this.#paused = false;
            this.#demand.resume();
          }
          yield bytes;
        } else if (this.#ended) {
          if (this.#error !== undefined) throw this.#error.reason;
          return;
        } else {
          await new Promise<void>((wake) => {
            this.#wake = wake;
          });
        }
      }
    } finally {
      if (!this.#ended) this.#demand.cancel(new Error("The caller left the body of the response."));
    }
  }
}

/** What an END_REQUEST or END_RESPONSE without a head before it means (FastCGI §5.5). */
function endWithoutHead(protocolStatus: number): ClientError {
  if (protocolStatus === 1) return new ClientError("ERR_CLIENT_CANT_MPX", "", true);
  if (protocolStatus === 2) return new ClientError("ERR_CLIENT_OVERLOADED", "", true);
  if (protocolStatus === 3) return new ClientError("ERR_CLIENT_ROLE", "", true);
  return new ClientError("ERR_CLIENT_EMPTY", "", true);
}
