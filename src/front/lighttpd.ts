/**
 * A site → a piece of configuration of lighttpd: mod_fastcgi, mod_scgi, mod_ajp13 or mod_proxy.
 *
 * The port is the main file's business, but for TLS. What each line is for stands beside it (docs/front-servers.md).
 */
import { UsageError } from "../errors.ts";
import {
  type Backend,
  indent,
  isAtLeast,
  pattern,
  type Rendered,
  type Site,
  wordOf,
} from "./site.ts";

/** Names of the module and of its options. */
const MODULES = {
  fastcgi: { module: "mod_fastcgi", option: "fastcgi" },
  auto: { module: "mod_fastcgi", option: "fastcgi" },
  scgi: { module: "mod_scgi", option: "scgi" },
  ajp: { module: "mod_ajp13", option: "ajp13" },
  http: { module: "mod_proxy", option: "proxy" },
} as const;

const KIBIBYTE = 1_024;
/** server.max-request-size is KiB in 32 bits; 0 is no limit. */
const SIZE_MAX = 2_097_151;

function backendLines(site: Site, backend: Backend): string[] {
  const canUpgrade = site.sockets.length > 0;
  const isRoot = site.prefix === "";
  const knowsScripts = site.protocol !== "ajp" && site.protocol !== "http";
  const lines = [
    ...(backend.kind === "unix"
      ? [`"socket" => "${backend.path}"`]
      : [`"host" => "${backend.host}"`, `"port" => ${backend.port}`]),
    ...(site.protocol === "http" ? [] : ['"check-local" => "disable"']),
    // Without it the first part of every path is taken for the mount prefix.
    ...(isRoot && knowsScripts ? ['"fix-root-scriptname" => "enable"'] : []),
    ...(site.sendfile.length > 0 && knowsScripts
      ? [
          '"x-sendfile" => "enable"',
          `"x-sendfile-docroot" => ( ${site.sendfile.map(({ folder }) => `"${folder}"`).join(", ")} )`,
        ]
      : []),
    ...(canUpgrade ? ['"upgrade" => "enable"'] : []),
  ];
  return lines.map((line, i) => (i < lines.length - 1 ? `${line},` : line));
}

/** `fastcgi.server = ( "/" => ( ( … ), ( … ) ) )`. */
function mapping(site: Site): string[] {
  const { option } = MODULES[site.protocol];
  // AJP would get the first part of a divided path alone, and a proxy has no prefix to speak of.
  const isWhole = site.protocol === "ajp" || site.protocol === "http";
  const key = isWhole ? "" : site.prefix === "" ? "/" : site.prefix;
  const backends = site.backends.flatMap((backend, i) => [
    "(",
    ...indent(backendLines(site, backend), 2),
    i < site.backends.length - 1 ? ")," : ")",
  ]);
  const balance = site.isSticky ? "sticky" : "least-connection";
  const lines = [
    ...(site.backends.length === 1 ? [] : [`${option}.balance = "${balance}"`]),
    `${option}.server = ( "${key}" => (`,
    ...indent(backends, 2),
    ") )",
    ...(site.protocol === "http" ? ['proxy.header = ( "upgrade" => "enable" )'] : []),
  ];
  return isWhole && site.prefix !== ""
    ? within(`=~ "^${pattern(site.prefix)}(?:/|$)"`, lines)
    : lines;
}

function within(condition: string, lines: readonly string[]): string[] {
  return [`$HTTP["url"] ${condition} {`, ...indent(lines, 2), "}"];
}

/** Files that lighttpd sends itself: what is for the application must not ask for them first. */
function folders(site: Site, lines: readonly string[]): string[] {
  if (site.folders.length === 0) return [...lines];
  const aliases = site.folders.map(
    ({ prefix, folder }) => `"${prefix}" => "${folder.replace(/\/?$/, "/")}"`,
  );
  const all = site.folders.map(({ prefix }) => pattern(prefix)).join("|");
  return [`alias.url += ( ${aliases.join(", ")} )`, ...within(`!~ "^(?:${all})"`, lines)];
}

function named(site: Site, lines: readonly string[]): string[] {
  if (site.names.length === 0) return [...lines];
  const all = site.names.map((name) => pattern(name)).join("|");
  return [`$HTTP["host"] =~ "^(?:${all})(?::\\d+)?$" {`, ...indent(lines, 2), "}"];
}

function secured(site: Site, lines: readonly string[]): string[] {
  if (site.tls === undefined) return [...lines];
  const { certificate, key, authority } = site.tls;
  return [
    `$SERVER["socket"] == "${site.host ?? ""}:${site.port}" {`,
    ...indent(
      [
        'ssl.engine = "enable"',
        `ssl.pemfile = "${certificate}"`,
        `ssl.privkey = "${key}"`,
        ...(authority === undefined
          ? []
          : [
              `ssl.ca-file = "${authority}"`,
              'ssl.verifyclient.activate = "enable"',
              'ssl.verifyclient.enforce = "enable"',
              'ssl.verifyclient.exportcert = "enable"',
            ]),
        ...lines,
      ],
      2,
    ),
    "}",
  ];
}

function check(site: Site): void {
  if (site.protocol === "ajp" && site.backends.some(({ kind }) => kind === "tcp")) {
    throw new UsageError(
      "lighttpd sends no AJP secret behind plain HTTP, and an AJP port of postern asks for one; give socket, a path.",
    );
  }
  if (site.sockets.length === 0 || site.protocol === "http") return;
  if (site.protocol === "ajp" || !isAtLeast(site.version, 1, 4, 74)) {
    throw new UsageError(
      "websocket needs lighttpd 1.4.74 or later, and FastCGI, SCGI or HTTP; give server-version if yours is, or protocol http.",
    );
  }
}

/** The configuration, for the folder of pieces. */
export function renderLighttpd(site: Site): Rendered {
  check(site);
  const { module } = MODULES[site.protocol];
  const kib = Math.ceil(site.bodyBytes / KIBIBYTE);
  const modules = [
    `"${module}"`,
    ...(site.folders.length > 0 ? ['"mod_alias"'] : []),
    ...(site.tls === undefined ? [] : ['"mod_openssl"']),
  ];
  const lines = [
    `server.modules += ( ${modules.join(", ")} )`,
    ...(site.tls === undefined
      ? [`# The port is server.port of the main file; here it should be ${site.port}.`]
      : []),
    ...(site.isStreaming
      ? ["# Pass answers on as they come.", "server.stream-response-body = 1"]
      : []),
    "# As limits.bodyBytes, in KiB; 0 is no limit.",
    `server.max-request-size = ${kib > SIZE_MAX ? 0 : kib}`,
    ...secured(site, named(site, folders(site, mapping(site)))),
  ];
  return {
    files: [
      { path: `/etc/lighttpd/conf-enabled/50-${wordOf(site)}.conf`, text: `${lines.join("\n")}\n` },
    ],
  };
}
