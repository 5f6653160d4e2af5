/**
 * An access log's format, as the operator writes it → a function from a request's account to one line.
 * Compiled once, without making code from text. Everything that a peer or the application has a say in is escaped, for
 * text or, where the format begins with `{`, for JSON. The words are access-tokens.ts's.
 */
import type { Account } from "../connection/account.ts";
import { UsageError } from "../errors.ts";
import {
  isSecret,
  type LogPlace,
  NAMED_TOKENS,
  type Token,
  type TokenReader,
  TOKENS,
} from "./access-tokens.ts";
import { escapeJson, escapeText, remembering } from "./log-text.ts";

/** A value of a line. */
export interface LineValue extends Pick<Token, "place" | "count" | "steady" | "isFixed" | "isId"> {
  /** As it is. */
  readonly read: TokenReader;
  /** Writes it as it stands in the line: escaped, ASCII alone. */
  readonly written: TokenReader;
}

/** A compiled format. */
export interface LineFormat {
  /** Are its lines of ASCII alone? Values always are: the rest is escaped. */
  readonly isAscii: boolean;
  /** Does it say how long a request waited? */
  readonly timed: boolean;
  /** Does it say how long one took? */
  readonly clocked: boolean;
  /** Texts between the values, one more than there are values. */
  readonly texts: readonly string[];
  readonly values: readonly LineValue[];
  /** What stands for a value that is not there. */
  readonly nothing: "-" | "";
  /** One request → one line, without its end. */
  readonly line: (account: Account, place: LogPlace) => string;
}

/** Formats with a name. */
const NAMED: Readonly<Record<string, string>> = {
  combined:
    '%(addr) - %(user) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(rsize) "%(referer)" "%(uagent)"',
  json:
    '{"time":"%(iso)","addr":"%(addr)","user":"%(user)","method":"%(method)","uri":"%(uri)","proto":"%(proto)",' +
    '"gateway":"%(gateway)","status":%(status),"rsize":%(rsize),"cl":%(cl),"micros":%(micros),"queue":%(queue),' +
    '"wid":%(wid),"pid":%(pid),"id":"%(id)","end":"%(end)","error":"%(error)","host":"%(host)",' +
    '"referer":"%(referer)","uagent":"%(uagent)"}',
};

/** `%(word)`, `%{name}x`, `%x`, `%%`; group 4: a `%` that begins none of these. */
const TOKEN = /%(?:\(([^()]*)\)|\{([^{}]*)\}([A-Za-z])|([A-Za-z%])|)/g;
const QUEUE = TOKENS.find(({ word }) => word === "queue")!;
const MILLISECONDS: ReadonlySet<string> = new Set(["milliseconds", "mili", "milli"]);
const MICROSECONDS: ReadonlySet<string> = new Set(["microseconds", "micro"]);

type Part = Omit<Token, "word" | "letter">;

function unknown(written: string): never {
  const words = [...TOKENS.map(({ word }) => word), "in.NAME", "out.NAME", "var.NAME"];
  throw new UsageError(
    `accessFormat has ${JSON.stringify(written)}, which is unknown; it knows %(WORD) with one of ` +
      `${words.join(", ")}, php-fpm's letters, and %% for a percent sign.`,
  );
}

/** A token with a name in it. */
function byName(one: (typeof NAMED_TOKENS)[number], name: string, written: string): Part {
  if (isSecret(name)) {
    throw new UsageError(
      `accessFormat has ${JSON.stringify(written)}, whose value is a secret of the client; logs have no ` +
        "passwords and no cookies: take it out, or log a header of your own that names the session.",
    );
  }
  return { kind: "foreign", ...one.reader(name) };
}

function byWord(word: string, written: string): Part {
  const token = TOKENS.find((one) => one.word === word);
  if (token !== undefined) return token;
  const dot = word.indexOf(".");
  const named = NAMED_TOKENS.find((one) => dot > 0 && one.word === word.slice(0, dot));
  if (named === undefined || dot === word.length - 1) return unknown(written);
  return byName(named, word.slice(dot + 1), written);
}

function byLetter(name: string | undefined, letter: string, written: string): Part {
  if (name === undefined) {
    return TOKENS.find((one) => one.letter === letter) ?? unknown(written);
  }
  if (letter === "d" && MILLISECONDS.has(name)) return byWord("msecs", written);
  if (letter === "d" && MICROSECONDS.has(name)) return byWord("micros", written);
  if (letter === "d" && name === "seconds") return byWord("secs", written);
  const named = NAMED_TOKENS.find((one) => one.letter === letter);
  if (named === undefined || name === "") return unknown(written);
  return byName(named, name, written);
}

/** The texts between the tokens, one more than there are tokens. */
function split(format: string): { readonly texts: string[]; readonly parts: Part[] } {
  const texts: string[] = [];
  const parts: Part[] = [];
  let text = "";
  let end = 0;
  for (const match of format.matchAll(TOKEN)) {
    text += format.slice(end, match.index);
    end = match.index + match[0].length;
    const [written, word, name, namedLetter, letter] = match;
    if (letter === "%") {
      text += "%";
      continue;
    }
    texts.push(text);
    text = "";
    if (word !== undefined) parts.push(byWord(word, written));
    else if (letter === undefined && namedLetter === undefined)
      unknown(format.slice(match.index, match.index + 8));
    else parts.push(byLetter(name, (letter ?? namedLetter)!, written));
  }
  texts.push(text + format.slice(end));
  return { texts, parts };
}

/** Would every line parse? Numbers may stand alone, texts only in quotes. */
function checkJson(texts: readonly string[], parts: readonly Part[]): void {
  const sample = texts.map((text, i) => {
    const part = parts[i];
    return text + (part === undefined ? "" : part.kind === "number" ? "1" : "x");
  });
  try {
    JSON.parse(sample.join(""));
  } catch (cause) {
    throw new UsageError(
      "accessFormat begins with {, so its lines shall be JSON, but they would not parse " +
        `(${(cause as Error).message}); put every text into quotes.`,
      "ERR_USAGE",
      { cause },
    );
  }
}

/** How a value is written: what is not a number or ours is escaped. */
function writerOf({ kind, read, recurs, blank }: Part, isJson: boolean): TokenReader {
  const plain = isJson ? escapeJson : escapeText;
  const escaped = recurs === true ? remembering(plain) : plain;
  if (kind === "number" || (kind === "own" && isJson)) return read;
  if (blank === true) {
    return (account, place) => {
      const value = read(account, place);
      return value === "" ? "" : escaped(value);
    };
  }
  if (kind === "own") return (account, place) => read(account, place) || "-";
  return (account, place) => escaped(read(account, place));
}

function lineValueOf(part: Part, isJson: boolean): LineValue {
  const { place, count, steady, isFixed, isId, read } = part;
  return {
    read,
    written: writerOf(part, isJson),
    ...(place === undefined ? {} : { place }),
    ...(count === undefined ? {} : { count }),
    ...(steady === undefined ? {} : { steady }),
    ...(isFixed === undefined ? {} : { isFixed }),
    ...(isId === undefined ? {} : { isId }),
  };
}

/**
 * Compiles a format.
 *
 * @param written `combined`, `json`, or a format of its own
 * @throws UsageError for an unknown token, a line end, or a JSON format whose lines would not parse
 */
export function compileFormat(written: string): LineFormat {
  const format = Object.hasOwn(NAMED, written) ? NAMED[written]! : written;
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(format)) {
    throw new UsageError(
      "accessFormat has a line end or another control in it; one request is one line.",
    );
  }
  const { texts, parts } = split(format);
  if (parts.length === 0) {
    throw new UsageError(
      `accessFormat is ${JSON.stringify(written)}; it takes combined, json, or a format with tokens such as %(status).`,
    );
  }
  const isJson = format.startsWith("{");
  if (isJson) checkJson(texts, parts);
  const values = parts.map((part) => lineValueOf(part, isJson));
  const readers = values.map(({ written }) => written);
  const [first, ...rest] = texts;
  const count = readers.length;
  return {
    isAscii: !/[^\0-\x7f]/.test(format),
    timed: parts.some(({ read }) => read === QUEUE.read),
    clocked: parts.some((part) => part.clocked === true),
    texts,
    values,
    nothing: isJson ? "" : "-",
    line(account, place): string {
      let line = first!;
      for (let i = 0; i < count; i++) line += readers[i]!(account, place) + rest[i]!;
      return line;
    },
  };
}
