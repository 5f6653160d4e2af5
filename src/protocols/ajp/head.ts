/**
 * An AJP 1.3 Forward Request's fields → RequestHead.
 * It reads fields that the decoder has found and decodes no packet; attributes are data, they select nothing here.
 * Apache JServ Protocol 1.3, "Request packet structure"; the secret and the attribute policy of docs/security.md.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { ERRORS, ProtocolError } from "../../errors.ts";
import type { FieldBlock } from "../../http/field-block.ts";
import { fieldId, HEADER_NAMES } from "../../http/field-names.ts";
import type { RequestHead } from "../../http/head.ts";
import { HeaderList, headerId } from "../../http/header-list.ts";
import { ClientTls } from "../../http/identity.ts";
import { decodePath, hostOf, pathOf, rawTarget, withQuery } from "../../http/target.ts";
import { httpVersion, portNumber, stripMount } from "../cgi/variables.ts";
import type { HeadMeta, HeadOptions } from "../protocol.ts";
import { METHOD_STORED } from "./constants.ts";
import { METHOD_NAMES } from "./names.ts";

/** The fields that every Forward Request has, in front of its headers. */
const Fixed = {
  PROTOCOL: 0,
  URI: 1,
  REMOTE_ADDR: 2,
  REMOTE_HOST: 3,
  SERVER_NAME: 4,
  COUNT: 5,
} as const;

const CONTENT_TYPE = fieldId("CONTENT_TYPE");
const CONTENT_LENGTH = fieldId("CONTENT_LENGTH");
const TRANSFER_ENCODING = fieldId("HTTP_TRANSFER_ENCODING");
const Attribute = {
  REMOTE_USER: fieldId("REMOTE_USER"),
  AUTH_TYPE: fieldId("AUTH_TYPE"),
  QUERY_STRING: fieldId("QUERY_STRING"),
  ROUTE: fieldId("ajp:jvm_route"),
  CERT: fieldId("ajp:ssl_cert"),
  CIPHER: fieldId("ajp:ssl_cipher"),
  SESSION: fieldId("ajp:ssl_session"),
  KEY_SIZE: fieldId("ajp:ssl_key_size"),
  KEY_BITS: fieldId("ajp:ssl_key_bits"),
  SECRET: fieldId("ajp:secret"),
  STORED_METHOD: fieldId("ajp:stored_method"),
} as const;

/** Request attributes that front servers use to carry facts of the protocol itself. */
const KNOWN_ATTRIBUTES = new Set([
  "AJP_REMOTE_PORT",
  "AJP_LOCAL_ADDR",
  "AJP_SSL_PROTOCOL",
  "JK_LB_ACTIVATION",
]);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Nothing between the client and us filters names in AJP; others could be taken for variables or other headers. */
const HEADER_NAME = /^[A-Za-z0-9-]+$/;
const BODILESS = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "DELETE"]);

/** Compares digests, so that neither time nor length tells anything about the secret. */
function checkSecret(fields: FieldBlock, from: number, hash: Buffer | undefined): void {
  if (hash === undefined) return;
  let given = "";
  for (let i = from; i < fields.count; i++) {
    if (fields.id(i) === Attribute.SECRET) given = fields.value(i);
  }
  const digest = createHash("sha256").update(given, "latin1").digest();
  if (!timingSafeEqual(digest, hash)) throw new ProtocolError(ERRORS.AJP_SECRET);
}

/** The attributes of one request, read once; of a repeated one the last wins. */
class Attributes {
  readonly named: Record<string, string> = Object.create(null);
  readonly #coded: (string | undefined)[] = [];

  constructor(fields: FieldBlock, from: number, allowed: RegExp | undefined) {
    for (let i = from; i < fields.count; i++) {
      const id = fields.id(i);
      if (id > 0) {
        this.#coded[id] = fields.value(i);
        continue;
      }
      const name = fields.name(i);
      if (!KNOWN_ATTRIBUTES.has(name) && !isAllowed(allowed, name)) {
        throw new ProtocolError(ERRORS.AJP_ATTRIBUTE);
      }
      this.named[name] = fields.value(i);
    }
  }

  get(id: number): string {
    return this.#coded[id] ?? "";
  }

  /** Key size in bits; lighttpd writes it as a string, all others as a number. */
  get keyBits(): number {
    const bytes = this.get(Attribute.KEY_BITS);
    if (bytes.length === 2) return bytes.charCodeAt(0) * 256 + bytes.charCodeAt(1);
    return Number(this.get(Attribute.KEY_SIZE)) || 0;
  }
}

/** The option's expression has to match the whole name. */
function isAllowed(allowed: RegExp | undefined, name: string): boolean {
  if (allowed === undefined) return false;
  const match = name.match(new RegExp(allowed.source, allowed.flags.replace(/[gy]/g, "")));
  return match !== null && match[0] === name;
}

function readMethod(meta: HeadMeta, attributes: Attributes): string {
  const code = meta.metaA & 255;
  const method =
    code === METHOD_STORED ? attributes.get(Attribute.STORED_METHOD) : (METHOD_NAMES[code] ?? "");
  if (!TOKEN.test(method)) throw new ProtocolError(ERRORS.METHOD);
  return method;
}

/** lighttpd decodes the path, httpd and mod_jk do not: escapes stay, what cannot stand in a path is encoded. */
function readPath(uri: string, method: string): string {
  const target = uri
    .replace(/\?/g, "%3F")
    .replace(/#/g, "%23")
    .replace(/%(?![0-9A-Fa-f]{2})/g, "%25");
  return rawTarget(target, method);
}

/** Judges Transfer-Encoding: where two sides disagree about the unasked body packet, requests can be smuggled. */
function checkTransferEncoding(value: string, before: boolean, hasLength: boolean): void {
  if (before || hasLength || value !== "chunked") throw new ProtocolError(ERRORS.TRANSFER_ENCODING);
}

/** Id and name as the handler shall see it; undefined for a name that nobody can be sure of. */
function headerAt(fields: FieldBlock, i: number): { id: number; name: string } | undefined {
  const id = fields.id(i);
  if (id > 0) return { id, name: HEADER_NAMES[id]! };
  const name = fields.name(i);
  if (!HEADER_NAME.test(name)) return undefined;
  const lower = name.toLowerCase();
  if (lower === "content-length") return { id: CONTENT_LENGTH, name };
  if (lower === "content-type") return { id: CONTENT_TYPE, name };
  return { id: headerId(lower), name };
}

function readHeaders(fields: FieldBlock, end: number, method: string): HeaderList {
  const list = new HeaderList();
  let type: string | undefined;
  let length: string | undefined;
  let transferEncoding: string | undefined;
  for (let i = Fixed.COUNT; i < end; i++) {
    const header = headerAt(fields, i);
    if (header === undefined) continue;
    const { id, name } = header;
    const value = fields.value(i);
    if (id === TRANSFER_ENCODING) {
      checkTransferEncoding(value, transferEncoding !== undefined, false);
      transferEncoding = value;
    } else if (id === CONTENT_TYPE) {
      if (type !== undefined && type !== value) throw new ProtocolError(ERRORS.FIELD_CONFLICT);
      if (type === undefined) list.add(id, name, value);
      type = value;
    } else if (id === CONTENT_LENGTH) {
      length = value;
      if (value !== "0" || !BODILESS.has(method)) list.add(id, name, value);
    } else list.add(id, name, value);
  }
  if (transferEncoding !== undefined)
    checkTransferEncoding(transferEncoding, false, length !== undefined);
  return list;
}

/** What an AJP packet says, believed or not, under the names of CGI. */
function paramsOf(
  head: RequestHead,
  fields: FieldBlock,
  attributes: Attributes,
  encrypted: boolean,
): Record<string, string> {
  const params: Record<string, string> = Object.create(null);
  const set = (name: string, value: string | number): void => {
    if (value !== "" && value !== 0) params[name] = String(value);
  };
  set("REQUEST_METHOD", head.method);
  set("REQUEST_URI", head.url);
  set("QUERY_STRING", attributes.get(Attribute.QUERY_STRING));
  set("SERVER_PROTOCOL", fields.value(Fixed.PROTOCOL));
  set("SERVER_NAME", fields.value(Fixed.SERVER_NAME));
  set("SERVER_PORT", head.localPort);
  set("SERVER_ADDR", head.localAddress);
  set("REMOTE_ADDR", head.remoteAddress);
  set("REMOTE_PORT", head.remotePort);
  set("REMOTE_HOST", fields.value(Fixed.REMOTE_HOST));
  set("REMOTE_USER", attributes.get(Attribute.REMOTE_USER));
  set("AUTH_TYPE", attributes.get(Attribute.AUTH_TYPE));
  set("HTTPS", encrypted ? "on" : "");
  set("SSL_PROTOCOL", attributes.named["AJP_SSL_PROTOCOL"] ?? "");
  set("SSL_CIPHER", attributes.get(Attribute.CIPHER));
  set("SSL_CIPHER_USEKEYSIZE", attributes.keyBits);
  set("SSL_SESSION_ID", attributes.get(Attribute.SESSION));
  set("SSL_CLIENT_CERT", attributes.get(Attribute.CERT));
  set("SSL_CLIENT_VERIFY", verifyWord(attributes));
  for (let i = 0; i < head.rawHeaders.length; i += 2) {
    const name = head.rawHeaders[i]!.toUpperCase().replaceAll("-", "_");
    const param =
      name.startsWith("CONTENT_") && name !== "CONTENT_ENCODING" ? name : `HTTP_${name}`;
    if (params[param] === undefined) params[param] = head.rawHeaders[i + 1]!;
  }
  return params;
}

/**
 * AJP has no word for it: front servers pass a certificate on once they have accepted it. Where they accept any
 * (`optional_no_ca`), `ajp.attributes` lets them say what they found.
 */
function verifyWord(attributes: Attributes): string {
  return (
    attributes.named["SSL_CLIENT_VERIFY"] ??
    (attributes.get(Attribute.CERT) === "" ? "" : "SUCCESS")
  );
}

/** Facts of a head that need the attributes: route and balancer state stay readable there. */
function attributeRecord(attributes: Attributes): Readonly<Record<string, string>> {
  const route = attributes.get(Attribute.ROUTE);
  if (route !== "") attributes.named["AJP_JVM_ROUTE"] = route;
  return attributes.named;
}

/**
 * Reads the head of an AJP request.
 *
 * @throws ProtocolError ERR_AJP_SECRET before anything else is looked at; ERR_AJP_ATTRIBUTE, ERR_METHOD, ERR_TARGET,
 *   ERR_FIELD_VALUE, ERR_FIELD_CONFLICT, ERR_TRANSFER_ENCODING
 */
export function readAjpHead(fields: FieldBlock, meta: HeadMeta, options: HeadOptions): RequestHead {
  const headersEnd = Fixed.COUNT + (meta.metaB >>> 16);
  checkSecret(fields, headersEnd, options.ajpSecretHash);
  const attributes = new Attributes(fields, headersEnd, options.ajpAttributes);
  const method = readMethod(meta, attributes);
  const list = readHeaders(fields, headersEnd, method);
  const { trust } = options;
  const encrypted = meta.metaA >> 8 !== 0;
  const serverPort = meta.metaB & 0xffff;
  const uri = fields.value(Fixed.URI);
  const host = hostOf(uri);
  if (host !== "") list.replaceHost(host);
  else list.addHost(fields.value(Fixed.SERVER_NAME), String(serverPort), encrypted && trust.tls);
  const url = withQuery(readPath(uri, method), attributes.get(Attribute.QUERY_STRING));
  const scriptName = options.scriptName ?? "";
  const path = decodePath(pathOf(url));
  const inside = path === scriptName || path.startsWith(`${scriptName}/`);
  let params: Record<string, string> | undefined;
  const head: Omit<RequestHead, "tls"> & { tls: ClientTls | undefined } = {
    method,
    url: options.stripScriptName ? stripMount(url, scriptName) : url,
    httpVersion: httpVersion(fields.value(Fixed.PROTOCOL)),
    rawHeaders: list.raw,
    upgradeFields: list.upgradeFields,
    scriptName,
    pathInfo: inside ? path.slice(scriptName.length) : path,
    get params(): Readonly<Record<string, string>> {
      params ??= paramsOf(head, fields, attributes, encrypted);
      return params;
    },
    attributes: attributeRecord(attributes),
    remoteUser: trust.user ? attributes.get(Attribute.REMOTE_USER) : "",
    authType: trust.user ? attributes.get(Attribute.AUTH_TYPE) : "",
    tls: undefined,
    remoteAddress: fields.value(Fixed.REMOTE_ADDR),
    remotePort: portNumber(attributes.named["AJP_REMOTE_PORT"] ?? ""),
    localAddress: attributes.named["AJP_LOCAL_ADDR"] ?? "",
    localPort: serverPort,
  };
  if (encrypted && trust.tls) head.tls = new ClientTls(head);
  return head;
}
