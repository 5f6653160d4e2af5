/**
 * Collects request headers into node's flat `rawHeaders`, by the rules that hold for every protocol behind a web server.
 * It drops what belongs to the front server's connections, and refuses what node:http would have to guess about.
 * RFC 9110 §5 and §7.6.1; repeated fields stay as they are here, node's own joining follows.
 */
import { ERRORS, ProtocolError } from "../errors.ts";
import { FIELD_NAMES, fieldId, HEADER_NAMES, isHeaderId } from "./field-names.ts";

/**
 * Never handed on: hop-by-hop fields (the front server framed the body anew), `Proxy` (it would become HTTP_PROXY
 * in the environment of CGI programs), copies of content length and type, and `Expect`, which the front server settled.
 */
const DROPPED =
  "HTTP_CONNECTION HTTP_KEEP_ALIVE HTTP_TE HTTP_TRAILER HTTP_TRANSFER_ENCODING HTTP_UPGRADE HTTP_PROXY " +
  "HTTP_PROXY_CONNECTION HTTP_EXPECT HTTP_CONTENT_LENGTH HTTP_CONTENT_TYPE";

const dropped = new Uint8Array(FIELD_NAMES.length);
for (const name of DROPPED.split(" ")) dropped[fieldId(name)] = 1;

const HOST = fieldId("HTTP_HOST");
const AUTHORIZATION = fieldId("HTTP_AUTHORIZATION");
const UPGRADE = fieldId("HTTP_UPGRADE");
const CONNECTION = fieldId("HTTP_CONNECTION");

/** Ids by header name in lower case, for protocols that spell names out. */
const idsByHeader = new Map<string, number>();
for (let id = 1; id < FIELD_NAMES.length; id++) {
  if (isHeaderId(id)) idsByHeader.set(HEADER_NAMES[id]!.toLowerCase(), id);
}

/** Id of a header by its name in lower case, or 0. */
export function headerId(lowerName: string): number {
  return idsByHeader.get(lowerName) ?? 0;
}

const FORBIDDEN = /[\0\r\n]/;
/** The token among the options of a Connection field. */
const UPGRADE_OPTION = /(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i;
const NO_FIELDS: readonly string[] = Object.freeze([]);

/** A repeated field's values as one. */
function joined(before: string, value: string): string {
  return before === "" ? value : `${before}, ${value}`;
}

/** One request's headers while they are collected. */
export class HeaderList {
  /** Names and values in turn. */
  readonly raw: string[] = [];
  /** Was there a `Host`? */
  hasHost = false;
  #host = "";
  #authorization: string | undefined;
  #upgrade = "";
  #connection = "";

  /**
   * Adds one field.
   *
   * @param id    field id, or 0
   * @param name  name as the handler shall see it
   * @param value latin1 text
   * @throws ProtocolError ERR_FIELD_VALUE for NUL, CR or LF; ERR_FIELD_CONFLICT for two different hosts or authorizations
   */
  add(id: number, name: string, value: string): void {
    if (dropped[id] === 1) return this.#note(id, value);
    if (FORBIDDEN.test(value)) throw new ProtocolError(ERRORS.FIELD_VALUE);
    if (id === HOST) {
      if (this.hasHost) return this.#same(this.#host, value);
      this.hasHost = true;
      this.#host = value;
    } else if (id === AUTHORIZATION) {
      if (this.#authorization !== undefined) return this.#same(this.#authorization, value);
      this.#authorization = value;
    }
    this.raw.push(name, value);
  }

  /** A client of HTTP/1.0 sends no host: the one that the front server answered for. */
  addHost(serverName: string, port: string, encrypted: boolean): void {
    if (this.hasHost || serverName === "" || FORBIDDEN.test(serverName)) return;
    const usual = port === "" || port === "0" || port === (encrypted ? "443" : "80");
    this.raw.push("Host", usual ? serverName : `${serverName}:${port}`);
  }

  /**
   * The host of an absolute target takes the place of the header's (RFC 9112 §3.2.2).
   *
   * @throws ProtocolError ERR_FIELD_VALUE for NUL, CR or LF
   */
  replaceHost(host: string): void {
    if (FORBIDDEN.test(host)) throw new ProtocolError(ERRORS.FIELD_VALUE);
    const at = this.raw.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === "host");
    if (at < 0) this.raw.push("Host", host);
    else this.raw[at + 1] = host;
    this.hasHost = true;
  }

  /** What is dropped, but says whether the client asks to switch protocols. */
  #note(id: number, value: string): void {
    if (id === UPGRADE) this.#upgrade = joined(this.#upgrade, value);
    else if (id === CONNECTION) this.#connection = joined(this.#connection, value);
  }

  /**
   * As {@link RequestHead.upgradeFields}. A front server that passes `Upgrade` on without any `Connection` has looked at
   * that itself; where there is one, it has to name the upgrade (RFC 9110 §7.8).
   */
  get upgradeFields(): readonly string[] {
    if (this.#upgrade === "") return NO_FIELDS;
    const connection = this.#connection || "Upgrade";
    const sound = UPGRADE_OPTION.test(connection) && !FORBIDDEN.test(this.#upgrade + connection);
    return sound ? ["Upgrade", this.#upgrade, "Connection", connection] : NO_FIELDS;
  }

  #same(before: string, now: string): void {
    if (before !== now) throw new ProtocolError(ERRORS.FIELD_CONFLICT);
  }
}
