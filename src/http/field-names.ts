/**
 * Known field names → small integers, so that decoders make no name strings.
 * One id stands for the CGI spelling (`HTTP_USER_AGENT`), the AJP code and the header (`user-agent`); an unknown
 * name has no id and keeps its bytes. Twin: native/core/field_names.cc — same order, same hash, checked at load.
 */

/** CGI meta-variables and server variables. Their place in the list is their id, counted from 1. */
const VARIABLES =
  "REQUEST_METHOD REQUEST_URI QUERY_STRING CONTENT_TYPE CONTENT_LENGTH SCRIPT_NAME PATH_INFO PATH_TRANSLATED " +
  "SCRIPT_FILENAME DOCUMENT_ROOT DOCUMENT_URI SERVER_PROTOCOL SERVER_SOFTWARE SERVER_NAME SERVER_PORT SERVER_ADDR " +
  "GATEWAY_INTERFACE REMOTE_ADDR REMOTE_PORT REMOTE_HOST REMOTE_USER REMOTE_IDENT AUTH_TYPE HTTPS REQUEST_SCHEME " +
  "REDIRECT_STATUS REDIRECT_URL REDIRECT_URI SCRIPT_URL SCRIPT_URI FCGI_ROLE FCGI_DATA_LENGTH FCGI_DATA_LAST_MOD " +
  "FCGI_APACHE_ROLE SCGI SERVER_ADMIN SERVER_SIGNATURE CONTEXT_PREFIX CONTEXT_DOCUMENT_ROOT UNIQUE_ID PATH " +
  "SSL_PROTOCOL SSL_CIPHER SSL_CLIENT_CERT SSL_CLIENT_VERIFY SSL_CLIENT_S_DN SSL_CLIENT_I_DN SSL_SESSION_ID SSL_SERVER_NAME";

/** Request headers, in the usual spelling of their name; the CGI name is HTTP_ + upper case + `_` for `-`. */
const HEADERS =
  "Host User-Agent Accept Accept-Encoding Accept-Language Accept-Charset Connection Cookie Cookie2 Authorization " +
  "Referer Pragma Cache-Control If-Modified-Since If-None-Match If-Match If-Unmodified-Since If-Range Range Origin " +
  "Upgrade Upgrade-Insecure-Requests X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host X-Forwarded-Port " +
  "X-Forwarded-Server X-Real-Ip X-Requested-With X-Request-Id Forwarded Via Dnt Te Trailer Transfer-Encoding Keep-Alive " +
  "Expect Proxy Proxy-Connection Proxy-Authorization Content-Length Content-Type Content-Encoding Sec-Fetch-Site " +
  "Sec-Fetch-Mode Sec-Fetch-Dest Sec-Fetch-User Sec-Ch-Ua Sec-Ch-Ua-Mobile Sec-Ch-Ua-Platform Sec-Websocket-Key " +
  "Sec-Websocket-Version Sec-Websocket-Protocol Sec-Websocket-Extensions Priority From Max-Forwards " +
  "Access-Control-Request-Method Access-Control-Request-Headers Early-Data Traceparent Tracestate Last-Event-Id";

/** Fields of AJP that have no CGI name. Not looked up by bytes; the AJP decoder writes their ids. */
const AJP_FIELDS =
  "ajp:req_uri ajp:context ajp:servlet_path ajp:jvm_route ajp:ssl_cert ajp:ssl_cipher ajp:ssl_session " +
  "ajp:ssl_key_size ajp:ssl_key_bits ajp:secret ajp:stored_method";

const variables: readonly string[] = VARIABLES.split(" ");
const headers: readonly string[] = HEADERS.split(" ");
const ajpFields: readonly string[] = AJP_FIELDS.split(" ");
const headerBase = variables.length + 1;
const ajpBase = headerBase + headers.length;

/** CGI name of each id (`HTTP_USER_AGENT`), or the AJP field's own name. Index 0 is no name. */
export const FIELD_NAMES: readonly string[] = [
  "",
  ...variables,
  ...headers.map((name) => `HTTP_${name.toUpperCase().replaceAll("-", "_")}`),
  ...ajpFields,
];

/** Header name of each id in its usual spelling (`User-Agent`), or "" for an id that is no header. */
export const HEADER_NAMES: readonly string[] = FIELD_NAMES.map((name, id) => {
  if (name === "CONTENT_TYPE") return "Content-Type";
  if (name === "CONTENT_LENGTH") return "Content-Length";
  return id >= headerBase && id < ajpBase ? headers[id - headerBase]! : "";
});

/** Is this the id of a request header that CGI spells HTTP_…? */
export function isHeaderId(id: number): boolean {
  return id >= headerBase && id < ajpBase;
}

/** Ids by CGI name or AJP field name; for constants at module load, not for the hot path. */
export function fieldId(name: string): number {
  const id = FIELD_NAMES.indexOf(name);
  if (id < 1) throw new RangeError(`no field id for ${name}`);
  return id;
}

/** Buckets of the lookup table; a power of two. */
const BUCKETS = 512;

/** Hash of a name by its length and three of its bytes; the twin's function is the same to the digit. */
function hash(length: number, quarter: number, middle: number, last: number): number {
  return (length * 37 + quarter * 11 + middle * 101 + last * 7) & (BUCKETS - 1);
}

/** Every known name has at least this many bytes: what one comparison takes. */
const WORD_BYTES = 4;

const firstInBucket = new Uint16Array(BUCKETS);
const nextInBucket = new Uint16Array(FIELD_NAMES.length);
/** Length of each name, and where its bytes are in {@link nameWords}. */
const nameLengths = Uint8Array.from(FIELD_NAMES, (name) => name.length);
const nameStarts = new Uint16Array(FIELD_NAMES.length);
const nameBytes = Buffer.from(FIELD_NAMES.join(""), "latin1");
const nameWords = new DataView(nameBytes.buffer, nameBytes.byteOffset, nameBytes.length);
for (let id = ajpBase - 1; id > 0; id--) {
  const name = Buffer.from(FIELD_NAMES[id]!, "latin1");
  const n = name.length;
  const bucket = hash(n, name[n >> 2]!, name[n >> 1]!, name[n - 1]!);
  nextInBucket[id] = firstInBucket[bucket]!;
  firstInBucket[bucket] = id;
}
for (let id = 1; id < FIELD_NAMES.length; id++) {
  nameStarts[id] = nameStarts[id - 1]! + nameLengths[id - 1]!;
}

/** Are these bytes the name? Four at a time, the last four perhaps once more: byte by byte it takes three times as long. */
function isName(id: number, words: DataView, start: number, length: number): boolean {
  const name = nameStarts[id]!;
  const last = length - WORD_BYTES;
  for (let i = 0; i < last; i += WORD_BYTES) {
    if (words.getInt32(start + i, true) !== nameWords.getInt32(name + i, true)) return false;
  }
  return words.getInt32(start + last, true) === nameWords.getInt32(name + last, true);
}

/**
 * Finds the id of a CGI name by its bytes, without making a string.
 *
 * @param words  memory that holds the name
 * @param start  offset of its first byte
 * @param length its length in bytes; names are compared exactly, upper case as CGI writes them
 * @returns the id, or 0 for a name that is not known
 */
export function lookupFieldName(words: DataView, start: number, length: number): number {
  if (length < WORD_BYTES) return 0;
  const bucket = hash(
    length,
    words.getUint8(start + (length >> 2)),
    words.getUint8(start + (length >> 1)),
    words.getUint8(start + length - 1),
  );
  for (let id = firstInBucket[bucket]!; id !== 0; id = nextInBucket[id]!) {
    if (nameLengths[id] === length && isName(id, words, start, length)) return id;
  }
  return 0;
}
