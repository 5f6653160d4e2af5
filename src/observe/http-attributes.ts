/**
 * A request and its end, as the diagnostics channels tell of them → the HTTP attributes of OpenTelemetry, for spans and metrics.
 *
 * A pure function: it imports nothing of OpenTelemetry, and starts no span. Names: semantic conventions for HTTP server spans,
 * stable since version 1.23.
 */
import type { RequestEnded, RequestStarted } from "../connection/chronicle.ts";

/** Attribute values by name. */
export type HttpAttributes = Record<string, string | number>;

const METHODS = /^(?:CONNECT|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT|TRACE)$/;

/** The value of a field, "" when it is not there. `name` in lower case. */
function fieldOf(rawHeaders: readonly string[], name: string): string {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() === name) return rawHeaders[i + 1]!;
  }
  return "";
}

/** `example.com:8080` → name and port; the port of the scheme where none is written. */
function hostOf(host: string, scheme: string): readonly [name: string, port: number] {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(host);
  const port = Number(match?.[2] ?? (scheme === "https" ? 443 : 80));
  return [(match?.[1] ?? host).replace(/^\[|\]$/g, ""), port];
}

/**
 * The attributes of one request.
 *
 * @param started message of `postern:request:start`
 * @param ended   message of `postern:request:end`, for the status
 */
export function httpAttributes(started: RequestStarted, ended?: RequestEnded): HttpAttributes {
  const { head, peer } = started;
  const { method, url, httpVersion, rawHeaders, remoteAddress, remotePort } = head;
  const scheme = head.tls === undefined ? "http" : "https";
  const [address, port] = hostOf(fieldOf(rawHeaders, "host"), scheme);
  const mark = url.indexOf("?");
  const isKnown = METHODS.test(method);
  const found: HttpAttributes = {
    "http.request.method": isKnown ? method : "_OTHER",
    ...(isKnown ? {} : { "http.request.method_original": method }),
    "url.scheme": scheme,
    "url.path": mark < 0 ? url : url.slice(0, mark),
    "url.query": mark < 0 ? "" : url.slice(mark + 1),
    "server.address": address,
    "server.port": address === "" ? 0 : port,
    "client.address": remoteAddress,
    "client.port": remotePort,
    "network.peer.address": peer.address,
    "network.peer.port": peer.port,
    "network.protocol.name": "http",
    "network.protocol.version": httpVersion.replace(/\.0$/, ""),
    "user_agent.original": fieldOf(rawHeaders, "user-agent"),
    "http.response.status_code": ended?.status ?? 0,
    "error.type": ended === undefined ? "" : errorOf(ended),
  };
  for (const name of Object.keys(found)) {
    if (found[name] === "" || found[name] === 0) delete found[name];
  }
  // HTTP/1.0 keeps its zero: the convention shortens those of 2 and 3 alone.
  if (httpVersion === "1.0") found["network.protocol.version"] = httpVersion;
  return found;
}

function errorOf({ status, aborted }: RequestEnded): string {
  if (aborted) return "aborted";
  return status >= 500 ? String(status) : "";
}
