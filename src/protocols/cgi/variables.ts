/**
 * CGI meta-variables → RequestHead, for FastCGI and SCGI.
 * It reads fields that a decoder has found; it decodes no wire format, and no variable is ever rewritten in place.
 * RFC 3875 §4.1; what each front server really sends is in docs/front-servers.md.
 */
import { ERRORS, ProtocolError } from "../../errors.ts";
import type { FieldBlock } from "../../http/field-block.ts";
import { FIELD_NAMES, fieldId, HEADER_NAMES, isHeaderId } from "../../http/field-names.ts";
import type { RequestHead, TlsFacts } from "../../http/head.ts";
import { HeaderList } from "../../http/header-list.ts";
import { ClientTls, type IdentityPolicy } from "../../http/identity.ts";
import { encodePath, hostOf, rawTarget, withQuery } from "../../http/target.ts";
import type { HeadMeta, HeadOptions } from "../protocol.ts";
import { type Mount, resolveMount } from "./script-name.ts";

const CONTENT_TYPE = fieldId("CONTENT_TYPE");
const CONTENT_LENGTH = fieldId("CONTENT_LENGTH");
/** Ids below this are variables, from it on headers. */
const FIRST_HEADER = fieldId("HTTP_HOST");

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const HEADER_NAME = /^HTTP_[A-Z0-9_]+$/;
/** Names of headers without an id, by CGI name; bounded, since peers choose them. */
const spelled = new Map<string, string>();
const SPELLED_MAX = 2_000;

/** Header name in its usual spelling of a CGI name without an id, or "" for a variable that is no header. */
function headerName(cgiName: string): string {
  let name = spelled.get(cgiName);
  if (name !== undefined) return name;
  if (!HEADER_NAME.test(cgiName)) return "";
  name = cgiName
    .slice(5)
    .split("_")
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join("-");
  if (spelled.size < SPELLED_MAX) spelled.set(cgiName, name);
  return name;
}

/** Values of the known variables of one request; empty counts as absent. */
class Variables {
  readonly #values: (string | undefined)[] = [];

  /** @throws ProtocolError ERR_FIELD_CONFLICT when the variable was there with another value */
  set(id: number, value: string): void {
    const before = this.#values[id];
    if (before !== undefined && before !== value) throw new ProtocolError(ERRORS.FIELD_CONFLICT);
    this.#values[id] = value;
  }

  get(name: keyof typeof IDS): string {
    return this.#values[IDS[name]] ?? "";
  }
}

const IDS = {
  REQUEST_METHOD: fieldId("REQUEST_METHOD"),
  REQUEST_URI: fieldId("REQUEST_URI"),
  QUERY_STRING: fieldId("QUERY_STRING"),
  CONTENT_TYPE,
  CONTENT_LENGTH,
  SCRIPT_NAME: fieldId("SCRIPT_NAME"),
  PATH_INFO: fieldId("PATH_INFO"),
  SCRIPT_URL: fieldId("SCRIPT_URL"),
  REDIRECT_URL: fieldId("REDIRECT_URL"),
  SERVER_PROTOCOL: fieldId("SERVER_PROTOCOL"),
  SERVER_SOFTWARE: fieldId("SERVER_SOFTWARE"),
  SERVER_NAME: fieldId("SERVER_NAME"),
  SERVER_PORT: fieldId("SERVER_PORT"),
  SERVER_ADDR: fieldId("SERVER_ADDR"),
  REMOTE_ADDR: fieldId("REMOTE_ADDR"),
  REMOTE_PORT: fieldId("REMOTE_PORT"),
  REMOTE_USER: fieldId("REMOTE_USER"),
  AUTH_TYPE: fieldId("AUTH_TYPE"),
  HTTPS: fieldId("HTTPS"),
  REQUEST_SCHEME: fieldId("REQUEST_SCHEME"),
} as const;

/** A port, or 0 for what is not one: these are hints of the peer. */
export function portNumber(text: string): number {
  return /^[0-9]{1,5}$/.test(text) && Number(text) < 65_536 ? Number(text) : 0;
}

/** `HTTP/1.1` → `1.1`; anything else is taken as 1.1. */
export function httpVersion(protocol: string): string {
  const version = protocol.startsWith("HTTP/") ? protocol.slice(5) : "";
  if (version === "1.0" || version === "1.1" || version === "2.0" || version === "3.0")
    return version;
  return version === "2" || version === "3" ? `${version}.0` : "1.1";
}

/** HTTPS of IIS and Cherokee is always there, with `off`. */
function isEncrypted(variables: Variables): boolean {
  const https = variables.get("HTTPS").toLowerCase();
  if (https !== "") return https !== "off" && https !== "0";
  return variables.get("REQUEST_SCHEME") === "https";
}

/** Cherokee decodes REQUEST_URI, query included: what precedes the query is a path to be encoded again. */
function decodedTarget(requestUri: string, query: string): string {
  const tail = `?${query}`;
  const path =
    query !== "" && requestUri.endsWith(tail) ? requestUri.slice(0, -tail.length) : requestUri;
  return withQuery(encodePath(path), query);
}

function target(variables: Variables, method: string): string {
  const requestUri = variables.get("REQUEST_URI");
  const query = variables.get("QUERY_STRING");
  if (requestUri !== "") {
    const decoded =
      variables.get("SERVER_SOFTWARE").startsWith("Cherokee") && requestUri[0] === "/";
    return decoded ? decodedTarget(requestUri, query) : rawTarget(requestUri, method);
  }
  const path = variables.get("SCRIPT_NAME") + variables.get("PATH_INFO");
  return withQuery(encodePath(path.startsWith("/") ? path : `/${path}`), query);
}

/** Methods whose request has a body only by exception: front servers invent `CONTENT_LENGTH 0` for them. */
const BODILESS = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "DELETE"]);

function readHeaders(fields: FieldBlock, variables: Variables): HeaderList {
  const list = new HeaderList();
  for (let i = 0; i < fields.count; i++) {
    const id = fields.id(i);
    if (id >= FIRST_HEADER && isHeaderId(id)) {
      // An empty HTTP_… is what an operator writes to take a header away: `fastcgi_param HTTP_PROXY ""`.
      list.add(id, HEADER_NAMES[id]!, fields.value(i));
    } else if (id > 0) {
      if (fields.valueLength(i) > 0) variables.set(id, fields.value(i));
    } else {
      const name = headerName(fields.name(i));
      if (name !== "") list.add(0, name, fields.value(i));
    }
  }
  return list;
}

function addContentHeaders(list: HeaderList, variables: Variables, method: string): void {
  const type = variables.get("CONTENT_TYPE");
  if (type !== "") list.add(CONTENT_TYPE, "Content-Type", type);
  const length = variables.get("CONTENT_LENGTH");
  if (length === "" || length === "-1" || (length === "0" && BODILESS.has(method))) return;
  list.add(CONTENT_LENGTH, "Content-Length", length);
}

/** Every variable as it was sent, by name; of a repeated one the first. */
function paramsOf(fields: FieldBlock): Record<string, string> {
  const params: Record<string, string> = Object.create(null);
  for (let i = 0; i < fields.count; i++) {
    const id = fields.id(i);
    const name = id > 0 ? FIELD_NAMES[id]! : fields.name(i);
    // HTTP_PROXY is kept from every program that copies params into its environment (CVE-2016-5385).
    if (name !== "HTTP_PROXY" && params[name] === undefined) params[name] = fields.value(i);
  }
  return params;
}

const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** A head read from CGI variables; `params` is built when it is asked for. */
class CgiHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  readonly rawHeaders: string[];
  readonly upgradeFields: readonly string[];
  readonly scriptName: string;
  readonly pathInfo: string;
  readonly attributes: Readonly<Record<string, string>> = NO_ATTRIBUTES;
  readonly remoteUser: string;
  readonly authType: string;
  readonly tls: TlsFacts | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly #fields: FieldBlock;
  #params: Record<string, string> | undefined;

  constructor(
    fields: FieldBlock,
    variables: Variables,
    list: HeaderList,
    url: string,
    mount: Mount,
    encrypted: boolean,
    trust: IdentityPolicy,
  ) {
    this.#fields = fields;
    this.method = variables.get("REQUEST_METHOD");
    this.url = url;
    this.httpVersion = httpVersion(variables.get("SERVER_PROTOCOL"));
    this.rawHeaders = list.raw;
    this.upgradeFields = list.upgradeFields;
    this.scriptName = mount.scriptName;
    this.pathInfo = mount.pathInfo;
    this.remoteUser = trust.user ? variables.get("REMOTE_USER") : "";
    this.authType = trust.user ? variables.get("AUTH_TYPE") : "";
    this.tls = encrypted ? new ClientTls(this) : undefined;
    const remote = variables.get("REMOTE_ADDR");
    this.remoteAddress = remote.startsWith("unix:") ? "" : remote;
    this.remotePort = portNumber(variables.get("REMOTE_PORT"));
    this.localAddress = variables.get("SERVER_ADDR");
    this.localPort = portNumber(variables.get("SERVER_PORT"));
  }

  get params(): Readonly<Record<string, string>> {
    this.#params ??= paramsOf(this.#fields);
    return this.#params;
  }
}

/**
 * Reads the head of a FastCGI or SCGI request.
 *
 * @throws ProtocolError ERR_METHOD, ERR_TARGET, ERR_FIELD_VALUE, ERR_FIELD_CONFLICT
 */
export function readCgiHead(
  fields: FieldBlock,
  _meta: HeadMeta,
  options: HeadOptions,
): RequestHead {
  const variables = new Variables();
  const list = readHeaders(fields, variables);
  const method = variables.get("REQUEST_METHOD");
  if (!TOKEN.test(method)) throw new ProtocolError(ERRORS.METHOD);
  addContentHeaders(list, variables, method);
  const encrypted = options.trust.tls && isEncrypted(variables);
  list.addHost(variables.get("SERVER_NAME"), variables.get("SERVER_PORT"), encrypted);
  const url = target(variables, method);
  const host = hostOf(variables.get("REQUEST_URI"));
  if (host !== "") list.replaceHost(host);
  const facts = {
    scriptName: variables.get("SCRIPT_NAME"),
    pathInfo: variables.get("PATH_INFO"),
    url,
    publicPath: variables.get("SCRIPT_URL") || variables.get("REDIRECT_URL"),
  };
  const mount = resolveMount(facts, options.scriptName);
  const stripped = options.stripScriptName ? stripMount(url, mount.scriptName) : url;
  return new CgiHead(fields, variables, list, stripped, mount, encrypted, options.trust);
}

/** Takes an encoded prefix off a target, for applications that want to be mounted unseen. */
export function stripMount(url: string, scriptName: string): string {
  const prefix = encodePath(scriptName);
  if (prefix === "" || !url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  if (rest === "" || rest[0] === "?") return `/${rest}`;
  return rest[0] === "/" ? rest : url;
}
