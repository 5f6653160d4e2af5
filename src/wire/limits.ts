/**
 * The limits of everything that a peer can send, each with its one name, default and reason.
 * It checks nothing itself: decoders and connections do, and name the limit in their error.
 * Defaults follow the practice of the front servers named beside them.
 */

/** Limits of one server. Bytes are bytes on the wire; counts are whole numbers; `Infinity` switches one off, but for the two that size memory: `headBytes` (at most 16 MiB) and `fieldCount` (at most 65,535). */
export interface Limits {
  /**
   * Largest request head, names, values and their lengths together.
   * Counted before anything is kept. Over it: ERR_LIMIT_HEAD_BYTES, status 431. AJP heads are limited earlier, by `ajp.packetSize`.
   *
   * @default 131_072 — passes the largest heads that real front servers send (70 KB) with room
   */
  headBytes: number;
  /**
   * Most names of one head, empty ones included (AJP: headers and attributes). Over it: ERR_LIMIT_FIELD_COUNT, 431.
   *
   * @default 1_000 — as nginx `max_headers`
   */
  fieldCount: number;
  /**
   * Longest name. Over it: ERR_LIMIT_NAME_BYTES, 431.
   *
   * @default 1_024
   */
  nameBytes: number;
  /**
   * Longest value. Over it: ERR_LIMIT_VALUE_BYTES, 431.
   *
   * @default 131_072 — a 70 KB header through h2o arrives whole (docs/decisions/value-bytes.md)
   */
  valueBytes: number;
  /**
   * Largest request body, declared or counted while it streams. Over it: ERR_LIMIT_BODY_BYTES, 413.
   *
   * @default 1_073_741_824 — bodies stream, so this bounds abuse and not memory
   */
  bodyBytes: number;
  /**
   * Most PARAMS records of one head (FastCGI). Over it: ERR_LIMIT_HEAD_RECORDS, 431.
   *
   * @default 10_000 — Cherokee sends one record for each variable
   */
  headRecords: number;
  /**
   * Most open connections of one process. Eight more are taken and answered 503 with Retry-After, so that status and ping
   * stay in reach; more than these are accepted and closed at once.
   *
   * @default 10_000
   */
  connections: number;
  /**
   * Most requests in flight of one process; more are answered 503 with Retry-After.
   *
   * @default 1_000
   */
  requests: number;
  /**
   * Most requests in flight of one connection when `multiplex` is on (FastCGI); 1 otherwise.
   *
   * @default 100
   */
  requestsPerConnection: number;
  /**
   * Longest delay of the event loop in milliseconds at which new requests are still taken; beyond it they are answered 503
   * with Retry-After. It is what a request would have waited already, so set it below the front server's own patience and
   * well above the application's longest pause.
   *
   * @default Infinity — off: what an application's loop may take is its own business
   */
  delay: number;
  /**
   * Most bytes of error text of one request (FastCGI STDERR); the rest is dropped.
   *
   * @default 65_536
   */
  stderrBytes: number;
  /**
   * Request body bytes held for a handler that does not read, before reading from the peer stops.
   *
   * @default 262_144 — reading a while hides neither end nor reset of the connection
   */
  windowBytes: number;
  /**
   * As `windowBytes`, for all requests of one multiplexed connection together.
   *
   * @default 16_777_216
   */
  connectionWindowBytes: number;
}

/** The defaults of {@link Limits}. */
export const DEFAULT_LIMITS: Readonly<Limits> = Object.freeze({
  headBytes: 131_072,
  fieldCount: 1_000,
  nameBytes: 1_024,
  valueBytes: 131_072,
  bodyBytes: 1_073_741_824,
  headRecords: 10_000,
  connections: 10_000,
  requests: 1_000,
  requestsPerConnection: 100,
  delay: Number.POSITIVE_INFINITY,
  stderrBytes: 65_536,
  windowBytes: 262_144,
  connectionWindowBytes: 16_777_216,
});

/** Records of one connection for ids that never began, in content bytes, before it is closed (FastCGI). */
export const STRAY_BYTES_MAX = 1_048_576;
/** Leftover input of ended requests on one connection, in bytes, before it is closed (FastCGI). */
export const ZOMBIE_BYTES_MAX = 8_388_608;
/** Ended requests with unfinished input that one connection remembers; the oldest is forgotten (FastCGI). */
export const ZOMBIES_MAX = 128;
/** GET_VALUES and unknown management records answered between two requests, before the connection is closed. */
export const CONTROLS_MAX = 100;
/** Refused BEGINs (CANT_MPX_CONN, UNKNOWN_ROLE, overload) of one connection, before it is closed. */
export const REFUSALS_MAX = 100;
/** Largest CONTENT_LENGTH that is a number at all: 2^53 − 1. More digits than 16, or a larger value: 400. */
export const CONTENT_LENGTH_MAX: number = Number.MAX_SAFE_INTEGER;

/** What a decoder needs to know of a server's options. Plain numbers, so that they cross the seam. */
export interface DecoderOptions {
  readonly headBytes: number;
  readonly fieldCount: number;
  readonly nameBytes: number;
  readonly valueBytes: number;
  readonly bodyBytes: number;
  readonly headRecords: number;
  /** 1 without multiplexing. */
  readonly requestsPerConnection: number;
  /** AJP packet size with its four header bytes, 8192 to 65536. */
  readonly ajpPacketBytes: number;
  /** AJP body packets carry no inner length (lighttpd). */
  readonly ajpRawBody: boolean;
  /** SCGI to the letter of its specification. */
  readonly scgiStrict: boolean;
}
