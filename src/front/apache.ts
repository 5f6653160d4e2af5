/**
 * A site → a virtual host of Apache: mod_proxy_fcgi, mod_proxy_scgi, mod_proxy_ajp or mod_proxy_http.
 *
 * Programs that Apache starts itself are htaccess.ts. LimitRequestBody is not among the lines: 2.4.71 does not apply it to
 * what it proxies, and postern answers 413 itself. What each line is for stands beside it (docs/front-servers.md).
 */
import { UsageError } from "../errors.ts";
import {
  type Backend,
  indent,
  nameOf,
  placeOf,
  type Rendered,
  type Site,
  type SiteFolder,
  wordOf,
} from "./site.ts";

function schemeOf({ protocol }: Site): "fcgi" | "scgi" | "ajp" | "http" {
  return protocol === "fastcgi" || protocol === "auto" ? "fcgi" : protocol;
}

/** `unix:/p|fcgi://name/`, `ajp://127.0.0.1:8009/`. */
function targetOf(site: Site, backend: Backend, name: string, path: string): string {
  const scheme = schemeOf(site);
  return backend.kind === "unix"
    ? `unix:${backend.path}|${scheme}://${name}${path}`
    : `${scheme}://${placeOf(backend)}${path}`;
}

/** What is said of each connection. */
function connectionWords(site: Site): string[] {
  const scheme = schemeOf(site);
  return [
    ...(scheme === "ajp" && site.secret !== undefined ? [`secret=${site.secret}`] : []),
    // Asks before each request whether the other side is there, so that none is lost on a dead connection.
    ...(scheme === "ajp" ? ["ping=1"] : []),
    ...(scheme === "fcgi" && site.keep > 0 ? ["enablereuse=on"] : []),
    ...(scheme === "fcgi" && site.keep === 0 ? ["enablereuse=off"] : []),
    ...(site.isStreaming ? ["flushpackets=on"] : []),
  ];
}

/** Several instances, of which one is chosen for each request. */
function balancer(site: Site): string[] {
  const word = wordOf(site);
  const members = site.backends.map((backend, i) => {
    const target = targetOf(site, backend, `${word}-${i + 1}`, "");
    return [
      `BalancerMember "${target}"`,
      `route=${i + 1}`,
      "retry=5",
      ...connectionWords(site),
    ].join(" ");
  });
  return [
    `<Proxy "balancer://${word}">`,
    ...indent(
      [
        ...members,
        "ProxySet lbmethod=bybusyness",
        ...(site.isSticky ? ["ProxySet stickysession=ROUTEID"] : []),
      ],
      2,
    ),
    "</Proxy>",
    ...(site.isSticky
      ? [
          "# The cookie that brings a client back to its instance.",
          'Header add Set-Cookie "ROUTEID=.%{BALANCER_WORKER_ROUTE}e; path=/; HttpOnly; SameSite=Lax" env=BALANCER_ROUTE_CHANGED',
        ]
      : []),
  ];
}

/** WebSockets go over HTTP to the same socket, which knows protocols by their first byte. */
function sockets(site: Site): string[] {
  if (site.sockets.length === 0) return [];
  if (site.protocol !== "auto" && site.protocol !== "http") {
    throw new UsageError(
      `websocket needs another protocol behind Apache, which cannot upgrade over ${nameOf(site.protocol)}; give protocol auto.`,
    );
  }
  const [first] = site.backends;
  const word = `${wordOf(site)}-http`;
  return site.sockets.map((path) => {
    const target =
      first.kind === "unix"
        ? `unix:${first.path}|http://${word}${path}`
        : `http://${placeOf(first)}${path}`;
    return `ProxyPass "${path}" "${target}" upgrade=websocket`;
  });
}

function pass(site: Site): string[] {
  const path = site.prefix === "" ? "/" : site.prefix;
  const [first] = site.backends;
  if (site.backends.length > 1) {
    return [...balancer(site), `ProxyPass "${path}" "balancer://${wordOf(site)}${path}"`];
  }
  const target = targetOf(site, first, wordOf(site), path);
  return [["ProxyPass", `"${path}"`, `"${target}"`, ...connectionWords(site)].join(" ")];
}

function folder({ prefix, folder: path }: SiteFolder): string[] {
  const directory = path.replace(/\/?$/, "/");
  return [
    `ProxyPass "${prefix}" "!"`,
    `Alias "${prefix}" "${directory}"`,
    `<Directory "${directory}">`,
    "  Require all granted",
    "</Directory>",
  ];
}

/** Lines that only one of the protocols needs. */
function habits(site: Site): string[] {
  const scheme = schemeOf(site);
  const location = [
    `<Location "${site.prefix === "" ? "/" : site.prefix}">`,
    "  CGIPassAuth On",
    "</Location>",
  ];
  if (scheme === "fcgi") {
    return [
      "# Without this SCRIPT_FILENAME begins with proxy:fcgi://.",
      "ProxyFCGIBackendType GENERIC",
      "# Without this Authorization stays with Apache.",
      ...location,
    ];
  }
  if (scheme === "scgi") {
    return [
      ...(site.sendfile.length > 0 ? ["ProxySCGISendfile On"] : []),
      "# Without this Authorization stays with Apache.",
      ...location,
    ];
  }
  if (scheme === "ajp") {
    return [
      "# Without this answers lose their Content-Length.",
      "SetEnv ap_trust_cgilike_cl 1",
      ...(site.packetBytes > 8_192 ? [`ProxyIOBufferSize ${site.packetBytes}`] : []),
    ];
  }
  return ["RequestHeader unset Proxy early", "ProxyPreserveHost On"];
}

function tlsLines({ tls, protocol }: Site): string[] {
  if (tls === undefined) return [];
  const { certificate, key, authority } = tls;
  return [
    "SSLEngine on",
    `SSLCertificateFile ${certificate}`,
    `SSLCertificateKeyFile ${key}`,
    ...(authority === undefined
      ? []
      : [`SSLCACertificateFile ${authority}`, "SSLVerifyClient require"]),
    ...(protocol === "http"
      ? []
      : [`SSLOptions +StdEnvVars${authority === undefined ? "" : " +ExportCertData"}`]),
  ];
}

/** Modules, as a2enmod names them. */
function modulesOf(site: Site): string[] {
  const scheme = schemeOf(site);
  const isBalanced = site.backends.length > 1;
  return [
    "proxy",
    `proxy_${scheme}`,
    ...(site.sockets.length > 0 && scheme !== "http" ? ["proxy_http"] : []),
    ...(isBalanced ? ["proxy_balancer", "lbmethod_bybusyness", "slotmem_shm"] : []),
    ...((isBalanced && site.isSticky) || scheme === "http" ? ["headers"] : []),
    ...(site.tls === undefined ? [] : ["ssl"]),
    ...(site.folders.length > 0 ? ["alias"] : []),
  ];
}

/** The configuration, for the folder of sites. */
export function renderApache(site: Site): Rendered {
  const [name, ...aliases] = site.names;
  const host =
    site.host === undefined ? "*" : site.host.includes(":") ? `[${site.host}]` : site.host;
  const lines = [
    `# a2enmod ${modulesOf(site).join(" ")}`,
    ...(site.secret === undefined || site.protocol !== "ajp"
      ? []
      : ["# This file holds the AJP secret: chmod 640, owner root."]),
    `<VirtualHost ${host}:${site.port}>`,
    ...indent(
      [
        ...(name === undefined ? [] : [`ServerName ${name}`]),
        ...(aliases.length === 0 ? [] : [`ServerAlias ${aliases.join(" ")}`]),
        ...tlsLines(site),
        `ProxyTimeout ${site.readSeconds}`,
        ...site.folders.flatMap(folder),
        ...sockets(site),
        ...habits(site),
        ...pass(site),
      ],
      2,
    ),
    "</VirtualHost>",
  ];
  return {
    files: [
      { path: `/etc/apache2/sites-available/${wordOf(site)}.conf`, text: `${lines.join("\n")}\n` },
    ],
  };
}
