/**
 * A site → the configuration of nginx: one upstream, one server block.
 *
 * FastCGI, SCGI and plain HTTP; nginx has no AJP. What each line is for stands beside it, since whoever reads it has to
 * be able to change it (docs/front-servers.md).
 */
import { UsageError } from "../errors.ts";
import {
  type Backend,
  indent,
  isAtLeast,
  mebibytes,
  pattern,
  placeOf,
  type Rendered,
  refuseProtocol,
  type Site,
  type SiteFolder,
  wordOf,
} from "./site.ts";

/** Directives begin with it. */
type Module = "fastcgi" | "scgi" | "proxy";

/**
 * What nginx tells of a request, beside its headers. Written out, since the stock files differ between distributions:
 * Debian's say HTTP_HOST as well, without the port, and scgi_params has no SERVER_ADDR.
 */
const PARAMS: Readonly<Record<string, string>> = {
  REQUEST_METHOD: "$request_method",
  REQUEST_URI: "$request_uri",
  QUERY_STRING: "$query_string",
  CONTENT_TYPE: "$content_type",
  DOCUMENT_URI: "$document_uri",
  SERVER_PROTOCOL: "$server_protocol",
  REQUEST_SCHEME: "$scheme",
  HTTPS: "$https if_not_empty",
  GATEWAY_INTERFACE: "CGI/1.1",
  SERVER_SOFTWARE: "nginx/$nginx_version",
  REMOTE_ADDR: "$remote_addr",
  REMOTE_PORT: "$remote_port",
  SERVER_ADDR: "$server_addr",
  SERVER_PORT: "$server_port",
  SERVER_NAME: "$server_name",
};
const FASTCGI_PARAMS: Readonly<Record<string, string>> = {
  CONTENT_LENGTH: "$content_length",
  SCRIPT_NAME: "$fastcgi_script_name",
};
/** nginx sends CONTENT_LENGTH by itself here, first, as SCGI wants it. */
const SCGI_PARAMS: Readonly<Record<string, string>> = { SCGI: "1" };
const TLS_PARAMS: Readonly<Record<string, string>> = {
  SSL_PROTOCOL: "$ssl_protocol",
  SSL_CIPHER: "$ssl_cipher",
  SSL_TLS_SNI: "$ssl_server_name",
};
const CLIENT_PARAMS: Readonly<Record<string, string>> = {
  SSL_CLIENT_VERIFY: "$ssl_client_verify",
  SSL_CLIENT_CERT: "$ssl_client_raw_cert",
};

function moduleOf(site: Site): Module {
  refuseProtocol(
    "nginx",
    site,
    ["fastcgi", "scgi", "http", "auto"],
    "give protocol fastcgi or scgi.",
  );
  if (site.protocol === "http") return "proxy";
  return site.protocol === "scgi" ? "scgi" : "fastcgi";
}

function serverLine(backend: Backend, isAlone: boolean): string {
  const place = backend.kind === "unix" ? `unix:${backend.path}` : placeOf(backend);
  // A single one is never put aside: nobody else could answer.
  return `server ${place}${isAlone ? "" : " max_fails=1 fail_timeout=5s"};`;
}

/** Connections of one protocol each: nginx would send HTTP on a connection that it kept for FastCGI. */
function upstreams(site: Site, module: Module): string[] {
  const own = upstream(site, module, wordOf(site));
  const isMixed = site.sockets.length > 0 && module === "fastcgi";
  return isMixed
    ? [...own, ...upstream({ ...site, keep: 0 }, "proxy", `${wordOf(site)}-http`)]
    : own;
}

function upstream(site: Site, module: Module, name: string): string[] {
  const isAlone = site.backends.length === 1;
  const keeps = site.keep > 0 && module !== "scgi";
  const balance = site.isSticky ? "ip_hash;" : "least_conn;";
  return [
    `upstream ${name} {`,
    ...indent(
      [
        ...(isAlone ? [] : [balance]),
        ...site.backends.map((backend) => serverLine(backend, isAlone)),
        // Last: nginx wants it behind the way of balancing.
        ...(keeps ? [`keepalive ${site.keep};`] : []),
      ],
      2,
    ),
    "}",
  ];
}

/** Lines that pass on what nginx knows. */
function params(site: Site, module: Module): string[] {
  if (module === "proxy") {
    return [
      "proxy_http_version 1.1;",
      'proxy_set_header Connection "";',
      "proxy_set_header Host $http_host;",
      "proxy_set_header X-Forwarded-For $remote_addr;",
      "proxy_set_header X-Forwarded-Proto $scheme;",
      'proxy_set_header Proxy "";',
    ];
  }
  const all: Readonly<Record<string, string>> = {
    ...PARAMS,
    ...(module === "fastcgi" ? FASTCGI_PARAMS : SCGI_PARAMS),
    ...(site.tls === undefined ? {} : TLS_PARAMS),
    ...(site.tls?.authority === undefined ? {} : CLIENT_PARAMS),
  };
  return [
    ...Object.entries(all).map(([name, value]) => `${module}_param ${name} ${value};`),
    "# A client's Proxy header must not become HTTP_PROXY (httpoxy).",
    `${module}_param HTTP_PROXY "";`,
  ];
}

/** Lines about the way of bodies. */
function bodies(site: Site, module: Module): string[] {
  if (!site.isStreaming) return ["# Bodies are collected here.", `${module}_buffering on;`];
  // Before 1.29.6 nginx sends a wrong CONTENT_LENGTH over SCGI for uploads that have not come whole.
  const canStreamUploads = module !== "scgi" || isAtLeast(site.version, 1, 29, 6);
  return [
    "# Pass bodies on as they come.",
    ...(canStreamUploads ? [`${module}_request_buffering off;`] : []),
    `${module}_buffering off;`,
  ];
}

function location(site: Site, module: Module): string[] {
  const path = site.prefix === "" ? "/" : `~ ^${pattern(site.prefix)}(?:/|$)`;
  return [
    `location ${path} {`,
    ...indent(
      [
        ...params(site, module),
        `${module}_pass ${module === "proxy" ? "http://" : ""}${wordOf(site)};`,
        ...(module === "fastcgi" && site.keep > 0 ? ["fastcgi_keep_conn on;"] : []),
        ...bodies(site, module),
        `${module}_read_timeout ${site.readSeconds}s;`,
        ...failover(site, module),
      ],
      2,
    ),
    "}",
  ];
}

/** Where another instance is asked: never for a request that may have had its effect. */
function failover(site: Site, module: Module): string[] {
  if (site.backends.length === 1) return [];
  return [
    "# Another instance is asked when one is gone or full. A POST is not asked twice once it was sent.",
    `${module}_next_upstream error timeout http_503;`,
    `${module}_next_upstream_tries ${Math.min(site.backends.length, 3)};`,
    `${module}_connect_timeout 2s;`,
  ];
}

/** WebSockets: over SCGI as they are, else over HTTP to the same socket, which knows protocols by their first byte. */
function sockets(site: Site, module: Module): string[] {
  if (site.sockets.length === 0) return [];
  if (module === "fastcgi" && site.protocol !== "auto") {
    throw new UsageError(
      "websocket needs another protocol behind nginx, which cannot upgrade over FastCGI; give protocol auto, or scgi.",
    );
  }
  return site.sockets.flatMap((path) => [
    `location ^~ ${path} {`,
    ...indent(
      module === "scgi"
        ? [
            ...params(site, module),
            `scgi_pass ${wordOf(site)};`,
            "scgi_read_timeout 1h;",
            "scgi_send_timeout 1h;",
          ]
        : [
            `proxy_pass http://${wordOf(site)}-http;`,
            "proxy_http_version 1.1;",
            "proxy_set_header Host $http_host;",
            "proxy_set_header Upgrade $http_upgrade;",
            "proxy_set_header Connection upgrade;",
            'proxy_set_header Proxy "";',
            "proxy_read_timeout 1h;",
          ],
      2,
    ),
    "}",
  ]);
}

function folder({ prefix, folder: path }: SiteFolder, isInternal: boolean): string[] {
  return [
    `location ^~ ${prefix} {`,
    ...(isInternal ? ["  internal;"] : []),
    `  alias ${path.replace(/\/?$/, "/")};`,
    "}",
  ];
}

function listen(site: Site): string {
  const host =
    site.host === undefined ? "" : `${site.host.includes(":") ? `[${site.host}]` : site.host}:`;
  return `listen ${host}${site.port}${site.tls === undefined ? "" : " ssl"};`;
}

function tlsLines({ tls }: Site): string[] {
  if (tls === undefined) return [];
  const { certificate, key, authority } = tls;
  return [
    `ssl_certificate ${certificate};`,
    `ssl_certificate_key ${key};`,
    ...(authority === undefined
      ? []
      : [`ssl_client_certificate ${authority};`, "ssl_verify_client on;"]),
  ];
}

/** The configuration, for the folder of sites. */
export function renderNginx(site: Site): Rendered {
  const module = moduleOf(site);
  const size = site.bodyBytes === Number.POSITIVE_INFINITY ? "0" : `${mebibytes(site.bodyBytes)}m`;
  const lines = [
    ...upstreams(site, module),
    "server {",
    ...indent(
      [
        listen(site),
        `server_name ${site.names.length === 0 ? "_" : site.names.join(" ")};`,
        ...tlsLines(site),
        "# As limits.bodyBytes: what is larger is answered 413.",
        `client_max_body_size ${size};`,
        ...site.folders.flatMap((one) => folder(one, false)),
        ...site.sendfile.flatMap((one) => folder(one, true)),
        ...sockets(site, module),
        ...location(site, module),
      ],
      2,
    ),
    "}",
  ];
  return {
    files: [{ path: `/etc/nginx/conf.d/${wordOf(site)}.conf`, text: `${lines.join("\n")}\n` }],
  };
}
