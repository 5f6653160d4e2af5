/**
 * CGI meta-variables → RequestHead, for FastCGI and SCGI: what refuses a request is judged here, in one pass over the
 * fields and before a handler runs; what only describes it is left to head.ts.
 * It reads fields that a decoder has found; it decodes no wire format, and no variable is ever rewritten in place.
 * RFC 3875 §4.1; what each front server really sends is in docs/front-servers.md.
 */
import { ERRORS, ProtocolError } from "../../errors.ts";
import { FIELD_CELLS, type FieldBlock } from "../../http/field-block.ts";
import { fieldId } from "../../http/field-names.ts";
import { FieldPlaces } from "../../http/field-places.ts";
import type { RequestHead } from "../../http/head.ts";
import { FIELD_KINDS, FieldKind } from "../../http/header-list.ts";
import { methodAt } from "../../http/method.ts";
import { encodePath, hostOf, rawTargetAt, withQuery } from "../../http/target.ts";
import { isForbidden, ValueScan } from "../../http/value-scan.ts";
import type { HeadOptions, Protocol } from "../protocol.ts";
import { CgiHead } from "./head.ts";
import { headerName } from "./names.ts";

const REQUEST_METHOD = fieldId("REQUEST_METHOD");
const REQUEST_URI = fieldId("REQUEST_URI");
const QUERY_STRING = fieldId("QUERY_STRING");
const SCRIPT_NAME = fieldId("SCRIPT_NAME");
const PATH_INFO = fieldId("PATH_INFO");
const SERVER_SOFTWARE = fieldId("SERVER_SOFTWARE");
const UPGRADE = fieldId("HTTP_UPGRADE");

const places = new FieldPlaces();

/** "HTTP_": what every header's name begins with. */
function mayBeHeader(text: string, at: number): boolean {
  return text.charCodeAt(at) === 0x48 && text.startsWith("HTTP_", at);
}

/**
 * Looks at every field once.
 *
 * @throws ProtocolError ERR_FIELD_VALUE for NUL, CR or LF in a header; ERR_FIELD_CONFLICT for two different values of
 *   a variable, host or authorization
 */
function judge(fields: FieldBlock, scan: ValueScan): void {
  const { text, rows, first, base } = fields;
  const end = first + fields.count * FIELD_CELLS;
  places.begin(fields);
  scan.begin();
  for (let at = first; at < end; at += FIELD_CELLS) {
    const name = rows[at]!;
    const length = rows[at + 3]!;
    if (name <= 0) {
      if (!mayBeHeader(text, -name - base)) continue;
      const start = rows[at + 2]! - base;
      if (scan.finds(text, start, start + length)) checkUnknown(fields, at);
      continue;
    }
    const kind = FIELD_KINDS[name]!;
    if (kind >= FieldKind.CONTENT) {
      const start = rows[at + 2]! - base;
      if (scan.finds(text, start, start + length)) throw new ProtocolError(ERRORS.FIELD_VALUE);
    }
    if (kind === FieldKind.DROPPED) {
      if (name === UPGRADE) places.set(fields, name, at);
    } else if (kind === FieldKind.SINGLE || (kind < FieldKind.HEADER && length > 0)) {
      places.setOnce(fields, name, at);
    }
  }
}

/** A field with a forbidden character, whose name has no id. */
function checkUnknown(fields: FieldBlock, at: number): void {
  const i = (at - fields.first) / FIELD_CELLS;
  if (headerName(fields.name(i)) !== "") throw new ProtocolError(ERRORS.FIELD_VALUE);
}

/** Cherokee decodes REQUEST_URI, query included: what precedes the query is a path to be encoded again. */
function decodedTarget(requestUri: string, query: string): string {
  const tail = `?${query}`;
  const path =
    query !== "" && requestUri.endsWith(tail) ? requestUri.slice(0, -tail.length) : requestUri;
  return withQuery(encodePath(path), query);
}

function readMethod(fields: FieldBlock): string {
  const place = places.of(REQUEST_METHOD);
  if (place < 0) throw new ProtocolError(ERRORS.METHOD);
  const at = fields.first + place;
  return methodAt(fields.text, fields.rows[at + 2]! - fields.base, fields.rows[at + 3]!);
}

function isCherokee(fields: FieldBlock): boolean {
  const place = places.of(SERVER_SOFTWARE);
  if (place < 0) return false;
  const start = fields.rows[fields.first + place + 2]! - fields.base;
  return fields.text.charCodeAt(start) === 0x43 && fields.text.startsWith("Cherokee", start);
}

/** The target out of a peer's REQUEST_URI. */
function readTarget(fields: FieldBlock, place: number, method: string): string {
  const at = fields.first + place;
  const start = fields.rows[at + 2]! - fields.base;
  if (isCherokee(fields) && fields.text.charCodeAt(start) === 0x2f) {
    return decodedTarget(fields.valueAt(at), places.value(fields, QUERY_STRING));
  }
  return rawTargetAt(fields.text, start, start + fields.rows[at + 3]!, method);
}

/** The target of a peer that sends no REQUEST_URI. */
function builtTarget(fields: FieldBlock): string {
  const path = places.value(fields, SCRIPT_NAME) + places.value(fields, PATH_INFO);
  const query = places.value(fields, QUERY_STRING);
  return withQuery(encodePath(path.startsWith("/") ? path : `/${path}`), query);
}

/** Host of an absolute target. @throws ProtocolError ERR_FIELD_VALUE for NUL, CR or LF in it */
function readHost(fields: FieldBlock, place: number): string {
  const at = fields.first + place;
  if (fields.text.charCodeAt(fields.rows[at + 2]! - fields.base) === 0x2f) return "";
  const host = hostOf(fields.valueAt(at));
  if (isForbidden(host)) throw new ProtocolError(ERRORS.FIELD_VALUE);
  return host;
}

/**
 * Makes the reader of the heads of FastCGI or SCGI requests.
 *
 * @param framesByNul does NUL end every value (SCGI)?
 */
export function createHeadReader(framesByNul: boolean): Protocol["readHead"] {
  const scan = new ValueScan(framesByNul);
  return (fields, _meta, options) => {
    judge(fields, scan);
    return readCgiHead(fields, options);
  };
}

function readCgiHead(fields: FieldBlock, options: HeadOptions): RequestHead {
  const method = readMethod(fields);
  const place = places.of(REQUEST_URI);
  const target = place < 0 ? builtTarget(fields) : readTarget(fields, place, method);
  const host = place < 0 ? "" : readHost(fields, place);
  const hasUpgrade = places.has(UPGRADE);
  const head = new CgiHead(fields, options, method, target, host, hasUpgrade);
  if (options.stripScriptName) head.url = stripMount(target, head.scriptName);
  return head;
}

/** Takes an encoded prefix off a target, for applications that want to be mounted unseen. */
export function stripMount(url: string, scriptName: string): string {
  const prefix = encodePath(scriptName);
  if (prefix === "" || !url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  if (rest === "" || rest[0] === "?") return `/${rest}`;
  return rest[0] === "/" ? rest : url;
}
