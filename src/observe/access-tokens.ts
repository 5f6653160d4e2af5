/**
 * Every word that an access log's format may have: what it reads of a request's account, and what it is called.
 * A table from which formats are compiled and docs/logging.md is checked; it escapes nothing and joins nothing. Words in
 * parentheses are uWSGI's where uWSGI has one, letters are php-fpm's.
 */
import type { Account } from "../connection/account.ts";
import { FIELD_NAMES, fieldId, isHeaderId } from "../http/field-names.ts";
import { requestIdOf } from "../http/request-id.ts";
import { pathOf } from "../http/target.ts";
import { earlierTime, isoTime, lineTime } from "./log-clock.ts";

/** Where the lines are written. */
export interface LogPlace {
  readonly pid: number;
  /** Number of the worker, 0 where there are none. */
  readonly worker: number;
}

/**
 * What a value may hold: a whole or decimal number; text of ours, without anything to escape; text of a peer or of the
 * application.
 */
export type TokenKind = "number" | "own" | "foreign";

/** Reads one value of a request that is over. "" is "there is none". */
export type TokenReader = (account: Account, place: LogPlace) => string;

/** One word. */
export interface Token {
  /** As in `%(word)`. */
  readonly word: string;
  /** As in `%x`, or `%{unit}d`. */
  readonly letter?: string;
  readonly kind: TokenKind;
  /** The same values come again and again. */
  readonly recurs?: true;
  /** Nothing is written where there is none, and no `-`. */
  readonly blank?: true;
  readonly read: TokenReader;
}

/** Status of a request that its client, or front server, left before it had an answer. nginx's number. */
export const CLIENT_GONE = 499;

const USER_AGENT = fieldId("HTTP_USER_AGENT");
const REFERER = fieldId("HTTP_REFERER");
const HOST = fieldId("HTTP_HOST");
const REQUEST_ID = fieldId("HTTP_X_REQUEST_ID");

/** The status that a log shows. */
export function statusOf(account: Account): number {
  if (account.status !== 0) return account.status;
  return account.ending === "aborted" ? CLIENT_GONE : 0;
}

/** The id of a request; "" for one without a head. */
export function accountId({ head }: Account): string {
  return head === undefined ? "" : requestIdOf(head.request ?? head, head.find(REQUEST_ID));
}

function micros(account: Account): number {
  return Math.round((account.endedMs - account.beganMs) * 1_000);
}

function protocolOf({ head }: Account): string {
  const version = head?.httpVersion;
  if (version === "1.1") return "HTTP/1.1";
  return version === undefined ? "" : `HTTP/${version}`;
}

function path(account: Account): string {
  return account.head === undefined ? "" : pathOf(account.head.url);
}

function query(account: Account): string {
  const url = account.head?.url ?? "";
  const mark = url.indexOf("?");
  return mark < 0 ? "" : url.slice(mark + 1);
}

function queueMicros({ knownMs, beganMs }: Account): number {
  return knownMs === 0 ? 0 : Math.max(0, Math.round((knownMs - beganMs) * 1_000));
}

function startMs(account: Account): number {
  return Date.now() - Math.round(account.endedMs - account.beganMs);
}

const number = (word: string, read: (account: Account, place: LogPlace) => number): Token => ({
  word,
  kind: "number",
  read: (account, place) => String(read(account, place)),
});
const own = (word: string, read: TokenReader): Token => ({ word, kind: "own", read });
const foreign = (word: string, read: TokenReader): Token => ({ word, kind: "foreign", read });
const lettered = (letter: string, token: Token): Token => ({ ...token, letter });

/** All of them, but those that have a name in them. */
export const TOKENS: readonly Token[] = [
  lettered(
    "T",
    own("ltime", ({ endedMs }) => lineTime(endedMs)),
  ),
  lettered(
    "t",
    own("start", (account) => earlierTime(startMs(account))),
  ),
  own("iso", () => isoTime(Date.now())),
  number("time", () => Math.floor(Date.now() / 1_000)),
  number("tmsecs", () => Date.now()),
  lettered(
    "R",
    foreign("addr", ({ head }) => head?.remoteAddress ?? ""),
  ),
  lettered(
    "u",
    foreign("user", ({ head }) => head?.remoteUser ?? ""),
  ),
  lettered(
    "m",
    foreign("method", ({ head }) => head?.method ?? ""),
  ),
  foreign("uri", ({ head }) => head?.url ?? ""),
  lettered("r", foreign("path", path)),
  lettered("q", { ...foreign("query", query), blank: true }),
  lettered("Q", {
    word: "mark",
    kind: "own",
    read: (a) => (query(a) === "" ? "" : "?"),
    blank: true,
  }),
  foreign("proto", protocolOf),
  own("gateway", ({ origin }) => origin.protocol),
  foreign("peer", ({ origin }) => origin.peerAddress),
  lettered("s", number("status", statusOf)),
  number("rsize", ({ responseBytes }) => responseBytes),
  lettered(
    "l",
    number("cl", ({ requestBytes }) => requestBytes),
  ),
  lettered("d", {
    word: "secs",
    kind: "number",
    read: (a) => (micros(a) / 1_000_000).toFixed(3),
  }),
  lettered(
    "{milliseconds}d",
    number("msecs", (a) => Math.round(micros(a) / 1_000)),
  ),
  lettered("{microseconds}d", number("micros", micros)),
  number("queue", queueMicros),
  number("wid", (_, { worker }) => worker),
  lettered(
    "p",
    number("pid", (_, { pid }) => pid),
  ),
  foreign("id", accountId),
  own("end", ({ ending }) => ending),
  own("error", ({ error }) => error?.code ?? ""),
  foreign("host", ({ head }) => head?.find(HOST) ?? ""),
  foreign("referer", ({ head }) => head?.find(REFERER) ?? ""),
  { ...foreign("uagent", ({ head }) => head?.find(USER_AGENT) ?? ""), recurs: true },
];

/** `HTTP_PROXY` is kept from everybody (CVE-2016-5385), so that a log has none either. */
function variable(name: string): TokenReader {
  const id = FIELD_NAMES.indexOf(name);
  // Those that every protocol has by its id need no table of all variables.
  if (isHeaderId(id) && name !== "HTTP_PROXY") return ({ head }) => head?.find(id) ?? "";
  return ({ head }) => head?.params[name] ?? "";
}

function requestField(name: string): TokenReader {
  const cgi = name.toUpperCase().replaceAll("-", "_");
  const isPlain = cgi === "CONTENT_TYPE" || cgi === "CONTENT_LENGTH";
  return variable(isPlain ? cgi : `HTTP_${cgi}`);
}

function responseField(name: string): TokenReader {
  const lower = name.toLowerCase();
  return ({ responseHead }) => {
    const fields = responseHead?.fields ?? [];
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i]!.toLowerCase() === lower) return fields[i + 1]!;
    }
    return "";
  };
}

/** Tokens with a name in them: `%(in.NAME)` or `%{NAME}i`, and so on. */
export const NAMED_TOKENS: readonly {
  readonly word: string;
  readonly letter: string;
  readonly reader: (name: string) => TokenReader;
}[] = [
  { word: "in", letter: "i", reader: requestField },
  { word: "out", letter: "o", reader: responseField },
  { word: "var", letter: "e", reader: variable },
];
