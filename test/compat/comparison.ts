/**
 * What a client saw of node:http and what it saw of postern → the differences, each allowed by name or not.
 * The table below is the whole list of what may differ; docs/compatibility.md prints it.
 */
import type { Seen } from "./clients.ts";

/** What may differ, and why. */
// biome-ignore format: a table
export const ALLOWED = {
  connection: "`Connection` and `Keep-Alive` are about the client's connection, which is the web server's.",
  coding: "`Transfer-Encoding` frames a body on one connection; behind a gateway the web server frames it.",
  trailers: "`Trailer` and trailers need chunked coding; CGI, FastCGI, SCGI and AJP have no place for them.",
  length: "postern adds `Content-Length` where the whole body is known when the head leaves and node:http would chunk it.",
  date: "`Date` of the moment is written by the web server; one that the application sets is sent.",
  latin1: "A header value above U+007F leaves in latin1; node:http does the same, but not where the first chunk of the body is a string.",
  reason: "An empty reason phrase becomes the standard one: not every web server takes a `Status` without.",
  informational: "1xx answers have no form in these protocols: they are swallowed, and their callbacks called.",
} as const;

/** Name of an allowed difference. */
export type Allowed = keyof typeof ALLOWED;

/** What comparing gave. */
export interface Verdict {
  readonly allowed: ReadonlySet<Allowed>;
  /** Differences that are mistakes, as text. */
  readonly wrong: readonly string[];
}

/** Fields that node:http writes for its own connection. */
const HOP_BY_HOP: Readonly<Record<string, Allowed>> = {
  connection: "connection",
  "keep-alive": "connection",
  "transfer-encoding": "coding",
  trailer: "trailers",
};

/** Bodies longer than this are shown by their length. */
const SHOWN_BYTES = 600;

function show(body: Buffer): string {
  return body.length > SHOWN_BYTES
    ? `${body.length} bytes`
    : JSON.stringify(body.toString("latin1"));
}

/** A body as an object, if it is one. */
function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Where two bodies differ: by members if both are JSON, or as a whole. */
function bodyDifferences(left: Buffer, right: Buffer): string[] {
  const [node, ours] = [parsed(left), parsed(right)];
  const whole = `body: node ${show(left)}, postern ${show(right)}`;
  if (node === undefined || ours === undefined) return [whole];
  const lines = [...new Set([...Object.keys(node), ...Object.keys(ours)])]
    .map((key) => [key, JSON.stringify(node[key]), JSON.stringify(ours[key])])
    .filter(([, one, other]) => one !== other)
    .map(([key, one, other]) => `body.${key}: node ${one}, postern ${other}`);
  return lines.length > 0 ? lines : [whole];
}

/** All values of each field, in their order. */
function byName(fields: Seen["fields"]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [name, value] of fields) map.set(name, [...(map.get(name) ?? []), value]);
  return map;
}

function compareFields(node: Seen, ours: Seen, allowed: Set<Allowed>, wrong: string[]): void {
  const [theirs, mine] = [byName(node.fields), byName(ours.fields)];
  for (const name of new Set([...theirs.keys(), ...mine.keys()])) {
    const [left, right] = [theirs.get(name), mine.get(name)];
    if (JSON.stringify(left) === JSON.stringify(right)) continue;
    const hop = HOP_BY_HOP[name];
    if (hop !== undefined && right === undefined) allowed.add(hop);
    else if (name === "date" && right === undefined && isNow(left)) allowed.add("date");
    else if (name === "content-length" && left === undefined && isLength(right, ours)) {
      if (theirs.has("transfer-encoding")) allowed.add("length");
      else wrong.push(`content-length: ${right} where node has neither length nor coding`);
    } else if (JSON.stringify(left) === JSON.stringify(right?.map(doubly))) allowed.add("latin1");
    else wrong.push(`${name}: node ${JSON.stringify(left)}, postern ${JSON.stringify(right)}`);
  }
}

/** A date that node wrote itself, and not one from a test's application. */
function isNow(values: readonly string[] | undefined): boolean {
  return values?.length === 1 && Math.abs(Date.parse(values[0]!) - Date.now()) < 60_000;
}

/** A latin1 text whose characters were sent as UTF-8, as a client reads it. */
function doubly(value: string): string {
  return Buffer.from(value).toString("latin1");
}

function isLength(values: readonly string[] | undefined, seen: Seen): boolean {
  return values?.length === 1 && Number(values[0]) === seen.body.length;
}

/** Compares two answers. */
export function compare(node: Seen, ours: Seen): Verdict {
  const allowed = new Set<Allowed>();
  const wrong: string[] = [];
  const differ = (what: string, left: unknown, right: unknown): void => {
    if (left !== right) wrong.push(`${what}: node ${left}, postern ${right}`);
  };
  differ("status", node.status, ours.status);
  if (node.reason === "" && ours.reason !== "") allowed.add("reason");
  else differ("reason", node.reason, ours.reason);
  differ("end", node.end, ours.end);
  compareFields(node, ours, allowed, wrong);
  // Of a body that breaks off, how much had come before is the moment's.
  if (node.end === "whole" && !node.body.equals(ours.body)) {
    wrong.push(...bodyDifferences(node.body, ours.body));
  }
  if (node.informational.length > 0) allowed.add("informational");
  if (node.trailers.length > 0) allowed.add("trailers");
  return { allowed, wrong };
}
