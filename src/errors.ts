/**
 * Every error that postern makes: the classes, and the one table of codes.
 * It throws and sends nothing itself. Codes are documented in docs/errors.md; `number` is what crosses the seam
 * from a decoder. What the peer sees follows from scope and status: connection/dispatch.ts decides.
 */

/** How far an error reaches: one exchange, or everything on its connection. */
export type ErrorScope = "request" | "connection";

/** One row of {@link ERRORS}. */
export interface ErrorRow {
  readonly code: string;
  /** What crosses the seam; native has no message strings. Never reused. */
  readonly number: number;
  readonly scope: ErrorScope;
  /** Where the rule stands. */
  readonly section: string;
  /** HTTP status of the answer; 0: no answer, the connection just ends. */
  readonly status: number;
  /** What was seen, where, what was expected. Never bytes of user data. */
  readonly sentence: string;
}

/** Every error a peer can cause: number, scope, status, section, sentence. One row a line. */
// biome-ignore format: a table is read by its columns.
const TABLE = {
  FCGI_VERSION: [1, "connection", 0, "FastCGI §3.3", "FastCGI record with a version other than 1."],
  FCGI_BEGIN_LENGTH: [2, "connection", 0, "FastCGI §5.1", "BEGIN_REQUEST content is not 8 bytes long."],
  FCGI_REQUEST_ID: [3, "connection", 0, "FastCGI §3.3", "Application record with request id 0; expected 1 to 65535."],
  FCGI_DUPLICATE_BEGIN: [4, "connection", 0, "FastCGI §3.3", "BEGIN_REQUEST for an id whose request or input has not ended."],
  FCGI_DIRECTION: [5, "connection", 0, "FastCGI §3.3", "Record type that only an application may send."],
  FCGI_PARAMS_ORDER: [6, "connection", 0, "FastCGI §6.1", "PARAMS after their end, or STDIN or DATA before it."],
  FCGI_STRAY_BYTES: [7, "connection", 0, "FastCGI §3.3", "Too many bytes for ids without a request."],
  FCGI_CONTROLS: [8, "connection", 0, "FastCGI §4", "Too many management records between two requests."],
  FCGI_REFUSALS: [9, "connection", 0, "FastCGI §5.5", "Too many refused BEGIN_REQUEST records."],
  FCGI_ROLE: [20, "request", 0, "FastCGI §5.5", "Role other than Responder, Authorizer and Filter; answered UNKNOWN_ROLE."],
  FCGI_CANT_MPX: [21, "request", 0, "FastCGI §5.5", "Second request on a connection without multiplexing; answered CANT_MPX_CONN."],
  FCGI_OVERLOADED: [22, "request", 503, "FastCGI §5.5", "More requests on one connection than limits.requestsPerConnection."],
  FCGI_PARAMS: [23, "request", 400, "FastCGI §3.4", "Name-value pair reaches past the end of PARAMS."],
  CONTENT_LENGTH: [24, "request", 400, "RFC 3875 §4.1.2", "CONTENT_LENGTH missing where it must be, not digits, too large, or given twice."],
  BODY_SHORT: [25, "request", 400, "RFC 3875 §4.2", "Request body ended before CONTENT_LENGTH bytes had come."],
  LIMIT_HEAD_BYTES: [30, "request", 431, "limits.headBytes", "Request head larger than limits.headBytes."],
  LIMIT_FIELD_COUNT: [31, "request", 431, "limits.fieldCount", "Request head with more fields than limits.fieldCount."],
  LIMIT_NAME_BYTES: [32, "request", 431, "limits.nameBytes", "Field name longer than limits.nameBytes."],
  LIMIT_VALUE_BYTES: [33, "request", 431, "limits.valueBytes", "Field value longer than limits.valueBytes."],
  LIMIT_HEAD_RECORDS: [34, "request", 431, "limits.headRecords", "Request head in more records than limits.headRecords."],
  LIMIT_BODY_BYTES: [35, "request", 413, "limits.bodyBytes", "Request body larger than limits.bodyBytes."],
  SCGI_LENGTH: [40, "connection", 400, "SCGI, netstring", "Netstring length is not plain decimal digits followed by a colon."],
  SCGI_COMMA: [41, "connection", 400, "SCGI, netstring", "Netstring does not end with a comma."],
  SCGI_HEADERS: [42, "connection", 400, "SCGI, headers", "Headers are not pairs of NUL-terminated strings with a name each."],
  SCGI_STRICT: [43, "connection", 400, "SCGI, rules 1 to 3", "Header order, name or repetition that scgi.strict does not allow."],
  AJP_MAGIC: [50, "connection", 0, "AJP, packet structure", "Packet does not begin with 12 34."],
  AJP_PACKET_TYPE: [51, "connection", 0, "AJP, packet types", "Packet that is unknown, unwanted or not due here."],
  AJP_PACKET_BYTES: [52, "connection", 400, "AJP, packet size", "Packet larger than ajp.packetSize."],
  AJP_FORWARD: [53, "connection", 400, "AJP, Forward Request", "Forward Request with a string, number, code or end out of place."],
  AJP_BODY_LENGTH: [54, "connection", 400, "AJP, request body", "Body packet whose inner length does not fit; for lighttpd set ajp.rawBody."],
  AJP_BODY_EXCESS: [55, "connection", 400, "AJP, request body", "Body packet with more bytes than Content-Length has left."],
  AJP_SECRET: [56, "request", 403, "AJP, secret", "Secret missing or wrong."],
  AJP_ATTRIBUTE: [57, "request", 403, "AJP, attributes", "Request attribute that ajp.attributes does not allow."],
  METHOD: [60, "request", 400, "RFC 3875 §4.1.12", "REQUEST_METHOD missing or not a token."],
  TARGET: [61, "request", 400, "RFC 9112 §3.2", "Request target that is neither a path nor an absolute URI nor *."],
  FIELD_VALUE: [62, "request", 400, "RFC 9110 §5.5", "Field value with NUL, CR or LF."],
  FIELD_CONFLICT: [63, "request", 400, "RFC 9110 §5.3", "Field that may stand once was given twice with different values."],
  TRANSFER_ENCODING: [64, "request", 400, "RFC 9112 §6.1", "AJP: Transfer-Encoding other than chunked, or beside Content-Length."],
  LIMIT_REQUESTS: [70, "request", 503, "limits.requests", "More requests in flight than limits.requests, or the server is draining."],
  LIMIT_WINDOW: [71, "request", 503, "limits.windowBytes", "Handler did not read its body while others of the connection waited."],
  TIMEOUT_HEAD: [72, "request", 408, "timeouts.head", "Request head not complete within timeouts.head."],
  TIMEOUT_BODY: [73, "request", 408, "timeouts.body", "No byte of the request body within timeouts.body."],
  TIMEOUT_REQUEST: [75, "request", 503, "timeouts.request", "Request not answered within timeouts.request."],
  LIMIT_CONNECTIONS: [76, "request", 503, "limits.connections", "More connections than limits.connections; this one was taken to say so."],
  LIMIT_DELAY: [77, "request", 503, "limits.delay", "Event loop later than limits.delay."],
  TIMEOUT_QUEUE: [78, "request", 503, "timeouts.queue", "Request older than timeouts.queue, by its X-Request-Start, before it could run."],
  TIMEOUT_WRITE: [74, "connection", 0, "timeouts.write", "Peer took no byte of the response within timeouts.write."],
} as const;

/** Names of {@link ERRORS}: the codes without `ERR_`. */
export type ErrorName = keyof typeof TABLE;

/** Every error a peer can cause, by name. */
export const ERRORS: Readonly<Record<ErrorName, ErrorRow>> = (() => {
  const rows: Partial<Record<ErrorName, ErrorRow>> = {};
  for (const name of Object.keys(TABLE) as ErrorName[]) {
    const [number, scope, status, section, sentence] = TABLE[name];
    rows[name] = { code: `ERR_${name}`, number, scope, status, section, sentence };
  }
  return rows as Record<ErrorName, ErrorRow>;
})();

const byNumber: (ErrorRow | undefined)[] = [];
for (const row of Object.values(ERRORS)) byNumber[row.number] = row;

/** The row whose `number` crossed the seam; undefined for a number that no row has. */
export function errorRow(number: number): ErrorRow | undefined {
  return byNumber[number];
}

/** The peer broke a protocol's rule or a limit. `code` and `row` say which. */
export class ProtocolError extends Error {
  override readonly name: string = "ProtocolError";
  readonly code: string;
  readonly row: ErrorRow;

  constructor(row: ErrorRow, options?: ErrorOptions) {
    super(`${row.sentence} (${row.section})`, options);
    this.code = row.code;
    this.row = row;
  }
}

/** A request took longer than `timeouts.request`, and was ended. */
export class OverdueError extends ProtocolError {
  override readonly name: string = "OverdueError";
  /** How long it ran, in milliseconds. */
  readonly afterMs: number;

  constructor(row: ErrorRow, afterMs: number) {
    super(row);
    this.afterMs = afterMs;
  }
}

/** Our caller made a mistake: a bad option, file, port or use. The message says what, where and how to mend it. */
export class UsageError extends TypeError {
  override readonly name: string = "UsageError";
  readonly code: string;

  constructor(message: string, code = "ERR_USAGE", options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Why a request ended before its time: the peer aborted it, or the connection was lost. Reason of `signal`. */
export class AbortError extends Error {
  override readonly name: string = "AbortError";
  readonly code: "ERR_ABORTED" | "ERR_CONNECTION_LOST";

  constructor(code: "ERR_ABORTED" | "ERR_CONNECTION_LOST") {
    super(
      code === "ERR_ABORTED" ? "The front server aborted the request." : "The connection was lost.",
    );
    this.code = code;
  }
}

/** A mistake of postern's own. The message asks for a report. */
export class InternalError extends Error {
  override readonly name: string = "InternalError";
  readonly code = "ERR_INTERNAL";

  constructor(message: string, options?: ErrorOptions) {
    super(`${message} This is a mistake in postern; please report it.`, options);
  }
}

/** Why a request of our own client failed, by code. */
export const CLIENT_ERRORS = {
  ERR_CLIENT_CONNECT: "The application could not be reached.",
  ERR_CLIENT_CLOSED: "The application closed the connection before its answer was complete.",
  ERR_CLIENT_TRUNCATED: "The answer is shorter than its Content-Length.",
  ERR_CLIENT_RESPONSE: "The answer breaks its protocol.",
  ERR_CLIENT_EMPTY: "The application ended the request without a response head.",
  ERR_CLIENT_CANT_MPX: "The application takes one request at a time on a connection.",
  ERR_CLIENT_OVERLOADED: "The application has no capacity for another request.",
  ERR_CLIENT_ROLE: "The application does not know the role of the request.",
  ERR_CLIENT_TIMEOUT: "The application did not answer in time.",
} as const;

/** Codes of {@link ClientError}. */
export type ClientErrorCode = keyof typeof CLIENT_ERRORS;

/** A request of our own client failed at the application's side or on the way to it. */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
  readonly code: ClientErrorCode;
  /** Had any byte of the answer come? If not, an idempotent request may be tried again. */
  readonly answered: boolean;

  constructor(code: ClientErrorCode, detail = "", answered = false, options?: ErrorOptions) {
    super(detail === "" ? CLIENT_ERRORS[code] : `${CLIENT_ERRORS[code]} ${detail}`, options);
    this.code = code;
    this.answered = answered;
  }
}
