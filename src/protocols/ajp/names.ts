/**
 * AJP 1.3 codes ↔ names: methods, request headers, response headers, and the field ids of what a request holds.
 * It reads and writes no packet. Apache JServ Protocol 1.3, ajpv13a: "method", "header names", "Send Headers".
 * Twin of the id tables: native/core/ajp_forward_request.cc.
 */
import { fieldId } from "../../http/field-names.ts";

/** Method words by their code; index 0 is no method. Code 255 is METHOD_STORED in constants.ts. */
export const METHOD_NAMES: readonly string[] = (
  " OPTIONS GET HEAD POST PUT DELETE TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK ACL REPORT " +
  "VERSION-CONTROL CHECKIN CHECKOUT UNCHECKOUT SEARCH MKWORKSPACE UPDATE LABEL MERGE BASELINE-CONTROL MKACTIVITY"
).split(" ");

/** Request header names by the low byte of their code A0xx, in their usual spelling; index 0 is no header. */
export const REQUEST_HEADER_NAMES: readonly string[] = (
  " Accept Accept-Charset Accept-Encoding Accept-Language Authorization Connection Content-Type Content-Length " +
  "Cookie Cookie2 Host Pragma Referer User-Agent"
).split(" ");

/** Response header names by the low byte of their code A0xx, in their usual spelling; index 0 is no header. */
export const RESPONSE_HEADER_NAMES: readonly string[] = (
  " Content-Type Content-Language Content-Length Date Last-Modified Location Set-Cookie Set-Cookie2 " +
  "Servlet-Engine Status WWW-Authenticate"
).split(" ");

const codesByName = (names: readonly string[]): ReadonlyMap<string, number> =>
  new Map(names.map((name, code): [string, number] => [name.toLowerCase(), code]).slice(1));

const methodCodes = new Map(
  METHOD_NAMES.map((name, code): [string, number] => [name, code]).slice(1),
);
const requestHeaderCodes = codesByName(REQUEST_HEADER_NAMES);
const responseHeaderCodes = codesByName(RESPONSE_HEADER_NAMES);

/** Code of a method word (case counts), or 0: then METHOD_STORED and attribute STORED_METHOD carry it. */
export function methodCode(name: string): number {
  return methodCodes.get(name) ?? 0;
}

/** Whole code 0xA0xx of a request header name in lower case, or 0 when it has to be spelled. */
export function requestHeaderCode(lowerName: string): number {
  const code = requestHeaderCodes.get(lowerName);
  return code === undefined ? 0 : 0xa000 | code;
}

/** Whole code 0xA0xx of a response header name in lower case, or 0 when it has to be spelled. */
export function responseHeaderCode(lowerName: string): number {
  const code = responseHeaderCodes.get(lowerName);
  return code === undefined ? 0 : 0xa000 | code;
}

const headerFieldId = (name: string): number => {
  const cgiName = name.toUpperCase().replaceAll("-", "_");
  return fieldId(cgiName.startsWith("CONTENT_") ? cgiName : `HTTP_${cgiName}`);
};

/** Field ids of coded request headers by the low byte of their code; 0 where there is no header. */
export const REQUEST_HEADER_IDS: Uint16Array = Uint16Array.from(
  REQUEST_HEADER_NAMES.map((name) => (name === "" ? 0 : headerFieldId(name))),
);

/** Field ids of attributes by their code; 0 where the decoder has to look closer (0A, 0B) or knows none. */
export const ATTRIBUTE_IDS: Uint16Array = Uint16Array.from(
  (
    " ajp:context ajp:servlet_path REMOTE_USER AUTH_TYPE QUERY_STRING ajp:jvm_route ajp:ssl_cert ajp:ssl_cipher " +
    "ajp:ssl_session   ajp:secret ajp:stored_method"
  )
    .split(" ")
    .map((name) => (name === "" ? 0 : fieldId(name))),
);
