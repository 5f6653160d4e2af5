/**
 * Checked values → settings: defaults filled in, options that belong together put together.
 *
 * Says no where they contradict each other, and asks server/reach.ts whether the address may be opened. Opens nothing.
 */
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import type { ProtocolName } from "../http/head.ts";
import { compileFormat } from "../observe/access-format.ts";
import { checkPeers, readWebServerAddresses } from "../server/peers.ts";
import { reachOf, tellsReach } from "../server/reach.ts";
import type {
  AjpSettings,
  FolderSettings,
  ListenSettings,
  LogSettings,
  ResolvedOptions,
  Timeouts,
  TrustSettings,
} from "../server/settings.ts";
import type { Limits } from "../wire/limits.ts";
import { readFolders } from "./folders.ts";
import { OPTIONS, optionRow } from "./option-table.ts";
import type { OptionValues } from "./option-values.ts";
import { readSecretHash } from "./secret.ts";
import { checkStatusAddress } from "./status-address.ts";

/** What `auto` answers. */
const ALL: readonly ProtocolName[] = Object.freeze(["fastcgi", "scgi", "ajp", "http"]);
/** Who sees the status, unless told otherwise. */
const LOOPBACK: readonly string[] = Object.freeze(["127.0.0.0/8", "::1"]);
const HOST_DEFAULT = "127.0.0.1";
const MODE_DEFAULT = 0o660;

/** The value of an option, or its default. The caller knows its type: check.ts made sure of it. */
function read<T>(values: OptionValues, name: string): T {
  return (values.has(name) ? values.get(name) : optionRow(name)?.default) as T;
}

/** All options of one group. */
function group<T>(values: OptionValues, prefix: string): T {
  const rows = OPTIONS.filter(({ name }) => name.startsWith(prefix));
  const entries = rows.map(({ name }) => [name.slice(prefix.length), read(values, name)]);
  return Object.freeze(Object.fromEntries(entries)) as T;
}

/** Fails when options that exclude each other are given together. */
function checkAddress(values: OptionValues): void {
  const given = ["socket", "path", "port", "fd"].filter((name) => values.has(name));
  if (given.length > 1) {
    throw new UsageError(`${given.join(" and ")} are both addresses; give one of them.`);
  }
  if (!values.has("host") || values.has("port")) return;
  throw new UsageError(
    given.length === 0
      ? `host is ${JSON.stringify(values.get("host"))}, but there is no port; give port as well.`
      : `host and ${given[0]} do not go together; leave out host, or give port.`,
  );
}

function listenOf(values: OptionValues): ListenSettings {
  checkAddress(values);
  const path = values.get("socket") ?? values.get("path");
  if (typeof path === "string") {
    const umask = values.get("umask");
    const fallback = typeof umask === "number" ? 0o777 & ~umask : MODE_DEFAULT;
    return Object.freeze({
      kind: "unix",
      // An abstract name stays what it is, so that listen can refuse it by its right name.
      path: path.includes("\0") ? path : resolve(path),
      mode: (values.get("mode") as number | undefined) ?? fallback,
      owner: read<number | string | undefined>(values, "owner"),
      group: read<number | string | undefined>(values, "group"),
    });
  }
  const port = values.get("port");
  if (typeof port === "number") {
    const host = (values.get("host") as string | undefined) ?? HOST_DEFAULT;
    return Object.freeze({ kind: "tcp", host: host.replace(/^\[(.*)\]$/, "$1"), port });
  }
  const fd = values.get("fd");
  if (typeof fd === "number") return Object.freeze({ kind: "fd", fd });
  if (typeof fd === "string") {
    const colon = fd.indexOf(":");
    return Object.freeze({ kind: "systemd", name: colon < 0 ? undefined : fd.slice(colon + 1) });
  }
  return Object.freeze({ kind: "inherited" });
}

/** A path as it is kept: it must not depend on where the process goes later. */
function logPath(path: string): string {
  return path === "-" ? path : resolve(path);
}

function logsOf(values: OptionValues): LogSettings {
  const access = read<string | undefined>(values, "accessLog");
  const slow = read<string | undefined>(values, "slowLog");
  const format = read<string>(values, "accessFormat");
  compileFormat(format);
  if (access === undefined && values.has("accessFormat")) {
    throw new UsageError(
      "accessFormat is given, but there is no accessLog; give accessLog as well.",
    );
  }
  const afterMs = read<number>(values, "timeouts.slow");
  if (slow !== undefined && afterMs === 0) {
    throw new UsageError("slowLog is given, but timeouts.slow is 0; give it milliseconds.");
  }
  return Object.freeze({
    access: access === undefined ? undefined : { path: logPath(access), format },
    slow: slow === undefined ? undefined : { path: logPath(slow), afterMs },
  });
}

function ajpOf(values: OptionValues): AjpSettings {
  const secretHash = readSecretHash(
    read<string | undefined>(values, "ajp.secret"),
    read<string | undefined>(values, "ajp.secretFile"),
  );
  return Object.freeze({
    secretHash,
    packetSize: read<number>(values, "ajp.packetSize"),
    attributes: read<RegExp | undefined>(values, "ajp.attributes"),
    rawBody: read<boolean>(values, "ajp.rawBody"),
  });
}

function trustOf(values: OptionValues, webServerAddresses: string | undefined): TrustSettings {
  const peers = read<readonly string[] | undefined>(values, "trust.peers");
  if (peers !== undefined) checkPeers(peers);
  return Object.freeze({
    peers,
    allowRemote: read<boolean>(values, "trust.allowRemote"),
    webServerAddresses: readWebServerAddresses(webServerAddresses),
    user: read<boolean>(values, "trust.user"),
    tls: read<boolean>(values, "trust.tls"),
  });
}

function statusOf(
  values: OptionValues,
): Pick<ResolvedOptions, "status" | "statusPath" | "statusPeers"> {
  const status = read<string | undefined>(values, "status");
  if (status !== undefined) checkStatusAddress(status);
  const statusPath = read<string | undefined>(values, "statusPath");
  if (statusPath !== undefined && !/^\/[^?#\s]*$/.test(statusPath)) {
    const shown = JSON.stringify(statusPath);
    throw new UsageError(`statusPath is ${shown}; it takes a path that begins with a slash.`);
  }
  if (statusPath === undefined && values.has("statusPeers"))
    throw new UsageError("statusPeers is given, but there is no statusPath; give it as well.");
  const statusPeers = read<readonly string[] | undefined>(values, "statusPeers") ?? LOOPBACK;
  checkPeers(statusPeers, "statusPeers");
  // It must not depend on where the process goes later.
  const where = status?.includes("/") === true ? resolve(status) : status;
  return { status: where, statusPath, statusPeers };
}

/**
 * Puts settings together.
 *
 * @param values checked values
 * @param env    FCGI_WEB_SERVER_ADDRS is read here
 * @throws UsageError when options contradict each other, or the address may not be opened with them
 */
export function resolveOptions(
  values: OptionValues,
  env: Readonly<Record<string, string | undefined>>,
): ResolvedOptions {
  const listen = listenOf(values);
  const named = read<readonly ProtocolName[] | "auto" | string>(values, "protocol");
  const auto = named === "auto";
  const protocols = typeof named === "string" ? (auto ? ALL : [named as ProtocolName]) : named;
  const trust = trustOf(values, env["FCGI_WEB_SERVER_ADDRS"]);
  const note =
    trust.webServerAddresses?.length === 0
      ? "FCGI_WEB_SERVER_ADDRS names no address, so nobody may connect."
      : undefined;
  const resolved: ResolvedOptions = {
    listen,
    backlog: read<number>(values, "backlog"),
    protocols: Object.freeze([...protocols]),
    auto,
    engine: read<ResolvedOptions["engine"]>(values, "engine"),
    transport: read<ResolvedOptions["transport"] | undefined>(values, "transport") ?? "auto",
    multiplex: read<boolean>(values, "multiplex"),
    halfOpen: read<boolean>(values, "halfOpen"),
    scriptName: read<string | undefined>(values, "scriptName"),
    stripScriptName: read<boolean>(values, "stripScriptName"),
    static: readFolders("static", read<readonly FolderSettings[] | undefined>(values, "static")),
    sendfile: readFolders(
      "sendfile",
      read<readonly FolderSettings[] | undefined>(values, "sendfile"),
    ),
    limits: group<Limits>(values, "limits."),
    timeouts: group<Timeouts>(values, "timeouts."),
    trust,
    ajp: ajpOf(values),
    scgi: Object.freeze({ strict: read<boolean>(values, "scgi.strict") }),
    ...statusOf(values),
    logs: logsOf(values),
    signal: read<AbortSignal | undefined>(values, "signal"),
    onListen: read<ResolvedOptions["onListen"]>(values, "onListen"),
    onError: read<ResolvedOptions["onError"]>(values, "onError"),
    note,
  };
  // Where the address shows by itself who reaches it, that is judged now; the rest when listening.
  const tells = listen.kind === "tcp" && tellsReach(listen.host);
  return Object.freeze(tells ? { ...resolved, ...reachOf(resolved, listen.host) } : resolved);
}
