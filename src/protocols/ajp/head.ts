/**
 * An AJP 1.3 Forward Request's fields → RequestHead: what refuses a request is judged here, before a handler runs; what
 * only describes it is left to request-head.ts.
 * It reads fields that the decoder has found and decodes no packet; attributes are data, they select nothing here.
 * Apache JServ Protocol 1.3, "Request packet structure"; the secret and the attribute policy of docs/security.md.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { ERRORS, ProtocolError } from "../../errors.ts";
import { FIELD_CELLS, type FieldBlock } from "../../http/field-block.ts";
import { fieldId } from "../../http/field-names.ts";
import type { RequestHead } from "../../http/head.ts";
import { checkMethod } from "../../http/method.ts";
import { hostOf, rawTarget, withQuery } from "../../http/target.ts";
import { isForbidden } from "../../http/value-scan.ts";
import { stripMount } from "../cgi/variables.ts";
import type { HeadMeta, HeadOptions } from "../protocol.ts";
import { METHOD_STORED } from "./constants.ts";
import { METHOD_NAMES } from "./names.ts";
import { AjpHead, Fixed, lastAttribute } from "./request-head.ts";
import { FIRST_HEADER, judgeHeaders } from "./request-headers.ts";

const SECRET = fieldId("ajp:secret");
const STORED_METHOD = fieldId("ajp:stored_method");
const QUERY_STRING = fieldId("QUERY_STRING");
/** Request attributes that front servers use to carry facts of the protocol itself. */
const KNOWN_ATTRIBUTES = new Set([
  "AJP_REMOTE_PORT",
  "AJP_LOCAL_ADDR",
  "AJP_SSL_PROTOCOL",
  "JK_LB_ACTIVATION",
]);

/** Compares digests, so that neither time nor length tells anything about the secret. */
function checkSecret(fields: FieldBlock, from: number, hash: Buffer | undefined): void {
  if (hash === undefined) return;
  const given = lastAttribute(fields, from, SECRET);
  const digest = createHash("sha256").update(given, "latin1").digest();
  if (!timingSafeEqual(digest, hash)) throw new ProtocolError(ERRORS.AJP_SECRET);
}

/** The option's expression has to match the whole name. */
function isAllowed(allowed: RegExp | undefined, name: string): boolean {
  if (allowed === undefined) return false;
  const match = name.match(new RegExp(allowed.source, allowed.flags.replace(/[gy]/g, "")));
  return match !== null && match[0] === name;
}

/** Looks at every attribute. @throws ProtocolError ERR_AJP_ATTRIBUTE for one that nobody has allowed */
function judgeAttributes(fields: FieldBlock, from: number, allowed: RegExp | undefined): void {
  for (let i = from; i < fields.count; i++) {
    if (fields.id(i) > 0) continue;
    const name = fields.name(i);
    if (!KNOWN_ATTRIBUTES.has(name) && !isAllowed(allowed, name)) {
      throw new ProtocolError(ERRORS.AJP_ATTRIBUTE);
    }
  }
}

function readMethod(fields: FieldBlock, from: number, code: number): string {
  if (code !== METHOD_STORED) return METHOD_NAMES[code] || checkMethod("");
  return checkMethod(lastAttribute(fields, from, STORED_METHOD));
}

/** lighttpd decodes the path, httpd and mod_jk do not: escapes stay, what cannot stand in a path is encoded. */
function madePath(uri: string, method: string): string {
  const target = uri
    .replace(/\?/g, "%3F")
    .replace(/#/g, "%23")
    .replace(/%(?![0-9A-Fa-f]{2})/g, "%25");
  return rawTarget(target, method);
}

/** The path of a request; what most clients ask for is taken as it is. */
function readPath(fields: FieldBlock, method: string): string {
  const { text, rows, first, base } = fields;
  const at = first + Fixed.URI * FIELD_CELLS;
  const start = rows[at + 2]! - base;
  const end = start + rows[at + 3]!;
  const uri = text.slice(start, end);
  if (start === end || text.charCodeAt(start) !== 0x2f) return madePath(uri, method);
  for (let i = start; i < end; i++) {
    const byte = text.charCodeAt(i);
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== 0x23 && byte !== 0x25 && byte !== 0x3f;
    if (!isPlain) return madePath(uri, method);
  }
  return uri;
}

/** Path and query as one target. @throws ProtocolError ERR_TARGET for `*` with a query, which is no target at all */
function readTarget(fields: FieldBlock, from: number, method: string): string {
  const path = readPath(fields, method);
  const query = lastAttribute(fields, from, QUERY_STRING);
  if (query !== "" && path === "*") throw new ProtocolError(ERRORS.TARGET);
  return withQuery(path, query);
}

/** Host of an absolute target. @throws ProtocolError ERR_FIELD_VALUE for NUL, CR or LF in it */
function readHost(fields: FieldBlock): string {
  const start = fields.rows[fields.first + Fixed.URI * FIELD_CELLS + 2]! - fields.base;
  if (fields.text.charCodeAt(start) === 0x2f) return "";
  const host = hostOf(fields.value(Fixed.URI));
  if (isForbidden(host)) throw new ProtocolError(ERRORS.FIELD_VALUE);
  return host;
}

/**
 * Reads the head of an AJP request.
 *
 * @throws ProtocolError ERR_AJP_SECRET before anything else is looked at; ERR_AJP_ATTRIBUTE, ERR_METHOD, ERR_TARGET,
 *   ERR_FIELD_VALUE, ERR_FIELD_CONFLICT, ERR_TRANSFER_ENCODING
 */
export function readAjpHead(fields: FieldBlock, meta: HeadMeta, options: HeadOptions): RequestHead {
  const headersEnd = FIRST_HEADER + (meta.metaB >>> 16);
  checkSecret(fields, headersEnd, options.ajpSecretHash);
  judgeAttributes(fields, headersEnd, options.ajpAttributes);
  const method = readMethod(fields, headersEnd, meta.metaA & 255);
  const hasUpgrade = judgeHeaders(fields, headersEnd);
  const host = readHost(fields);
  const target = readTarget(fields, headersEnd, method);
  const head = new AjpHead(fields, meta, options, method, target, host, hasUpgrade);
  if (options.stripScriptName) head.url = stripMount(target, head.scriptName);
  return head;
}
