/**
 * Options of a client's verb → the request they describe: method, headers, CGI variables, body.
 *
 * Reads what `-d @FILE` names, and sends nothing. The sentences name the option as it was written.
 */
import { createReadStream, readFileSync, type Stats, statSync } from "node:fs";
import type { ClientBody, RequestOptions } from "../client/client.ts";
import { UsageError } from "../errors.ts";
import { readVersion } from "../serve/version.ts";
import { type ClientCommand, lastValue } from "./client-words.ts";

const ROLES = ["responder", "authorizer", "filter"] as const;
const STDIN = 0;

/** A body, and its length where nobody has to read it to know. */
interface Body {
  readonly body: ClientBody;
  readonly length?: number;
}

function nameAndValue(text: string, label: string): [name: string, value: string | undefined] {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  if (name === "") throw new UsageError(`${label} is ${JSON.stringify(text)}; write NAME=VALUE.`);
  return [name, at < 0 ? undefined : text.slice(at + 1)];
}

/** Ours, and those that were given; a name that was given alone takes ours away. */
function headersOf(command: ClientCommand, hasBody: boolean): [string, string][] {
  const ours: [string, string][] = [
    ["Host", "localhost"],
    ["User-Agent", `postern/${readVersion()}`],
    ["Accept", "*/*"],
    ...(hasBody ? ([["Content-Type", "application/x-www-form-urlencoded"]] as const) : []),
  ].map(([name, value]) => [name!, value!]);
  const given = (command.values.get("header") ?? []).map((text): [string, string] => {
    const at = text.indexOf(":");
    // A value may be a password, so the sentence does not repeat it.
    if (at < 1) throw new UsageError("--header has no colon; write --header 'NAME: VALUE'.");
    return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  });
  const named = new Set(given.map(([name]) => name.toLowerCase()));
  return [
    ...ours.filter(([name]) => !named.has(name.toLowerCase())),
    ...given.filter(([, value]) => value !== ""),
  ];
}

function fileBody(path: string, isStreamed: boolean): Body {
  try {
    if (path === "-") return { body: readFileSync(STDIN) };
    const facts: Stats = statSync(path);
    if (!isStreamed || !facts.isFile()) return { body: readFileSync(path) };
    return { body: createReadStream(path), length: facts.size };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    throw new UsageError(
      `--data names ${JSON.stringify(path)}, which cannot be read (${code}); give a file that this user may read.`,
      "ERR_USAGE",
      { cause },
    );
  }
}

function bodyOf(command: ClientCommand, isStreamed: boolean): Body | undefined {
  const texts = command.values.get("data");
  if (texts === undefined) return undefined;
  if (texts.length === 1) {
    const text = texts[0]!;
    return text.startsWith("@") ? fileBody(text.slice(1), isStreamed) : { body: Buffer.from(text) };
  }
  if (texts.some((text) => text.startsWith("@"))) {
    throw new UsageError("--data @FILE stands alone; put all of the body into the file.");
  }
  return { body: Buffer.from(texts.join("&")) };
}

function roleOf(command: ClientCommand): RequestOptions["role"] {
  const text = lastValue(command, "role");
  if (text === undefined) return undefined;
  const role = ROLES.find((name) => name === text);
  if (role !== undefined) return role;
  throw new UsageError(`--role is ${JSON.stringify(text)}; it takes ${ROLES.join(", ")}.`);
}

function pairsOf(command: ClientCommand, name: string): [string, string | undefined][] {
  return (command.values.get(name) ?? []).map((text) => nameAndValue(text, `--${name}`));
}

/**
 * The request that a command describes.
 *
 * @param isStreamed a file may be sent while it is read, which can be done once
 * @throws UsageError for anything that cannot be read
 */
export function requestParts(command: ClientCommand, isStreamed: boolean): RequestOptions {
  const body = bodyOf(command, isStreamed);
  const headers = headersOf(command, body !== undefined);
  const attributes = pairsOf(command, "attribute").map(([name, value]) => [name, value ?? ""]);
  const role = roleOf(command);
  if (body?.length !== undefined) headers.push(["Content-Length", String(body.length)]);
  return {
    method: lastValue(command, "method") ?? (body === undefined ? "GET" : "POST"),
    url: command.target.url ?? "/",
    headers,
    params: Object.fromEntries(pairsOf(command, "param")),
    ...(attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) }),
    ...(body === undefined ? {} : { body: body.body }),
    ...(role === undefined ? {} : { role }),
  };
}
