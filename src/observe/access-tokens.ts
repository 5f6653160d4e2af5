/**
 * Every word that an access log's format may have: what it reads of a request's account, and what it is called.
 * A table from which formats are compiled and docs/logging.md is checked; it escapes nothing and joins nothing. Words in
 * parentheses are uWSGI's where uWSGI has one, letters are php-fpm's.
 */
import type { Account } from "../connection/account.ts";
import { FIELD_NAMES, fieldId, isHeaderId } from "../http/field-names.ts";
import { headIdOf, requestIdOf } from "../http/request-id.ts";
import { pathOf } from "../http/target.ts";
import type { JudgedValue } from "../http/value-cells.ts";
import { earlierTime, isoTime, lineTime, wallMs } from "./log-clock.ts";

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

/** Reads a number of it. */
export type NumberReader = (account: Account, place: LogPlace) => number;

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
  /** Does it need to know when the request ended? */
  readonly clocked?: true;
  /** Texts that are mostly the same, line for line; `second`: as long as the clock shows the same second. */
  readonly steady?: true | "second";
  /** Where it is in the text of a head: by field id, or judged. */
  readonly place?: number | JudgedValue;
  /** The same in all lines of a process. */
  readonly isFixed?: true;
  /** The id, which may be digits behind a prefix. */
  readonly isId?: true;
  /** The number that `read` writes. */
  readonly count?: NumberReader;
  readonly read: TokenReader;
}

/** Status of a request that its client, or front server, left before it had an answer. nginx's number. */
export const CLIENT_GONE = 499;

const USER_AGENT = fieldId("HTTP_USER_AGENT");
const REFERER = fieldId("HTTP_REFERER");
const HOST = fieldId("HTTP_HOST");
/** What a front server calls a request. */
export const REQUEST_ID: number = fieldId("HTTP_X_REQUEST_ID");

/** The status that a log shows. */
export function statusOf(account: Account): number {
  if (account.status !== 0) return account.status;
  return account.ending === "aborted" ? CLIENT_GONE : 0;
}

/** The id of a request; "" for one without a head. */
export function accountId({ head }: Account): string {
  if (head === undefined) return "";
  const sent = head.givenId ? "" : head.find(REQUEST_ID);
  return head.request === undefined ? headIdOf(head, sent) : requestIdOf(head.request, sent);
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

function endMs({ endedMs }: Account): number {
  return wallMs(endedMs);
}

const number = (word: string, count: NumberReader): Token => ({
  word,
  kind: "number",
  count,
  read: (account, place) => String(count(account, place)),
});
const own = (word: string, read: TokenReader): Token => ({
  word,
  kind: "own",
  steady: true,
  read,
});
const foreign = (word: string, read: TokenReader): Token => ({ word, kind: "foreign", read });
const placed = (word: string, place: number | JudgedValue, read: TokenReader): Token => ({
  ...foreign(word, read),
  place,
});
const clocked = (token: Token): Token => ({ ...token, clocked: true });
const fixed = (token: Token): Token => ({ ...token, isFixed: true });
const lettered = (letter: string, token: Token): Token => ({ ...token, letter });

/** All of them, but those that have a name in them. */
export const TOKENS: readonly Token[] = [
  lettered("T", { ...own("ltime", () => lineTime(Date.now())), steady: "second" }),
  lettered("t", clocked(own("start", (account) => earlierTime(startMs(account))))),
  clocked(own("iso", (account) => isoTime(endMs(account)))),
  clocked(number("time", (account) => Math.floor(endMs(account) / 1_000))),
  clocked(number("tmsecs", endMs)),
  lettered(
    "R",
    placed("addr", "addr", ({ head }) => head?.remoteAddress ?? ""),
  ),
  lettered(
    "u",
    placed("user", "user", ({ head }) => head?.remoteUser ?? ""),
  ),
  lettered("m", { ...foreign("method", ({ head }) => head?.method ?? ""), steady: true }),
  placed("uri", "uri", ({ head }) => head?.url ?? ""),
  lettered("r", foreign("path", path)),
  lettered("q", { ...foreign("query", query), blank: true }),
  lettered("Q", {
    word: "mark",
    kind: "own",
    read: (a) => (query(a) === "" ? "" : "?"),
    blank: true,
  }),
  placed("proto", "proto", protocolOf),
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
    clocked: true,
    read: (a) => (micros(a) / 1_000_000).toFixed(3),
  }),
  lettered("{milliseconds}d", clocked(number("msecs", (a) => Math.round(micros(a) / 1_000)))),
  lettered("{microseconds}d", clocked(number("micros", micros))),
  number("queue", queueMicros),
  fixed(number("wid", (_, { worker }) => worker)),
  lettered("p", fixed(number("pid", (_, { pid }) => pid))),
  { word: "id", kind: "own", isId: true, read: accountId },
  own("end", ({ ending }) => ending),
  own("error", ({ error }) => error?.code ?? ""),
  placed("host", HOST, ({ head }) => head?.find(HOST) ?? ""),
  placed("referer", REFERER, ({ head }) => head?.find(REFERER) ?? ""),
  { ...placed("uagent", USER_AGENT, ({ head }) => head?.find(USER_AGENT) ?? ""), recurs: true },
];

/** What a token with a name in it reads. */
export type NamedReader = Pick<Token, "place" | "read">;

/** Fields whose values let whoever reads them act as their sender: no log has them, whatever its format says. */
const SECRETS: ReadonlySet<string> = new Set([
  "AUTHORIZATION",
  "PROXY_AUTHORIZATION",
  "COOKIE",
  "SET_COOKIE",
]);

/** Is this the name of a field, or of its variable, that no log may have? */
export function isSecret(name: string): boolean {
  return SECRETS.has(
    name
      .toUpperCase()
      .replaceAll("-", "_")
      .replace(/^HTTP_/, ""),
  );
}

/** `HTTP_PROXY` is kept from everybody (CVE-2016-5385), so that a log has none either. */
function variable(name: string): NamedReader {
  const id = FIELD_NAMES.indexOf(name);
  // Those that every protocol has by its id need no table of all variables.
  if (isHeaderId(id) && name !== "HTTP_PROXY") {
    return { place: id, read: ({ head }) => head?.find(id) ?? "" };
  }
  return { read: ({ head }) => head?.params[name] ?? "" };
}

function requestField(name: string): NamedReader {
  const cgi = name.toUpperCase().replaceAll("-", "_");
  const isPlain = cgi === "CONTENT_TYPE" || cgi === "CONTENT_LENGTH";
  return variable(isPlain ? cgi : `HTTP_${cgi}`);
}

function responseField(name: string): NamedReader {
  const lower = name.toLowerCase();
  const read: TokenReader = ({ responseHead }) => {
    const fields = responseHead?.fields ?? [];
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i]!.toLowerCase() === lower) return fields[i + 1]!;
    }
    return "";
  };
  return { read };
}

/** Tokens with a name in them: `%(in.NAME)` or `%{NAME}i`, and so on. */
export const NAMED_TOKENS: readonly {
  readonly word: string;
  readonly letter: string;
  readonly reader: (name: string) => NamedReader;
}[] = [
  { word: "in", letter: "i", reader: requestField },
  { word: "out", letter: "o", reader: responseField },
  { word: "var", letter: "e", reader: variable },
];
