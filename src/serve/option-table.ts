/**
 * Every option that has a value in text: its name, what it takes, its default and one clause for `--help`.
 *
 * The one place from which checks, the environment's names, the command line and the help are made. It checks nothing
 * itself (see check.ts), and the long description of each option is the docstring in options.ts.
 */
import { DEFAULT_LIMITS, type Limits } from "../wire/limits.ts";

/** What an option takes. */
export type OptionType =
  /** A whole number of a range. */
  | {
      readonly type: "integer";
      readonly min: number;
      readonly max: number;
      /** `Infinity` may be given as well. */
      readonly infinite?: boolean;
    }
  | { readonly type: "boolean" }
  | { readonly type: "text"; readonly empty?: true }
  /** Permission bits: a number in JavaScript, octal digits in text. */
  | { readonly type: "octal" }
  /** Id or name of a user or group. */
  | { readonly type: "account" }
  | { readonly type: "engine" }
  | { readonly type: "transport" }
  | { readonly type: "protocol" }
  | { readonly type: "descriptor" }
  /** Addresses; commas between them in text. */
  | { readonly type: "list" }
  /** Prefixes with a folder each: `PREFIX=DIR`, commas between several in text. */
  | { readonly type: "folders" }
  | { readonly type: "pattern" }
  | { readonly type: "function" }
  | { readonly type: "signal" };

/** One option. */
export interface OptionRow {
  /** With its group: `limits.bodyBytes`. */
  readonly name: string;
  readonly takes: OptionType;
  readonly default?: unknown;
  /** One clause, without full stop. */
  readonly help: string;
  /** Stands for the value in `--help`. */
  readonly sample?: string;
}

/** Longest timer of Node, in milliseconds: 2^31 − 1. */
const TIMER_MS_MAX = 2_147_483_647;
const PORT_MAX = 65_535;
const BACKLOG_MAX = 65_535;
const DESCRIPTOR_MAX = 1_048_575;

/** Smallest AJP packet that can be agreed on, in bytes, its four header bytes included. */
export const PACKET_BYTES_MIN = 8_192;
/** Largest AJP packet, in bytes, its four header bytes included. */
export const PACKET_BYTES_MAX = 65_536;
/** These two size memory that a server sets aside at its start, so they have an end. */
const HEAD_BYTES_MAX = 16_777_216;
const FIELD_COUNT_MAX = 65_535;
/** Highest number of a descriptor that is taken at its word. */
export const FD_MAX: number = DESCRIPTOR_MAX;

const row = (
  name: string,
  takes: OptionType,
  help: string,
  more: Partial<Pick<OptionRow, "default" | "sample">> = {},
): OptionRow => ({ name, takes, help, ...more });

const limit = (name: keyof Limits, help: string, max = Number.POSITIVE_INFINITY): OptionRow => ({
  name: `limits.${name}`,
  takes: {
    type: "integer",
    min: 1,
    max: Math.min(max, Number.MAX_SAFE_INTEGER),
    infinite: max === Number.POSITIVE_INFINITY,
  },
  default: DEFAULT_LIMITS[name],
  help,
  sample: "N",
});

const timeout = (name: string, ms: number, help: string): OptionRow => ({
  name: `timeouts.${name}`,
  takes: { type: "integer", min: 0, max: TIMER_MS_MAX },
  default: ms,
  help,
  sample: "MS",
});

/** All options, in the order of `--help`. */
export const OPTIONS: readonly OptionRow[] = [
  row("protocol", { type: "protocol" }, "fastcgi, scgi, ajp, http, several with commas, or auto", {
    default: "fastcgi",
    sample: "NAME",
  }),
  row("socket", { type: "text" }, "listen on a unix socket at this path", { sample: "PATH" }),
  row("path", { type: "text" }, "the same as socket", { sample: "PATH" }),
  row("port", { type: "integer", min: 0, max: PORT_MAX }, "listen on this TCP port", {
    sample: "N",
  }),
  row("host", { type: "text" }, "address of the port; 127.0.0.1 if not given", { sample: "HOST" }),
  row("fd", { type: "descriptor" }, "listen on a descriptor: N, stdin, systemd or systemd:NAME", {
    sample: "FD",
  }),
  row(
    "backlog",
    { type: "integer", min: 1, max: BACKLOG_MAX },
    "queue of connections not yet taken",
    {
      default: 4_096,
      sample: "N",
    },
  ),
  row("mode", { type: "octal" }, "permissions of the socket file, octal; 660 if not given", {
    sample: "MODE",
  }),
  row("umask", { type: "octal" }, "permissions as 777 less these, octal", { sample: "MASK" }),
  row("owner", { type: "account" }, "user that shall own the socket file", { sample: "USER" }),
  row("group", { type: "account" }, "group of the socket file", { sample: "GROUP" }),
  row("engine", { type: "engine" }, "native, typescript or auto", { sample: "NAME" }),
  row("transport", { type: "transport" }, "native, node or auto", { sample: "NAME" }),
  row("multiplex", { type: "boolean" }, "several FastCGI requests on one connection", {
    default: false,
  }),
  row(
    "halfOpen",
    { type: "boolean" },
    "a TCP peer may end its side and still wait for the answer",
    {
      default: false,
    },
  ),
  row("scriptName", { type: "text", empty: true }, "the mount prefix, instead of finding it", {
    sample: "PREFIX",
  }),
  row("stripScriptName", { type: "boolean" }, "take the mount prefix off req.url", {
    default: false,
  }),
  row("static", { type: "folders" }, "serve files of a folder below a prefix; may be repeated", {
    sample: "PREFIX=DIR",
  }),
  row("sendfile", { type: "folders" }, "files that the web server sends for sendFile()", {
    sample: "PREFIX=DIR",
  }),
  limit("headBytes", "largest request head, in bytes", HEAD_BYTES_MAX),
  limit("fieldCount", "most fields of one head", FIELD_COUNT_MAX),
  limit("nameBytes", "longest field name"),
  limit("valueBytes", "longest field value"),
  limit("bodyBytes", "largest request body"),
  limit("headRecords", "most FastCGI records of one head"),
  limit("connections", "most open connections"),
  limit("requests", "most requests in flight"),
  limit("requestsPerConnection", "most requests in flight of one connection, with multiplex"),
  limit("delay", "most delay of the event loop, in ms; beyond it requests get 503"),
  limit("stderrBytes", "most error text of one request"),
  limit("windowBytes", "body bytes held for a handler that does not read"),
  limit("connectionWindowBytes", "the same for one connection, with multiplex"),
  timeout("head", 10_000, "until a head is complete"),
  timeout("body", 60_000, "between two pieces of a body"),
  timeout("write", 60_000, "until the peer takes more of a response"),
  timeout("idle", 75_000, "between two requests of a kept connection"),
  timeout("request", 0, "for a whole request; 0 is no limit"),
  timeout("queue", 0, "since X-Request-Start of the web server; older is 503"),
  timeout("slow", 1_000, "when slowLog has a request, with its stack"),
  timeout("drain", 30_000, "for running requests when stopping"),
  timeout("kill", 5_000, "for what is left after that"),
  row("trust.peers", { type: "list" }, "addresses and subnets that may connect", {
    sample: "LIST",
  }),
  row("trust.allowRemote", { type: "boolean" }, "a port that other machines reach is meant", {
    default: false,
  }),
  row("trust.user", { type: "boolean" }, "believe the web server's word on the user", {
    default: true,
  }),
  row("trust.tls", { type: "boolean" }, "believe its word on TLS and client certificates", {
    default: true,
  }),
  row("ajp.secret", { type: "text" }, "AJP secret, 16 bytes or more; ajp.secretFile is safer", {
    sample: "TEXT",
  }),
  row("ajp.secretFile", { type: "text" }, "file with the AJP secret", { sample: "PATH" }),
  row(
    "ajp.packetSize",
    { type: "integer", min: PACKET_BYTES_MIN, max: PACKET_BYTES_MAX },
    "largest AJP packet, as the web server has it",
    { default: PACKET_BYTES_MIN, sample: "N" },
  ),
  row("ajp.attributes", { type: "pattern" }, "request attributes that may pass", {
    sample: "REGEXP",
  }),
  row("ajp.rawBody", { type: "boolean" }, "AJP bodies as lighttpd sends them", { default: false }),
  row("scgi.strict", { type: "boolean" }, "SCGI to the letter", { default: false }),
  // Metrics and status.
  row(
    "status",
    { type: "text" },
    "serve status and metrics on a unix socket or a port of this machine",
    {
      sample: "PATH|PORT",
    },
  ),
  row("statusPath", { type: "text" }, "answer this path with them, before the application", {
    sample: "PATH",
  }),
  row(
    "statusPeers",
    { type: "list" },
    "clients that are answered there; this machine if not given",
    {
      sample: "LIST",
    },
  ),
  // Logs.
  row("accessLog", { type: "text" }, "file that gets a line for each request; - is stderr", {
    sample: "PATH",
  }),
  row("accessFormat", { type: "text" }, "combined, json, or a format: docs/logging.md", {
    default: "combined",
    sample: "FORMAT",
  }),
  row("slowLog", { type: "text" }, "file that gets requests slower than timeouts.slow", {
    sample: "PATH",
  }),
  row("signal", { type: "signal" }, ""),
  row("onListen", { type: "function" }, ""),
  row("onError", { type: "function" }, ""),
];

/** Names of groups: `limits`, `timeouts` and so on. */
export const GROUPS: ReadonlySet<string> = new Set(
  OPTIONS.filter(({ name }) => name.includes(".")).map(({ name }) => name.split(".", 1)[0]!),
);

/** Options that are settled, and come in a later release: what to do until then. */
export const LATER: ReadonlyMap<string, string> = new Map([
  ["workers", "start the application by the command: postern app.js workers=4"],
  ["method", "start the application by the command: postern app.js method=threaded"],
  ["ajp.route", "leave it out"],
]);

const byName = new Map(OPTIONS.map((option) => [option.name, option]));

/** The row of an option; undefined for a name that no option has. */
export function optionRow(name: string): OptionRow | undefined {
  return byName.get(name);
}

/** Whether an option can be written as text: in the environment, on the command line. */
export function hasText(option: OptionRow): boolean {
  return option.takes.type !== "function" && option.takes.type !== "signal";
}
