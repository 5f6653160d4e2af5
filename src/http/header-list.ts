/**
 * Which request headers an application gets behind a web server, by the rules that hold for every protocol.
 * It drops what belongs to the front server's connections and collects the rest into node's flat `rawHeaders`;
 * conflicts and forbidden characters are judged by the head readers, before anything is collected.
 * RFC 9110 §5 and §7.6.1; repeated fields stay as they are here, node's own joining follows.
 */
import { FIELD_NAMES, fieldId, HEADER_NAMES, isHeaderId } from "./field-names.ts";
import { isForbidden } from "./value-scan.ts";

/**
 * Never handed on: hop-by-hop fields (the front server framed the body anew), `Proxy` (it would become HTTP_PROXY
 * in the environment of CGI programs), copies of content length and type, and `Expect`, which the front server settled.
 */
const DROPPED =
  "HTTP_CONNECTION HTTP_KEEP_ALIVE HTTP_TE HTTP_TRAILER HTTP_TRANSFER_ENCODING HTTP_UPGRADE HTTP_PROXY " +
  "HTTP_PROXY_CONNECTION HTTP_EXPECT HTTP_CONTENT_LENGTH HTTP_CONTENT_TYPE";

/**
 * What a field is to whoever reads a head. CONTENT: a variable that becomes a header. SINGLE: a header of which two
 * with different values are a conflict (`Host`, `Authorization`).
 */
export const FieldKind = { VARIABLE: 0, DROPPED: 1, CONTENT: 2, HEADER: 3, SINGLE: 4 } as const;

/** {@link FieldKind} by field id. */
export const FIELD_KINDS: Uint8Array = new Uint8Array(FIELD_NAMES.length);
for (let id = 1; id < FIELD_NAMES.length; id++) {
  if (isHeaderId(id)) FIELD_KINDS[id] = FieldKind.HEADER;
}
for (const name of DROPPED.split(" ")) FIELD_KINDS[fieldId(name)] = FieldKind.DROPPED;

for (const name of ["CONTENT_TYPE", "CONTENT_LENGTH"])
  FIELD_KINDS[fieldId(name)] = FieldKind.CONTENT;
const HOST = fieldId("HTTP_HOST");
const AUTHORIZATION = fieldId("HTTP_AUTHORIZATION");
FIELD_KINDS[HOST] = FieldKind.SINGLE;
FIELD_KINDS[AUTHORIZATION] = FieldKind.SINGLE;

/** Ids by header name in lower case, for protocols that spell names out. */
const idsByHeader = new Map<string, number>();
for (let id = 1; id < FIELD_NAMES.length; id++) {
  if (isHeaderId(id)) idsByHeader.set(HEADER_NAMES[id]!.toLowerCase(), id);
}

/** Id of a header by its name in lower case, or 0. */
export function headerId(lowerName: string): number {
  return idsByHeader.get(lowerName) ?? 0;
}

/** The token among the options of a Connection field. */
const UPGRADE_OPTION = /(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i;
const NO_FIELDS: readonly string[] = Object.freeze([]);

/**
 * As {@link RequestHead.upgradeFields}. A front server that passes `Upgrade` on without any `Connection` has looked at
 * that itself; where there is one, it has to name the upgrade (RFC 9110 §7.8).
 *
 * @param upgrade  value of `Upgrade`, its repetitions joined; "" when there is none
 * @param received value of `Connection`, as well
 */
export function upgradeFieldsOf(upgrade: string, received: string): readonly string[] {
  if (upgrade === "") return NO_FIELDS;
  const connection = received || "Upgrade";
  const sound = UPGRADE_OPTION.test(connection) && !isForbidden(upgrade + connection);
  return sound ? ["Upgrade", upgrade, "Connection", connection] : NO_FIELDS;
}

/** A repeated field's values as one. */
export function joined(before: string, value: string): string {
  return before === "" ? value : `${before}, ${value}`;
}

/** One request's headers while they are collected. */
export class HeaderList {
  /** Names and values in turn. */
  readonly raw: string[] = [];
  /** Was there a `Host`? */
  hasHost = false;
  #hasAuthorization = false;

  /**
   * Adds one field, unless it is never handed on, or a repetition of one that comes once.
   *
   * @param id    field id, or 0
   * @param name  name as the handler shall see it
   * @param value latin1 text
   */
  add(id: number, name: string, value: string): void {
    const kind = FIELD_KINDS[id]!;
    if (kind === FieldKind.DROPPED) return;
    if (kind === FieldKind.SINGLE) {
      if (id === HOST) {
        if (this.hasHost) return;
        this.hasHost = true;
      } else {
        if (this.#hasAuthorization) return;
        this.#hasAuthorization = true;
      }
    }
    this.raw.push(name, value);
  }

  /** A client of HTTP/1.0 sends no host: the one that the front server answered for. */
  addHost(serverName: string, port: string, encrypted: boolean): void {
    if (this.hasHost || serverName === "" || isForbidden(serverName)) return;
    const usual = port === "" || port === "0" || port === (encrypted ? "443" : "80");
    this.raw.push("Host", usual ? serverName : `${serverName}:${port}`);
  }

  /** The host of an absolute target takes the place of the header's (RFC 9112 §3.2.2). */
  replaceHost(host: string): void {
    const at = this.raw.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === "host");
    if (at < 0) this.raw.push("Host", host);
    else this.raw[at + 1] = host;
    this.hasHost = true;
  }
}
