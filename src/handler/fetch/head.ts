/**
 * Status, reason and fields of an answer → a response head, by the rules that node's writeHead and ours have for one.
 * What those refuse is refused here with the same errors. A name is judged once and remembered: applications have few.
 */
import { ServerResponse, STATUS_CODES } from "node:http";
import { UsageError } from "../../errors.ts";
import type { ResponseHead } from "../../http/head.ts";
import { collectFields, FieldCollector } from "../node/response-fields.ts";
import type { AnswerHead } from "./answer.ts";

/** What becomes of a field, by its name. */
const Fate = { SENT: 1, DROPPED: 2, LENGTH: 3, VARIABLE: 4 } as const;

const fates = new Map<string, number>();
/** Applications may make names of what clients send. */
const NAMES_MAX = 1_000;

/** @throws TypeError, as node's setHeader, for a name that is none */
function judge(name: string): number {
  const usual = new FieldCollector(false);
  usual.add(name, "0", false);
  let fate: number = Fate.SENT;
  if (usual.contentLength === 0) fate = Fate.LENGTH;
  else if (usual.fields.length === 0) {
    const authorizing = new FieldCollector(true);
    authorizing.add(name, "0", false);
    fate = authorizing.fields.length === 0 ? Fate.DROPPED : Fate.VARIABLE;
  }
  if (fates.size < NAMES_MAX) fates.set(name, fate);
  return fate;
}

const WRONG_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
/** Up to this length a loop is faster than the expression. */
const SHORT = 32;

/** May this stand in a field value or a reason: no control but the tab, no character that is no byte? */
export function isSound(value: string): boolean {
  if (value.length > SHORT) return !WRONG_IN_VALUE.test(value);
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 32 && code !== 9) || code === 127 || code > 255) return false;
  }
  return true;
}

const TOKEN = /^[\w!#$%&'*+\-.^`|~]+$/;
const lowerNames = new Map<string, string>();

/** A field name in lower case; undefined for what is none. */
export function lowerName(name: string): string | undefined {
  const known = lowerNames.get(name);
  if (known !== undefined || !TOKEN.test(name)) return known;
  const lower = name.toLowerCase();
  if (lowerNames.size < NAMES_MAX) lowerNames.set(name, lower);
  return lower;
}

/** Says of a status or a reason that cannot be sent what node's writeHead says. */
function refuseHead(status: number, statusText: string): void {
  new ServerResponse({ method: "GET" } as never).writeHead(status, statusText);
  if (status >= 200) return;
  throw new UsageError(
    `Status ${status} cannot be sent through a web server, which would take it for the final one; use 200 to 599`,
  );
}

/**
 * Makes the head of an answer.
 *
 * @param bodyBytes    length of the whole body, for a Content-Length where there is none; −1 where it is not known or
 *                     the answer has no body
 * @param isAuthorizer is this the answer of a FastCGI Authorizer, whose `Variable-` fields mean something (§6.3)?
 * @throws TypeError or RangeError with node's codes; UsageError for a status below 200
 */
export function responseHead(
  { status, statusText, headers }: AnswerHead,
  bodyBytes: number,
  isAuthorizer: boolean,
): ResponseHead {
  if (status < 200 || status > 999 || (statusText !== "" && !isSound(statusText)))
    refuseHead(status, statusText);
  let fields: string[] = [];
  let contentLength = -1;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    // Lists of pairs, numbers, what is refused: everything that is not two sound texts.
    if (typeof name !== "string" || typeof value !== "string" || !isSound(value)) {
      const collector = new FieldCollector(isAuthorizer);
      collectFields(collector, headers, false);
      ({ fields, contentLength } = collector);
      break;
    }
    const fate = fates.get(name) ?? judge(name);
    if (fate === Fate.LENGTH) {
      // A second one would be a lie about the first: front servers answer 502 to two.
      if (contentLength >= 0) continue;
      contentLength = /^[0-9]+$/.test(value) ? Number(value) : -1;
    } else if (fate === Fate.DROPPED || (fate === Fate.VARIABLE && !isAuthorizer)) continue;
    fields.push(name, value);
  }
  if (bodyBytes >= 0 && contentLength < 0) {
    contentLength = bodyBytes;
    fields.push("Content-Length", String(bodyBytes));
  }
  return { status, reason: statusText || STATUS_CODES[status] || "unknown", fields, contentLength };
}
