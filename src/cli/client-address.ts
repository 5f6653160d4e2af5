/**
 * Where an application listens, as people write it → protocol, address and the path that is asked for.
 *
 * One grammar for all verbs of the client: fastcgi://127.0.0.1:9000/path, scgi+unix:/run/app.sock:/path, and without a
 * protocol /run/app.sock or 127.0.0.1:9000. Opens nothing.
 */
import type { ClientAddress, ClientProtocol } from "../client/client.ts";
import { UsageError } from "../errors.ts";

/** Names that addresses may begin with. */
const SCHEMES: ReadonlyMap<string, ClientProtocol> = new Map([
  ["fastcgi", "fastcgi"],
  ["fcgi", "fastcgi"],
  ["scgi", "scgi"],
  ["ajp", "ajp"],
]);
/** Ports that documents and web servers use for them where nobody says another. */
const PORTS: Readonly<Record<ClientProtocol, number>> = { fastcgi: 9_000, scgi: 4_000, ajp: 8_009 };
const PORT_MAX = 65_535;
const EXAMPLES = "fastcgi://127.0.0.1:9000/path or scgi+unix:/run/app.sock:/path";

/** An application, and what is asked of it. */
export interface Target {
  readonly protocol: ClientProtocol;
  readonly address: ClientAddress;
  /** Path and query; undefined where none was written. */
  readonly url: string | undefined;
}

function wrong(text: string, what: string): UsageError {
  return new UsageError(`The address ${JSON.stringify(text)} ${what}; write ${EXAMPLES}.`);
}

/**
 * A protocol by its name.
 *
 * @throws UsageError for one that the client does not speak
 */
export function protocolNamed(name: string, label: string): ClientProtocol {
  const protocol = SCHEMES.get(name.toLowerCase());
  if (protocol !== undefined) return protocol;
  const http = /^https?$/i.test(name) ? " For HTTP there is curl." : "";
  throw new UsageError(
    `${label} is ${JSON.stringify(name)}; it takes fastcgi, scgi or ajp.${http}`,
  );
}

function unixTarget(text: string, place: string): Pick<Target, "address" | "url"> {
  // As nginx writes it: the path stands behind the socket and a colon.
  const [, socket = "", url] = /^(.*?)(?::(\/.*))?$/s.exec(place) ?? [];
  if (socket === "") throw wrong(text, "names no socket");
  return { address: { socket }, url };
}

function tcpTarget(
  text: string,
  place: string,
  protocol: ClientProtocol,
): Pick<Target, "address" | "url"> {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:/?[\]@\s]+))(?::(\d{1,5}))?([/?].*)?$/is.exec(place);
  if (match === null) throw wrong(text, "has no host and port that can be read");
  const port = match[3] === undefined ? PORTS[protocol] : Number(match[3]);
  if (port < 1 || port > PORT_MAX) throw wrong(text, `has a port that is not 1 to ${PORT_MAX}`);
  const rest = match[4];
  const url = rest === undefined || rest.startsWith("/") ? rest : `/${rest}`;
  return { address: { host: match[1] ?? match[2]!, port }, url };
}

/**
 * Reads an address.
 *
 * @param option what `--protocol` says, if anything; it counts where the address names none
 * @throws UsageError for what cannot be read, and for two protocols that differ
 */
export function readTarget(text: string, option: string | undefined): Target {
  const given = option === undefined ? undefined : protocolNamed(option, "--protocol");
  const match = /^([a-z][a-z0-9.-]*)(\+unix:(?:\/\/)?|:\/\/)(.*)$/is.exec(text);
  const isPlainUnix = match === null && /^(?:unix:|\.{0,2}\/)/.test(text);
  const named =
    match === null ? undefined : protocolNamed(match[1]!, "The protocol of the address");
  if (named !== undefined && given !== undefined && named !== given) {
    throw new UsageError(
      `--protocol is ${given}, and the address ${JSON.stringify(text)} says ${named}; leave one of them out.`,
    );
  }
  const protocol = named ?? given ?? "fastcgi";
  const place = (match?.[3] ?? text.replace(/^unix:(?:\/\/)?/, "")).replace(/#.*$/s, "");
  const isUnix = isPlainUnix || match?.[2]?.startsWith("+") === true;
  return {
    protocol,
    ...(isUnix ? unixTarget(text, place) : tcpTarget(text, place, protocol)),
  };
}

/** A target in words, without its path: for sentences and summaries. */
export function targetText({ protocol, address }: Target): string {
  if ("socket" in address) return `${protocol}+unix:${address.socket}`;
  const { host = "127.0.0.1", port } = address;
  return `${protocol}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
