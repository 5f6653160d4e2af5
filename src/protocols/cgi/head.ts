/**
 * A CGI head that was judged → what handlers ask of it, each made when it is asked for.
 * It judges nothing: variables.ts has refused what has to be refused. RFC 3875 §4.1.
 */
import type { FieldBlock } from "../../http/field-block.ts";
import { FIELD_NAMES, fieldId, HEADER_NAMES } from "../../http/field-names.ts";
import type { RequestHead, TlsFacts } from "../../http/head.ts";
import {
  FIELD_KINDS,
  FieldKind,
  HeaderList,
  joined,
  upgradeFieldsOf,
} from "../../http/header-list.ts";
import { ClientTls } from "../../http/identity.ts";
import { BODILESS } from "../../http/method.ts";
import { ELSEWHERE, type ValueCells } from "../../http/value-cells.ts";
import type { HeadOptions } from "../protocol.ts";
import { headerName } from "./names.ts";
import { type Mount, resolveMount } from "./script-name.ts";

const CONTENT_TYPE = fieldId("CONTENT_TYPE");
const CONTENT_LENGTH = fieldId("CONTENT_LENGTH");
const SCRIPT_NAME = fieldId("SCRIPT_NAME");
const PATH_INFO = fieldId("PATH_INFO");
const SCRIPT_URL = fieldId("SCRIPT_URL");
const REDIRECT_URL = fieldId("REDIRECT_URL");
const SERVER_PROTOCOL = fieldId("SERVER_PROTOCOL");
const SERVER_NAME = fieldId("SERVER_NAME");
const SERVER_PORT = fieldId("SERVER_PORT");
const SERVER_ADDR = fieldId("SERVER_ADDR");
const REMOTE_ADDR = fieldId("REMOTE_ADDR");
const REMOTE_PORT = fieldId("REMOTE_PORT");
const REMOTE_USER = fieldId("REMOTE_USER");
const AUTH_TYPE = fieldId("AUTH_TYPE");
const HTTPS = fieldId("HTTPS");
const REQUEST_SCHEME = fieldId("REQUEST_SCHEME");
const UPGRADE = fieldId("HTTP_UPGRADE");
const CONNECTION = fieldId("HTTP_CONNECTION");

/** A port, or 0 for what is not one: these are hints of the peer. */
export function portNumber(text: string): number {
  return /^[0-9]{1,5}$/.test(text) && Number(text) < 65_536 ? Number(text) : 0;
}

/** `HTTP/1.1` → `1.1`; anything else is taken as 1.1. */
export function httpVersion(protocol: string): string {
  if (protocol === "HTTP/1.1") return "1.1";
  const version = protocol.startsWith("HTTP/") ? protocol.slice(5) : "";
  if (version === "1.0" || version === "2.0" || version === "3.0") return version;
  return version === "2" || version === "3" ? `${version}.0` : "1.1";
}

/** `HTTP/1.1`, `HTTP/1.0`, `HTTP/2.0` or `HTTP/3.0`, of which {@link httpVersion} makes the same again? */
export function isUsualProtocol(text: string, start: number, length: number): boolean {
  if (length !== 8) return false;
  // Asked by character: startsWith() takes 20 ns.
  const major = text.charCodeAt(start + 5) - 0x30;
  const minor = text.charCodeAt(start + 7) - 0x30;
  if (major < 1 || major > 3 || minor < 0 || minor > (major === 1 ? 1 : 0)) return false;
  return text.charCodeAt(start) === 0x48 && text.charCodeAt(start + 6) === 0x2e
    ? text.startsWith("HTTP/", start)
    : false;
}

/** HTTPS of IIS and Cherokee is always there, with `off`. */
function isEncrypted(fields: FieldBlock): boolean {
  const https = fields.find(HTTPS).toLowerCase();
  if (https !== "") return https !== "off" && https !== "0";
  return fields.find(REQUEST_SCHEME) === "https";
}

/** Values of a repeated field as one. */
function joinedValues(fields: FieldBlock, id: number): string {
  let value = "";
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) === id) value = joined(value, fields.value(i));
  }
  return value;
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

/** The head of one FastCGI or SCGI request. */
export class CgiHead implements RequestHead {
  readonly method: string;
  /** Written once more where the mount is taken off. */
  url: string;
  givenId: string | number = "";
  readonly #fields: FieldBlock;
  readonly #options: HeadOptions;
  readonly #target: string;
  readonly #host: string;
  readonly #hasUpgrade: boolean;
  #raw: string[] | undefined = undefined;
  #mount: Mount | undefined = undefined;
  #params: Record<string, string> | undefined = undefined;
  #tls: TlsFacts | undefined = undefined;

  /**
   * @param target what the mount is found in
   * @param host   host of an absolute target, or ""
   */
  constructor(
    fields: FieldBlock,
    options: HeadOptions,
    method: string,
    target: string,
    host: string,
    hasUpgrade: boolean,
  ) {
    this.method = method;
    this.url = target;
    this.#fields = fields;
    this.#options = options;
    this.#target = target;
    this.#host = host;
    this.#hasUpgrade = hasUpgrade;
  }

  get httpVersion(): string {
    return httpVersion(this.#fields.find(SERVER_PROTOCOL));
  }
  get rawHeaders(): string[] {
    this.#raw ??= this.#collect();
    return this.#raw;
  }
  get upgradeFields(): readonly string[] {
    const upgrade = this.#hasUpgrade ? joinedValues(this.#fields, UPGRADE) : "";
    return upgradeFieldsOf(upgrade, upgrade === "" ? "" : joinedValues(this.#fields, CONNECTION));
  }
  get scriptName(): string {
    return this.#mounted.scriptName;
  }
  get pathInfo(): string {
    return this.#mounted.pathInfo;
  }
  find(id: number): string {
    return this.#fields.find(id);
  }
  /** What the getters judge, by place; plain-lines.test.ts compares the two. */
  locate(values: ValueCells): string {
    const { cells, addr, user, uri, proto } = values;
    const fields = this.#fields;
    const { text } = fields;
    values.begin(0);
    fields.locate(values);
    // `unix:` is no address.
    if (addr > 0 && text.charCodeAt(cells[addr]!) === 0x75) cells[addr + 1] = ELSEWHERE;
    if (user > 0 && !this.#options.trust.user) cells[user + 1] = 0;
    if (uri > 0 && !this.#isSent(cells[uri]!, cells[uri + 1]!)) cells[uri + 1] = ELSEWHERE;
    if (proto > 0 && !isUsualProtocol(text, cells[proto]!, cells[proto + 1]!)) {
      cells[proto + 1] = ELSEWHERE;
    }
    return text;
  }
  get params(): Readonly<Record<string, string>> {
    this.#params ??= paramsOf(this.#fields);
    return this.#params;
  }
  get attributes(): Readonly<Record<string, string>> {
    return NO_ATTRIBUTES;
  }
  get remoteUser(): string {
    return this.#options.trust.user ? this.#fields.find(REMOTE_USER) : "";
  }
  get authType(): string {
    return this.#options.trust.user ? this.#fields.find(AUTH_TYPE) : "";
  }
  get tls(): TlsFacts | undefined {
    if (this.#tls === undefined && this.#isEncrypted) this.#tls = new ClientTls(this);
    return this.#tls;
  }
  get remoteAddress(): string {
    const remote = this.#fields.find(REMOTE_ADDR);
    return remote.startsWith("unix:") ? "" : remote;
  }
  get remotePort(): number {
    return portNumber(this.#fields.find(REMOTE_PORT));
  }
  get localAddress(): string {
    return this.#fields.find(SERVER_ADDR);
  }
  get localPort(): number {
    return portNumber(this.#fields.find(SERVER_PORT));
  }

  /** Is `url` what was sent there? Where nothing is taken off the front of a path, every change makes it longer. */
  #isSent(start: number, length: number): boolean {
    const { url } = this;
    const isPath = this.#fields.text.charCodeAt(start) === 0x2f;
    return isPath && url === this.#target && url.length === length;
  }

  get #isEncrypted(): boolean {
    return this.#options.trust.tls && isEncrypted(this.#fields);
  }

  get #mounted(): Mount {
    const fields = this.#fields;
    this.#mount ??= resolveMount(
      {
        scriptName: fields.find(SCRIPT_NAME),
        pathInfo: fields.find(PATH_INFO),
        url: this.#target,
        publicPath: fields.find(SCRIPT_URL) || fields.find(REDIRECT_URL),
      },
      this.#options.scriptName,
    );
    return this.#mount;
  }

  #collect(): string[] {
    const fields = this.#fields;
    const list = new HeaderList();
    for (let i = 0; i < fields.count; i++) {
      const id = fields.id(i);
      if (id === 0) {
        const name = headerName(fields.name(i));
        if (name !== "") list.add(0, name, fields.value(i));
      } else if (FIELD_KINDS[id]! >= FieldKind.HEADER) {
        // An empty HTTP_… is what an operator writes to take a header away: `fastcgi_param HTTP_PROXY ""`.
        list.add(id, HEADER_NAMES[id]!, fields.value(i));
      }
    }
    const type = fields.find(CONTENT_TYPE);
    if (type !== "") list.add(CONTENT_TYPE, "Content-Type", type);
    const length = fields.find(CONTENT_LENGTH);
    if (length !== "" && length !== "-1" && !(length === "0" && BODILESS.has(this.method))) {
      list.add(CONTENT_LENGTH, "Content-Length", length);
    }
    if (this.#host !== "") list.replaceHost(this.#host);
    else if (!list.hasHost) {
      const port = fields.find(SERVER_PORT);
      list.addHost(fields.find(SERVER_NAME), port, this.#isEncrypted);
    }
    return list.raw;
  }
}
