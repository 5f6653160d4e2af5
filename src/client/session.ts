/**
 * What the three clients have in common: addresses, options of connections and requests, and one session's shape.
 * It opens nothing and encodes nothing; fastcgi.ts, scgi.ts and ajp.ts do, client.ts chooses among them.
 * Names follow the options of `serve` where both mean the same.
 */
import type { RoleName } from "../http/head.ts";
import type { BodySource } from "./body-source.ts";
import type { ClientResponse } from "./response.ts";

/** Protocols that the client speaks. */
export type ClientProtocol = "fastcgi" | "scgi" | "ajp";

/** Where the application listens: a unix socket's path, or host (127.0.0.1 when missing) and port. */
export type ClientAddress =
  | { readonly socket: string }
  | { readonly host?: string; readonly port: number };

/** How to reach an application. */
export interface ConnectionOptions {
  readonly protocol: ClientProtocol;
  readonly address: ClientAddress;
  /**
   * Use one connection for several requests: FastCGI KEEP_CONN, AJP reuse. SCGI cannot.
   *
   * @default true for a ClientConnection, false for a single `request`
   */
  readonly keepAlive?: boolean;
  /**
   * FastCGI: several requests at once on the connection. `true` asks by GET_VALUES first and goes one by one where
   * the application says no; `"force"` does not ask.
   *
   * @default false
   */
  readonly multiplex?: boolean | "force";
  /** AJP: the secret that both sides know. */
  readonly secret?: string;
  /**
   * AJP: packet size in bytes, 8192 to 65536, the same on both sides.
   *
   * @default 8192
   */
  readonly packetSize?: number;
  /** AJP: write body packets as lighttpd does, without the inner length. @default false */
  readonly rawBody?: boolean;
}

/** Header names and values: an object (an array of values repeats the name), or pairs in order. */
export type ClientHeaders =
  | Readonly<Record<string, string | readonly string[]>>
  | readonly (readonly [name: string, value: string])[];

/** Bytes to send: all at once (strings as UTF-8), or as they come. */
export type ClientBody = Uint8Array | string | AsyncIterable<Uint8Array>;

/** One request. */
export interface RequestOptions {
  /** @default "GET" */
  readonly method?: string;
  /** Path and query as a browser would send them. @default "/" */
  readonly url?: string;
  readonly headers?: ClientHeaders;
  /**
   * CGI variables beside or instead of those that follow from the rest; undefined leaves one out. AJP knows only
   * those that its packet has a place for; others are a UsageError.
   */
  readonly params?: Readonly<Record<string, string | undefined>>;
  /** AJP request attributes. */
  readonly attributes?: Readonly<Record<string, string>>;
  /**
   * The request body. Of unknown length unless it is bytes or a Content-Length header is given; SCGI, which has no
   * unknown length, collects it first.
   */
  readonly body?: ClientBody;
  /** FastCGI only. @default "responder" */
  readonly role?: RoleName;
  /** FastCGI, role filter: the file. */
  readonly data?: ClientBody;
  /** FastCGI and SCGI: bytes to send once the answer is 101; the answer's body are the bytes of the other side. */
  readonly upgrade?: AsyncIterable<Uint8Array>;
  /** FastCGI: called with each piece of error text as it comes, also where no head follows. */
  readonly onStderr?: (bytes: Uint8Array) => void;
  /** Gives the request up: ABORT_REQUEST on a kept FastCGI connection, close on all others. */
  readonly signal?: AbortSignal;
}

/** A request whose options are checked and whose lengths are known. */
export interface PreparedRequest {
  readonly method: string;
  readonly url: string;
  /** Header names and values in order, without Content-Length. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly attributes: Readonly<Record<string, string>>;
  /** Undefined: no body, or one of unknown length. */
  readonly contentLength: number | undefined;
  readonly body: BodySource | undefined;
  readonly role: RoleName;
  readonly data: BodySource | undefined;
  readonly upgrade: BodySource | undefined;
  readonly onStderr: ((bytes: Uint8Array) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** One open connection that speaks one protocol. */
export interface Session {
  /** How many requests it takes at once. */
  readonly capacity: number;
  /** How many it has now. */
  readonly active: number;
  /** How many requests have begun on it. */
  readonly served: number;
  /** May another request begin on it, now or when one has ended? */
  readonly reusable: boolean;
  /**
   * Begins a request. Precondition: `reusable`, and `active` below `capacity`.
   *
   * @returns the response, as soon as its head is there
   */
  request(request: PreparedRequest): Promise<ClientResponse>;
  /** Closes when the last request has ended; at once when there is none. */
  close(): void;
  /** Closes at once; requests fail with `error`. */
  destroy(error: Error): void;
}
