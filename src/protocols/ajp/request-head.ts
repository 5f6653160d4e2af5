/**
 * A Forward Request that was judged → what handlers ask of it, each made when it is asked for.
 * It judges nothing: head.ts has refused what has to be refused. Apache JServ Protocol 1.3, "Request packet structure".
 */
import { FIELD_CELLS, type FieldBlock } from "../../http/field-block.ts";
import { fieldId, HEADER_NAMES } from "../../http/field-names.ts";
import type { RequestHead, TlsFacts } from "../../http/head.ts";
import { ClientTls } from "../../http/identity.ts";
import { decodePath, pathOf } from "../../http/target.ts";
import { ELSEWHERE, type ValueCells } from "../../http/value-cells.ts";
import { httpVersion, isUsualProtocol, portNumber } from "../cgi/head.ts";
import type { HeadMeta, HeadOptions } from "../protocol.ts";
import {
  FIRST_HEADER,
  lengthOf,
  listHeaders,
  listUpgrade,
  namedHeader,
} from "./request-headers.ts";

/** The fields that every Forward Request has, in front of its headers. */
export const Fixed = {
  PROTOCOL: 0,
  URI: 1,
  REMOTE_ADDR: 2,
  REMOTE_HOST: 3,
  SERVER_NAME: 4,
} as const;

const QUERY_STRING = fieldId("QUERY_STRING");
const REMOTE_USER = fieldId("REMOTE_USER");
const AUTH_TYPE = fieldId("AUTH_TYPE");
const ROUTE = fieldId("ajp:jvm_route");
const CERT = fieldId("ajp:ssl_cert");
const CIPHER = fieldId("ajp:ssl_cipher");
const SESSION = fieldId("ajp:ssl_session");
const KEY_SIZE = fieldId("ajp:ssl_key_size");
const KEY_BITS = fieldId("ajp:ssl_key_bits");

/** Value of an attribute, or ""; of a repeated one the last. `from` is the index of the first attribute. */
export function lastAttribute(fields: FieldBlock, from: number, id: number): string {
  for (let i = fields.count - 1; i >= from; i--) {
    if (fields.id(i) === id) return fields.value(i);
  }
  return "";
}

/** The head of one AJP request. */
export class AjpHead implements RequestHead {
  readonly method: string;
  /** Written once more where the mount is taken off. */
  url: string;
  givenId: string | number = "";
  readonly #fields: FieldBlock;
  readonly #meta: HeadMeta;
  readonly #options: HeadOptions;
  readonly #target: string;
  readonly #host: string;
  readonly #hasUpgrade: boolean;
  #raw: string[] | undefined = undefined;
  #path: string | undefined = undefined;
  #params: Record<string, string> | undefined = undefined;
  #attributes: Record<string, string> | undefined = undefined;
  #tls: TlsFacts | undefined = undefined;

  /**
   * @param target what the mount is found in
   * @param host   host of an absolute target, or ""
   */
  constructor(
    fields: FieldBlock,
    meta: HeadMeta,
    options: HeadOptions,
    method: string,
    target: string,
    host: string,
    hasUpgrade: boolean,
  ) {
    this.method = method;
    this.url = target;
    this.#fields = fields;
    this.#meta = meta;
    this.#options = options;
    this.#target = target;
    this.#host = host;
    this.#hasUpgrade = hasUpgrade;
  }

  get httpVersion(): string {
    return httpVersion(this.#fields.value(Fixed.PROTOCOL));
  }
  get rawHeaders(): string[] {
    this.#raw ??= this.#collect();
    return this.#raw;
  }
  get upgradeFields(): readonly string[] {
    return listUpgrade(this.#fields, this.#hasUpgrade ? this.#headersEnd : FIRST_HEADER);
  }
  get scriptName(): string {
    return this.#options.scriptName ?? "";
  }
  get pathInfo(): string {
    const { scriptName } = this;
    this.#path ??= decodePath(pathOf(this.#target));
    const path = this.#path;
    const inside = path === scriptName || path.startsWith(`${scriptName}/`);
    return inside ? path.slice(scriptName.length) : path;
  }
  find(id: number): string {
    const fields = this.#fields;
    const coded = fields.find(id);
    return coded === "" ? namedHeader(fields, this.#headersEnd, HEADER_NAMES[id]!) : coded;
  }
  /** What the getters judge, by place: headers that have no code, and targets with a query, are elsewhere. */
  locate(values: ValueCells): string {
    const { cells, addr, user, uri, proto } = values;
    const fields = this.#fields;
    const { text } = fields;
    values.begin(0);
    fields.locate(values);
    for (const cell of values.wanted) if (cells[cell + 1] === 0) cells[cell + 1] = ELSEWHERE;
    if (addr > 0) this.#locateFixed(Fixed.REMOTE_ADDR, cells, addr);
    // Of a repeated attribute the last counts.
    if (user > 0) cells[user + 1] = this.#options.trust.user ? ELSEWHERE : 0;
    if (uri > 0) {
      this.#locateFixed(Fixed.URI, cells, uri);
      const isSent = this.url === this.#target && this.url.length === cells[uri + 1];
      if (!isSent || text.charCodeAt(cells[uri]!) !== 0x2f) cells[uri + 1] = ELSEWHERE;
    }
    if (proto > 0) {
      this.#locateFixed(Fixed.PROTOCOL, cells, proto);
      if (!isUsualProtocol(text, cells[proto]!, cells[proto + 1]!)) cells[proto + 1] = ELSEWHERE;
    }
    return text;
  }
  get params(): Readonly<Record<string, string>> {
    this.#params ??= this.#makeParams();
    return this.#params;
  }
  /** Names as they were sent; the route and the balancer's state stay readable there. */
  get attributes(): Readonly<Record<string, string>> {
    this.#attributes ??= this.#makeAttributes();
    return this.#attributes;
  }
  get remoteUser(): string {
    return this.#options.trust.user ? this.#attribute(REMOTE_USER) : "";
  }
  get authType(): string {
    return this.#options.trust.user ? this.#attribute(AUTH_TYPE) : "";
  }
  get tls(): TlsFacts | undefined {
    if (this.#tls === undefined && this.#isEncrypted && this.#options.trust.tls) {
      this.#tls = new ClientTls(this);
    }
    return this.#tls;
  }
  get remoteAddress(): string {
    return this.#fields.value(Fixed.REMOTE_ADDR);
  }
  get remotePort(): number {
    return portNumber(this.#named("AJP_REMOTE_PORT"));
  }
  get localAddress(): string {
    return this.#named("AJP_LOCAL_ADDR");
  }
  get localPort(): number {
    return this.#meta.metaB & 0xffff;
  }

  /**
   * These two attributes come from httpd (mod_proxy_ajp) and mod_jk, which answer one Get Body Chunk after the other. Of
   * several at once Undertow's proxy and BonCode keep the last and answer once, nginx_ajp_module may forget some while its
   * socket is full, and lighttpd counts bytes, not packets; none of them sends both.
   */
  get lengthAskedAhead(): number {
    const isKnown = this.remotePort !== 0 && this.localAddress !== "";
    return isKnown ? lengthOf(this.#fields, this.#headersEnd) : 0;
  }

  get #headersEnd(): number {
    return FIRST_HEADER + (this.#meta.metaB >>> 16);
  }
  get #isEncrypted(): boolean {
    return this.#meta.metaA >> 8 !== 0;
  }
  /** Key size in bits; lighttpd writes it as a string, all others as a number. */
  get #keyBits(): number {
    const bytes = this.#attribute(KEY_BITS);
    if (bytes.length === 2) return bytes.charCodeAt(0) * 256 + bytes.charCodeAt(1);
    return Number(this.#attribute(KEY_SIZE)) || 0;
  }

  #locateFixed(field: number, cells: Int32Array, cell: number): void {
    const { rows, first, base } = this.#fields;
    const at = first + field * FIELD_CELLS;
    cells[cell] = rows[at + 2]! - base;
    cells[cell + 1] = rows[at + 3]!;
  }

  #attribute(id: number): string {
    return lastAttribute(this.#fields, this.#headersEnd, id);
  }

  /** Value of an attribute without a code, or "". */
  #named(name: string): string {
    const fields = this.#fields;
    for (let i = fields.count - 1; i >= this.#headersEnd; i--) {
      if (fields.id(i) === 0 && fields.name(i) === name) return fields.value(i);
    }
    return "";
  }

  #makeAttributes(): Record<string, string> {
    const fields = this.#fields;
    const attributes: Record<string, string> = Object.create(null);
    for (let i = this.#headersEnd; i < fields.count; i++) {
      if (fields.id(i) === 0) attributes[fields.name(i)] = fields.value(i);
    }
    const route = this.#attribute(ROUTE);
    if (route !== "") attributes["AJP_JVM_ROUTE"] = route;
    return attributes;
  }

  #collect(): string[] {
    const list = listHeaders(this.#fields, this.#headersEnd, this.method);
    if (this.#host !== "") list.replaceHost(this.#host);
    else if (!list.hasHost) {
      const isTls = this.#isEncrypted && this.#options.trust.tls;
      list.addHost(this.#fields.value(Fixed.SERVER_NAME), String(this.localPort), isTls);
    }
    return list.raw;
  }

  /** What an AJP packet says, believed or not, under the names of CGI. */
  #makeParams(): Record<string, string> {
    const fields = this.#fields;
    const params: Record<string, string> = Object.create(null);
    const set = (name: string, value: string | number): void => {
      if (value !== "" && value !== 0) params[name] = String(value);
    };
    set("REQUEST_METHOD", this.method);
    set("REQUEST_URI", this.url);
    set("QUERY_STRING", this.#attribute(QUERY_STRING));
    set("SERVER_PROTOCOL", fields.value(Fixed.PROTOCOL));
    set("SERVER_NAME", fields.value(Fixed.SERVER_NAME));
    set("SERVER_PORT", this.localPort);
    set("SERVER_ADDR", this.localAddress);
    set("REMOTE_ADDR", this.remoteAddress);
    set("REMOTE_PORT", this.remotePort);
    set("REMOTE_HOST", fields.value(Fixed.REMOTE_HOST));
    set("REMOTE_USER", this.#attribute(REMOTE_USER));
    set("AUTH_TYPE", this.#attribute(AUTH_TYPE));
    set("HTTPS", this.#isEncrypted ? "on" : "");
    set("SSL_PROTOCOL", this.#named("AJP_SSL_PROTOCOL"));
    set("SSL_CIPHER", this.#attribute(CIPHER));
    set("SSL_CIPHER_USEKEYSIZE", this.#keyBits);
    set("SSL_SESSION_ID", this.#attribute(SESSION));
    set("SSL_CLIENT_CERT", this.#attribute(CERT));
    set("SSL_CLIENT_VERIFY", this.#verifyWord);
    addHeaders(params, this.rawHeaders);
    return params;
  }

  /**
   * AJP has no word for it: front servers pass a certificate on once they have accepted it. Where they accept any
   * (`optional_no_ca`), `ajp.attributes` lets them say what they found.
   */
  get #verifyWord(): string {
    const word = this.attributes["SSL_CLIENT_VERIFY"];
    return word ?? (this.#attribute(CERT) === "" ? "" : "SUCCESS");
  }
}

/** As {@link Protocol.lengthAskedAhead}. */
export function lengthAskedAhead(head: RequestHead): number {
  return head instanceof AjpHead ? head.lengthAskedAhead : 0;
}

/** CGI names of headers, by the name that was sent; bounded, since clients choose them. */
const cgiNames = new Map<string, string>();
const CGI_NAMES_MAX = 2_000;

function cgiName(headerName: string): string {
  let name = cgiNames.get(headerName);
  if (name !== undefined) return name;
  name = headerName.toUpperCase().replaceAll("-", "_");
  if (!name.startsWith("CONTENT_") || name === "CONTENT_ENCODING") name = `HTTP_${name}`;
  if (cgiNames.size < CGI_NAMES_MAX) cgiNames.set(headerName, name);
  return name;
}

function addHeaders(params: Record<string, string>, rawHeaders: readonly string[]): void {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const param = cgiName(rawHeaders[i]!);
    if (params[param] === undefined) params[param] = rawHeaders[i + 1]!;
  }
}
