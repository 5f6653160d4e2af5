/**
 * A site → frontend and backend of HAProxy, over FastCGI or HTTP.
 *
 * HAProxy sends no files itself and speaks neither SCGI nor AJP. What each line is for stands beside it
 * (docs/front-servers.md).
 */
import { UsageError } from "../errors.ts";
import {
  type Backend,
  indent,
  placeOf,
  type Rendered,
  refuseProtocol,
  type Site,
  wordOf,
} from "./site.ts";

/** FCGI_GET_VALUES for FCGI_MPXS_CONNS, and how its answer begins (FastCGI §4.1). */
const ASK_VALUES = "01090000001100000f00464347495f4d5058535f434f4e4e53";
const VALUES_BEGIN = "010a";

const isFramed = ({ protocol }: Site): boolean => protocol !== "http";

function serverLine(site: Site, backend: Backend, index: number): string {
  const place = backend.kind === "unix" ? `unix@${backend.path}` : placeOf(backend);
  return [
    `server s${index + 1} ${place}`,
    ...(isFramed(site) ? ["proto fcgi"] : []),
    ...(site.backends.length > 1 ? ["check inter 1s fall 2 rise 1"] : []),
    ...(site.isSticky ? [`cookie s${index + 1}`] : []),
  ].join(" ");
}

/** Asks each instance whether it serves, and not only whether its port is open. */
function checks(site: Site): string[] {
  if (site.backends.length === 1) return [];
  return [
    "balance leastconn",
    "# Another instance is asked when one is gone; after the request was sent only for what may be asked twice.",
    "retries 2",
    "option redispatch",
    "retry-on conn-failure empty-response",
    "http-request disable-l7-retry unless METH_GET or METH_OPTIONS",
    ...(isFramed(site)
      ? [
          "# Asks each instance for its values, in FastCGI: open ports alone prove nothing.",
          "option tcp-check",
          "tcp-check connect",
          `tcp-check send-binary ${ASK_VALUES}`,
          `tcp-check expect binary ${VALUES_BEGIN}`,
        ]
      : ["option httpchk"]),
    ...(site.isSticky ? ["cookie INSTANCE insert indirect nocache httponly"] : []),
  ];
}

function fcgiApp(site: Site): string[] {
  if (!isFramed(site)) return [];
  const { tls } = site;
  return [
    `fcgi-app ${wordOf(site)}`,
    ...indent(
      [
        "# Mandatory; it means nothing here.",
        "docroot /",
        site.keep > 0 ? "option keep-conn" : "no option keep-conn",
        ...(site.isMultiplexed
          ? ["option get-values", "option mpxs-conns", "option max-reqs 100"]
          : []),
        "# Without this Authorization stays with HAProxy.",
        "pass-header authorization",
        "# What the application says on req.gateway.errors.",
        "log-stderr global",
        ...(tls === undefined
          ? []
          : [
              "set-param SERVER_ADDR %[dst]",
              "set-param SSL_PROTOCOL %[ssl_fc_protocol]",
              "set-param SSL_CIPHER %[ssl_fc_cipher]",
              "set-param SSL_TLS_SNI %[ssl_fc_sni]",
            ]),
        ...(tls?.authority === undefined
          ? []
          : [
              "set-param SSL_CLIENT_VERIFY SUCCESS if { ssl_c_used } { ssl_c_verify 0 }",
              "set-param SSL_CLIENT_CERT %[ssl_c_der,base64] if { ssl_c_used }",
            ]),
      ],
      2,
    ),
  ];
}

function bind({ host, port, tls }: Site): string {
  const place = host === undefined ? `:${port}` : placeOf({ kind: "tcp", host, port });
  if (tls === undefined) return `bind ${place}`;
  const client = tls.authority === undefined ? "" : ` ca-file ${tls.authority} verify required`;
  return `bind ${place} ssl crt ${tls.certificate}${client}`;
}

function frontend(site: Site): string[] {
  const word = wordOf(site);
  const isWhole = site.prefix === "" && site.names.length === 0;
  const conditions = [
    ...(site.names.length === 0 ? [] : [`{ hdr(host),field(1,:) -i ${site.names.join(" ")} }`]),
    ...(site.prefix === "" ? [] : [`{ path -m beg ${site.prefix}/ } or { path ${site.prefix} }`]),
  ];
  const uses =
    conditions.length === 0
      ? []
      : conditions.length === 1
        ? [`use_backend ${word} if ${conditions[0]}`]
        : [
            `acl at-${word} path -m beg ${site.prefix}/`,
            `acl at-${word} path ${site.prefix}`,
            `use_backend ${word} if ${conditions[0]} at-${word}`,
          ];
  return [
    `frontend ${word}-www`,
    ...indent(
      [
        ...(site.tls === undefined
          ? []
          : ["# One file with the certificate and its key: cat them together."]),
        bind(site),
        "mode http",
        ...bodyLimit(site),
        ...(isWhole ? [`default_backend ${word}`] : uses),
      ],
      2,
    ),
  ];
}

/** Over FastCGI postern refuses what is too large, and lingers: HAProxy closes at once, and not every client reads its 413. */
function bodyLimit({ bodyBytes, protocol }: Site): string[] {
  if (protocol !== "http" || bodyBytes === Number.POSITIVE_INFINITY) return [];
  return [
    "# As limits.bodyBytes: what is larger is answered 413.",
    `http-request deny deny_status 413 if { req.body_size gt ${bodyBytes} }`,
  ];
}

/** The configuration, to stand behind `global` and `defaults`. */
export function renderHaproxy(site: Site): Rendered {
  refuseProtocol("HAProxy", site, ["fastcgi", "http", "auto"], "give protocol fastcgi.");
  if (site.sockets.length > 0 && site.protocol !== "http") {
    throw new UsageError(
      "websocket needs another protocol behind HAProxy, which cannot upgrade over FastCGI; give protocol http.",
    );
  }
  if (site.folders.length > 0) {
    throw new UsageError(
      "HAProxy sends no files itself; leave out static, and postern sends them.",
    );
  }
  const word = wordOf(site);
  const lines = [
    ...frontend(site),
    `backend ${word}`,
    ...indent(
      [
        "mode http",
        "# A client that goes away is noticed.",
        "option abortonclose",
        ...(isFramed(site)
          ? [
              "# Chunked uploads get their length here, as far as they fit tune.bufsize.",
              "option http-buffer-request",
            ]
          : []),
        ...(site.isMultiplexed ? ["http-reuse always"] : []),
        "timeout connect 2s",
        `timeout server ${site.readSeconds}s`,
        ...checks(site),
        ...(isFramed(site) ? [`use-fcgi-app ${word}`] : []),
        ...site.backends.map((backend, i) => serverLine(site, backend, i)),
      ],
      2,
    ),
    ...fcgiApp(site),
  ];
  return { files: [{ path: "/etc/haproxy/haproxy.cfg", text: `${lines.join("\n")}\n` }] };
}
