/**
 * A site → a block of a Caddyfile, over FastCGI or HTTP.
 *
 * Caddy speaks neither SCGI nor AJP and keeps no FastCGI connection. What each line is for stands beside it
 * (docs/front-servers.md).
 */
import { UsageError } from "../errors.ts";
import {
  type Backend,
  indent,
  mebibytes,
  placeOf,
  type Rendered,
  refuseProtocol,
  type Site,
  wordOf,
} from "./site.ts";

function upstreamOf(backend: Backend): string {
  return backend.kind === "unix" ? `unix/${backend.path}` : placeOf(backend);
}

function balance(site: Site): string[] {
  if (site.backends.length === 1) return [];
  return [
    `lb_policy ${site.isSticky ? "cookie instance" : "least_conn"}`,
    "# Another instance is asked when one does not answer its connection.",
    "lb_try_duration 3s",
    "fail_duration 5s",
  ];
}

function proxy(site: Site): string[] {
  const transport =
    site.protocol === "http"
      ? [`transport http {`, `  read_timeout ${site.readSeconds}s`, "}"]
      : [
          "transport fastcgi {",
          "  # Mandatory; it means nothing here.",
          "  root /",
          `  read_timeout ${site.readSeconds}s`,
          "  dial_timeout 2s",
          "}",
        ];
  return [
    `reverse_proxy ${site.backends.map(upstreamOf).join(" ")} {`,
    ...indent(
      [
        ...transport,
        "# A client's Proxy header must not become HTTP_PROXY (httpoxy).",
        "header_up -Proxy",
        ...(site.isStreaming ? ["# Pass answers on as they come.", "flush_interval -1"] : []),
        ...balance(site),
      ],
      2,
    ),
    "}",
  ];
}

function address(site: Site): string {
  const scheme = site.tls === undefined ? "http://" : "https://";
  const names = site.names.length > 0 ? site.names : [""];
  return names.map((name) => `${scheme}${name}:${site.port}`).join(", ");
}

function tlsLines({ tls }: Site): string[] {
  if (tls === undefined) return [];
  if (tls.authority !== undefined) {
    throw new UsageError(
      "Caddy tells a FastCGI application nothing of a client's certificate; leave out tls-client-ca, or take nginx or Apache.",
    );
  }
  return [`tls ${tls.certificate} ${tls.key}`];
}

/** The configuration, to be imported by the Caddyfile. */
export function renderCaddy(site: Site): Rendered {
  refuseProtocol("Caddy", site, ["fastcgi", "http", "auto"], "give protocol fastcgi.");
  if (site.sockets.length > 0 && site.protocol !== "http") {
    throw new UsageError(
      "websocket needs another protocol behind Caddy, which cannot upgrade over FastCGI; give protocol http.",
    );
  }
  // Over HTTP 2.6 makes a 502 of what is too large for it.
  const isLimited = site.bodyBytes !== Number.POSITIVE_INFINITY && site.protocol !== "http";
  const matcher = site.prefix === "" ? "" : `@app path ${site.prefix} ${site.prefix}/*`;
  const lines = [
    `${address(site)} {`,
    ...indent(
      [
        // An address in front of the block would be a name that clients have to ask for.
        ...(site.host === undefined ? [] : [`bind ${site.host}`]),
        ...tlsLines(site),
        ...(isLimited
          ? [
              "# As limits.bodyBytes: what is larger is answered 413.",
              "request_body {",
              `  max_size ${mebibytes(site.bodyBytes)}MiB`,
              "}",
            ]
          : []),
        ...site.folders.flatMap(({ prefix, folder }) => [
          `handle_path ${prefix}* {`,
          `  root * ${folder}`,
          "  file_server",
          "}",
        ]),
        ...(matcher === "" ? ["handle {"] : [matcher, "handle @app {"]),
        ...indent(proxy(site), 2),
        "}",
      ],
      2,
    ),
    "}",
  ];
  return { files: [{ path: `/etc/caddy/${wordOf(site)}.caddy`, text: `${lines.join("\n")}\n` }] };
}
