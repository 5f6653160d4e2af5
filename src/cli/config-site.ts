/**
 * Options of the application and of the web server → the site that front/ makes a configuration of.
 *
 * The one place that knows which option of postern is which line of a web server's. Opens nothing; reads the AJP secret,
 * which Apache's file has to hold.
 */
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import type { Backend, Site, SiteFolder, SiteProtocol, SiteTls } from "../front/site.ts";
import { SECRET_BYTES_MIN, readSecretFile } from "../serve/secret.ts";
import { DEFAULT_LIMITS } from "../wire/limits.ts";
import { readArguments, type ServeCommand } from "./arguments.ts";
import { KEEP_DEFAULT, READ_SECONDS_DEFAULT } from "./config-options.ts";
import type { ConfigWords } from "./config-words.ts";

/** Where it listens if nothing says so. */
const SOCKET_DEFAULT = "/run/app/app.sock";
const PACKET_BYTES_DEFAULT = 8_192;
/** Stands for the application where none was named. */
const NO_APP = "";

/** What the process is. */
export interface Surroundings {
  readonly node: string;
  readonly postern: string;
  /** The version of the web server that is installed here. */
  readonly version: readonly number[] | undefined;
}

/** `/run/a.sock`, `127.0.0.1:9000`, `[::1]:9000`. */
function backendOf(text: string): Backend {
  if (text.startsWith("/")) return { kind: "unix", path: text };
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:/\s]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match !== null && port >= 1 && port <= 65_535) {
    return { kind: "tcp", host: match[1] ?? match[2]!, port };
  }
  throw new UsageError(
    `--backend is ${JSON.stringify(text)}; it takes the path of a socket, or HOST:PORT.`,
  );
}

function ownPlace({ options }: ServeCommand): Backend | undefined {
  const { socket, path, port, host, fd } = options;
  if (fd !== undefined) {
    throw new UsageError(
      "fd names a socket of somebody else's; give socket or port, the place that the web server connects to.",
    );
  }
  const file = socket ?? path;
  if (typeof file === "string") return { kind: "unix", path: resolve(file) };
  if (port === undefined) return undefined;
  // Where it listens on every address, a web server on the same machine reaches it by the loopback.
  const isAny = host === undefined || host === "0.0.0.0" || host === "::";
  return {
    kind: "tcp",
    host: isAny ? "127.0.0.1" : host.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port),
  };
}

function protocolOf({ options }: ServeCommand): SiteProtocol {
  const { protocol = "fastcgi" } = options;
  const all = [protocol].flat();
  if (all.length === 1) return all[0] as SiteProtocol;
  // The first byte of a connection tells which of them it speaks.
  return all.includes("http") && all.includes("fastcgi") ? "auto" : (all[0] as SiteProtocol);
}

function foldersOf(given: unknown): SiteFolder[] {
  const texts = (given ?? []) as readonly string[];
  return texts.map((text) => {
    const [prefix = "", ...folder] = text.split("=");
    return { prefix: prefix.replace(/\/?$/, "/"), folder: resolve(folder.join("=")) };
  });
}

function tlsOf(values: ConfigWords["values"]): SiteTls | undefined {
  const file = (name: string): string | undefined => {
    const text = values.get(name) as string | undefined;
    return text === undefined ? undefined : resolve(text);
  };
  const [certificate, key, authority] = [
    file("tlsCertificate"),
    file("tlsKey"),
    file("tlsClientCa"),
  ];
  if (certificate !== undefined && key !== undefined) return { certificate, key, authority };
  if (certificate === undefined && key === undefined && authority === undefined) return undefined;
  throw new UsageError("TLS needs two files; give --tls-certificate and --tls-key.");
}

/** The shared word of AJP, for Apache's file. */
function secretOf({ options }: ServeCommand, backends: readonly Backend[]): string | undefined {
  if (options.protocol !== "ajp" && ![options.protocol].flat().includes("ajp")) return undefined;
  const { secret, secretFile } = options.ajp ?? {};
  const text = secretFile === undefined ? secret : readSecretFile(secretFile).toString();
  if (text === undefined) {
    if (backends.every(({ kind }) => kind === "unix")) return undefined;
    throw new UsageError(
      `AJP on a port needs a secret of ${SECRET_BYTES_MIN} bytes or more; give --ajp.secret-file, the same file as for serving.`,
    );
  }
  if (/^[\x21\x23-\x7e]+$/.test(text)) return text;
  throw new UsageError(
    "The AJP secret has blanks, quotes or other than ASCII letters, which Apache's file cannot hold; make one by: openssl rand -hex 32",
  );
}

/** `1.22.1` → its numbers. */
export function versionOf(text: string): readonly number[] | undefined {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match === null ? undefined : match.slice(1).map((part) => Number(part ?? 0));
}

function givenVersion(
  values: ConfigWords["values"],
  installed: Surroundings["version"],
): Surroundings["version"] {
  const text = values.get("serverVersion") as string | undefined;
  if (text === undefined) return installed;
  const version = versionOf(text);
  if (version !== undefined) return version;
  throw new UsageError(
    `--server-version is ${JSON.stringify(text)}; it takes numbers with dots, as in 1.22.1.`,
  );
}

/** Options that say where to listen. */
const ADDRESSES = new Set(["socket", "path", "host", "port"]);
/** Options that are given anew, from what was read. */
const FOLDERS = new Set(["static", "sendfile"]);
/** Options with a path, which has to mean the same wherever the application is started. */
const PATHS =
  /^(?:ajp\.secret-?file|access-?log|slow-?log|outlog|errlog|pidfile|control|workdir)$/i;
/** No files, where one may stand. */
const NO_PATHS = new Set(["-", "none"]);

function withWholePath(word: string): string {
  const [, name = "", value = ""] = /^--([^=]*)=(.*)$/s.exec(word) ?? [];
  return PATHS.test(name) && !NO_PATHS.has(value) ? `--${name}=${resolve(value)}` : word;
}

/** How the application is started, with the address that the configuration names. */
function startOf(
  command: ServeCommand,
  own: Backend | undefined,
  around: Surroundings,
): Site["start"] {
  const written = command.words.filter((word) => word.startsWith("--"));
  const named = (word: string): string => /^--([^=]*)/.exec(word)![1]!;
  const others = written.filter((word) => !ADDRESSES.has(named(word)) && !FOLDERS.has(named(word)));
  const folders = [...FOLDERS].flatMap((name) =>
    foldersOf(command.options[name as "static" | "sendfile"]).map(
      ({ prefix, folder }) => `--${name}=${prefix}=${folder}`,
    ),
  );
  const address =
    own === undefined || own.kind === "unix"
      ? [`--socket=${own?.path ?? SOCKET_DEFAULT}`]
      : written.filter((word) => ADDRESSES.has(named(word)));
  return {
    node: around.node,
    postern: around.postern,
    app: command.app === NO_APP ? undefined : resolve(command.app),
    folder: command.folder,
    options: [...address, ...others.map(withWholePath), ...folders],
    address,
  };
}

/** Prefixes as they are written into rules. */
function prefixOf({ options }: ServeCommand): string {
  const prefix = options.scriptName ?? "";
  if (prefix === "" || /^(?:\/[\w.~%@+-]+)+$/.test(prefix)) return prefix;
  throw new UsageError(
    `scriptName is ${JSON.stringify(prefix)}, which no web server's rule can hold as it is; give a path of letters, digits and - . _ ~.`,
  );
}

/**
 * Puts a site together.
 *
 * @throws UsageError for options that cannot be read, or do not go together
 */
export function readSite(words: ConfigWords, around: Surroundings): Site {
  const command = readArguments(words.rest, NO_APP);
  if (command.kind !== "serve")
    throw new UsageError("postern config says no version; postern --version does.");
  const { options } = command;
  const { values } = words;
  const own = ownPlace(command);
  const further = ((values.get("backend") ?? []) as string[]).map(backendOf);
  const backends = [own ?? { kind: "unix", path: SOCKET_DEFAULT }, ...further] as Site["backends"];
  const tls = tlsOf(values);
  return {
    protocol: protocolOf(command),
    backends,
    host: values.get("listenHost") as string | undefined,
    port: (values.get("listenPort") as number | undefined) ?? (tls === undefined ? 80 : 443),
    names: (values.get("serverName") ?? []) as string[],
    prefix: prefixOf(command),
    folders: foldersOf(options.static),
    sendfile: foldersOf(options.sendfile),
    bodyBytes: Number(options.limits?.bodyBytes ?? DEFAULT_LIMITS.bodyBytes),
    isStreaming: values.get("buffer") !== true,
    keep: (values.get("keep") as number | undefined) ?? KEEP_DEFAULT,
    isSticky: values.get("sticky") === true,
    isMultiplexed: String(options.multiplex) === "true",
    readSeconds: (values.get("readTimeout") as number | undefined) ?? READ_SECONDS_DEFAULT,
    sockets: (values.get("websocket") ?? []) as string[],
    tls,
    secret: secretOf(command, backends),
    packetBytes: Number(options.ajp?.packetSize ?? PACKET_BYTES_DEFAULT),
    version: givenVersion(values, around.version),
    start: startOf(command, own, around),
  };
}
