/**
 * Options of a request → a request whose names, values and lengths are checked, and its CGI variables.
 * It sends nothing. RFC 3875 §4.1 for the variables; header names become HTTP_*, repeated ones are joined as
 * web servers do, since SCGI allows no name twice.
 */
import { UsageError } from "../errors.ts";
import { BodySource } from "./body-source.ts";
import type { ClientHeaders, ClientProtocol, PreparedRequest, RequestOptions } from "./session.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What a header value may be made of: latin1 without NUL, CR and LF. */
const VALUE = /^[^\0\r\n\u0100-\u{10ffff}]*$/u;
/** What a variable may be made of. */
const VARIABLE = /^[^\0\u0100-\u{10ffff}]*$/u;
const TARGET = /^[^\0-\x20\x7f\u0100-\u{10ffff}]+$/u;
/** Methods that mean a body even if it is empty. */
const BODY_METHODS: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/**
 * Checks a request's options and finds its lengths.
 *
 * @throws UsageError naming the option that is wrong
 */
export function prepareRequest(options: RequestOptions, protocol: ClientProtocol): PreparedRequest {
  const { method = "GET", url = "/", role = "responder" } = options;
  if (!TOKEN.test(method)) throw new UsageError("method must be a token such as GET.");
  if (!TARGET.test(url)) {
    throw new UsageError(
      "url must be percent-encoded: no blanks, controls or characters above U+00FF.",
    );
  }
  if (protocol !== "fastcgi" && (role !== "responder" || options.data !== undefined)) {
    throw new UsageError(`role and data exist in FastCGI only, and the protocol is ${protocol}.`);
  }
  if (protocol === "ajp" && options.upgrade !== undefined) {
    throw new UsageError("AJP carries no upgrade; use fastcgi or scgi.");
  }
  if (protocol !== "ajp" && options.attributes !== undefined) {
    throw new UsageError(`attributes exist in AJP only, and the protocol is ${protocol}.`);
  }
  checkVariables(options.params);
  checkVariables(options.attributes);
  const { headers, length } = readHeaders(options.headers ?? []);
  const body = options.body === undefined ? undefined : new BodySource(options.body, length);
  const impliedLength = BODY_METHODS.has(method) ? 0 : undefined;
  return {
    method,
    url,
    headers,
    params: options.params ?? {},
    attributes: options.attributes ?? {},
    contentLength: body === undefined ? (length ?? impliedLength) : body.length,
    body,
    role,
    data: options.data === undefined ? undefined : new BodySource(options.data),
    upgrade: options.upgrade === undefined ? undefined : new BodySource(options.upgrade),
    onStderr: options.onStderr,
    signal: options.signal,
  };
}

function checkVariables(variables: Readonly<Record<string, string | undefined>> = {}): void {
  for (const [name, value] of Object.entries(variables)) {
    if (name === "" || !VARIABLE.test(name) || !VARIABLE.test(value ?? "")) {
      throw new UsageError(`${name} must be latin1 without NUL, and have a name.`);
    }
  }
}

function readHeaders(input: ClientHeaders): {
  headers: [string, string][];
  length: number | undefined;
} {
  const pairs = Array.isArray(input)
    ? (input as readonly (readonly [string, string])[])
    : Object.entries(input as Readonly<Record<string, string | readonly string[]>>).flatMap(
        ([name, values]) => [values].flat().map((value): [string, string] => [name, value]),
      );
  const headers: [string, string][] = [];
  let length: number | undefined;
  for (const [name, value] of pairs) {
    if (!TOKEN.test(name)) throw new UsageError("A header name must be a token such as Accept.");
    if (!VALUE.test(value)) {
      throw new UsageError(`The value of header ${name} must be latin1 without NUL, CR and LF.`);
    }
    if (name.toLowerCase() !== "content-length") {
      headers.push([name, value]);
      continue;
    }
    if (!/^\d{1,15}$/.test(value)) throw new UsageError("Content-Length must be digits.");
    length = Number(value);
  }
  return { headers, length };
}

/** The first value of a header, or "". */
export function headerValue(request: PreparedRequest, lowerName: string): string {
  return request.headers.find(([name]) => name.toLowerCase() === lowerName)?.[1] ?? "";
}

/** Name and port that the request was made to, from its Host header; `localhost` and 80 without one. */
export function serverNameAndPort(request: PreparedRequest): [name: string, port: string] {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(headerValue(request, "host"));
  return [match?.[1] || "localhost", match?.[2] ?? "80"];
}

/** Path and query of a url; the query is undefined when there is no `?`. */
export function splitUrl(url: string): [path: string, query: string | undefined] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url, undefined] : [url.slice(0, mark), url.slice(mark + 1)];
}

/** Percent-encoded text as the latin1 form of the bytes it stands for; broken escapes stay as they are. */
function decodePath(path: string): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/**
 * The CGI variables of a request, CONTENT_LENGTH not among them unless its length is known.
 *
 * As from a web server that mounts the application at the root: SCRIPT_NAME is empty and PATH_INFO the whole path.
 * An Authorizer gets neither those nor a length (FastCGI §6.3).
 */
export function cgiVariables(request: PreparedRequest): Map<string, string> {
  const [path, query] = splitUrl(request.url);
  const [serverName, serverPort] = serverNameAndPort(request);
  const variables = new Map<string, string>();
  if (request.contentLength !== undefined)
    variables.set("CONTENT_LENGTH", `${request.contentLength}`);
  variables.set("REQUEST_METHOD", request.method).set("REQUEST_URI", request.url);
  variables.set("QUERY_STRING", query ?? "").set("SCRIPT_NAME", "");
  const pathInfo = decodePath(path);
  // A NUL cannot be told from an end in SCGI, and no web server passes one on.
  if (!pathInfo.includes("\0")) variables.set("PATH_INFO", pathInfo);
  variables.set("SERVER_PROTOCOL", "HTTP/1.1").set("GATEWAY_INTERFACE", "CGI/1.1");
  variables.set("SERVER_SOFTWARE", "postern").set("SERVER_NAME", serverName);
  variables.set("SERVER_PORT", serverPort).set("REMOTE_ADDR", "127.0.0.1");
  if (request.data?.length !== undefined)
    variables.set("FCGI_DATA_LENGTH", `${request.data.length}`);
  for (const [name, value] of request.headers) {
    const upper = name.toUpperCase().replaceAll("-", "_");
    const variable = upper === "CONTENT_TYPE" ? upper : `HTTP_${upper}`;
    const present = variables.get(variable);
    const separator = variable === "HTTP_COOKIE" ? "; " : ", ";
    variables.set(variable, present === undefined ? value : present + separator + value);
  }
  if (request.role === "authorizer") {
    for (const name of ["CONTENT_LENGTH", "PATH_INFO", "SCRIPT_NAME"]) variables.delete(name);
  }
  for (const [name, value] of Object.entries(request.params)) {
    if (value === undefined) variables.delete(name);
    else variables.set(name, value);
  }
  return variables;
}
