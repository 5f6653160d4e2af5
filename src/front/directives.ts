/**
 * Text of an nginx configuration → its directives, each with its file, its line and its block.
 *
 * Quotes, escapes, comments and blocks as nginx reads them; files that are included stand in the place of their `include`.
 * Judges nothing, and reads no disk: whoever calls hands the files in.
 */
import { UsageError } from "../errors.ts";

/** One file's text. */
export interface ConfigFile {
  /** As it is shown. */
  readonly path: string;
  readonly text: string;
}

/** One directive. */
export interface Directive {
  readonly name: string;
  readonly words: readonly string[];
  /** `FILE:LINE`. */
  readonly where: string;
  /** Of one with braces; undefined for one that ends with `;`. */
  readonly block: readonly Directive[] | undefined;
}

/** Files that an `include` means, as seen from the file that has it. */
export type Include = (pattern: string, from: string) => readonly ConfigFile[];

/** Files within files: more than this is a circle. */
const DEPTH_MAX = 16;

interface Token {
  /** `;`, `{` and `}` stand for themselves unless they are quoted. */
  readonly text: string;
  readonly isMark: boolean;
  readonly line: number;
}

const TOKEN =
  /#[^\n]*|"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|[;{}]|(?:\\[\s\S]|\$\{\w+\}|[^\s;{}"'\\#])(?:\\[\s\S]|\$\{\w+\}|[^\s;{}\\])*/g;

function* tokensOf(text: string): Generator<Token> {
  let line = 1;
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    for (; at < match.index; at++) if (text.charCodeAt(at) === 10) line++;
    const [word] = match;
    if (word.startsWith("#")) continue;
    const isQuoted = /^["']/.test(word);
    const bare = isQuoted ? word.slice(1, -1).replace(/\\(["'\\])/g, "$1") : word;
    yield { text: bare, isMark: !isQuoted && /^[;{}]$/.test(word), line };
  }
}

/** Reads one file's tokens until its end, or that of its block. */
class Reader {
  readonly #file: ConfigFile;
  readonly #tokens: Iterator<Token>;
  readonly #include: Include;
  readonly #depth: number;

  constructor(file: ConfigFile, include: Include, depth: number) {
    this.#file = file;
    this.#tokens = tokensOf(file.text);
    this.#include = include;
    this.#depth = depth;
  }

  read(isInner: boolean): Directive[] {
    const list: Directive[] = [];
    let words: Token[] = [];
    for (let next = this.#tokens.next(); next.done !== true; next = this.#tokens.next()) {
      const token = next.value;
      if (!token.isMark) {
        words.push(token);
        continue;
      }
      if (token.text === "}") {
        if (isInner && words.length === 0) return list;
        throw this.#wrong(token.line, 'a "}" that closes nothing');
      }
      const [first, ...rest] = words;
      words = [];
      if (first === undefined) throw this.#wrong(token.line, `a "${token.text}" without a word`);
      const block = token.text === "{" ? this.#block(first) : undefined;
      list.push(...this.#taken(first, rest, block));
    }
    if (isInner || words.length > 0) throw this.#wrong(words[0]?.line ?? 0, "an end too early");
    return list;
  }

  /** A block in Lua is code, and nobody here reads it. */
  #block({ text, line }: Token): readonly Directive[] {
    if (!text.endsWith("_by_lua_block")) return this.read(true);
    let depth = 1;
    for (let next = this.#tokens.next(); next.done !== true; next = this.#tokens.next()) {
      const { isMark, text: mark } = next.value;
      if (isMark && mark !== ";") depth += mark === "{" ? 1 : -1;
      if (depth === 0) return [];
    }
    throw this.#wrong(line, "an end too early");
  }

  #taken(
    first: Token,
    rest: readonly Token[],
    block: readonly Directive[] | undefined,
  ): readonly Directive[] {
    const words = rest.map(({ text }) => text);
    const { path } = this.#file;
    if (first.text === "include" && block === undefined) {
      if (this.#depth === DEPTH_MAX) throw this.#wrong(first.line, "an include of itself");
      return this.#include(words[0] ?? "", path).flatMap((file) =>
        new Reader(file, this.#include, this.#depth + 1).read(false),
      );
    }
    return [{ name: first.text, words, where: `${path}:${first.line}`, block }];
  }

  #wrong(line: number, what: string): UsageError {
    return new UsageError(`${this.#file.path}:${line} has ${what}; let nginx -t read it first.`);
  }
}

/**
 * Reads a configuration.
 *
 * @throws UsageError for text that nginx would not read either
 */
export function readDirectives(file: ConfigFile, include: Include): readonly Directive[] {
  return new Reader(file, include, 0).read(false);
}
