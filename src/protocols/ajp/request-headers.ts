/**
 * The headers of a Forward Request: which of them refuse it, and node's flat list of the others.
 * Names are coded or spelled, in any case. It reads fields that the decoder has found. Apache JServ Protocol 1.3,
 * "header names"; RFC 9112 §6 for what may smuggle a request.
 */
import { ERRORS, ProtocolError } from "../../errors.ts";
import { FIELD_CELLS, type FieldBlock } from "../../http/field-block.ts";
import { fieldId, HEADER_NAMES } from "../../http/field-names.ts";
import { FieldPlaces } from "../../http/field-places.ts";
import {
  FIELD_KINDS,
  FieldKind,
  HeaderList,
  headerId,
  joined,
  upgradeFieldsOf,
} from "../../http/header-list.ts";
import { BODILESS } from "../../http/method.ts";
import { ValueScan } from "../../http/value-scan.ts";

/** Index of the first header: five fields are in front of it in every Forward Request. */
export const FIRST_HEADER = 5;

const CONTENT_TYPE = fieldId("CONTENT_TYPE");
const CONTENT_LENGTH = fieldId("CONTENT_LENGTH");
const TRANSFER_ENCODING = fieldId("HTTP_TRANSFER_ENCODING");
const UPGRADE = fieldId("HTTP_UPGRADE");
const CONNECTION = fieldId("HTTP_CONNECTION");

/** Nothing between the client and us filters names in AJP; others could be taken for variables or other headers. */
const HEADER_NAME = /^[A-Za-z0-9-]+$/;

/** What a spelled name is to us; −1 is no header. */
const spelledIds = new Map<string, number>();
const SPELLED_MAX = 2_000;

function spelledId(name: string): number {
  let id = spelledIds.get(name);
  if (id !== undefined) return id;
  const lower = name.toLowerCase();
  if (!HEADER_NAME.test(name)) id = -1;
  else if (lower === "content-length") id = CONTENT_LENGTH;
  else id = lower === "content-type" ? CONTENT_TYPE : headerId(lower);
  if (spelledIds.size < SPELLED_MAX) spelledIds.set(name, id);
  return id;
}

/** Id of the i-th field, which is a header; 0 for a header without one, −1 for a name that nobody can be sure of. */
function idOf(fields: FieldBlock, i: number): number {
  return fields.id(i) || spelledId(fields.name(i));
}

/**
 * Spelled names that the judge has to know, by their length, and their first letter: no two are alike in either, and
 * hardly another name that browsers send is like one in both.
 */
const JUDGED = [
  "host",
  "upgrade",
  "content-type",
  "authorization",
  "content-length",
  "transfer-encoding",
];
const judgedFirst = new Uint8Array(32);
for (const name of JUDGED) judgedFirst[name.length] = name.charCodeAt(0);

/** Id of a spelled name that the judge has to know; 0 of any other. */
function judgedId(text: string, start: number, length: number): number {
  if (length > 31 || judgedFirst[length] !== (text.charCodeAt(start) | 0x20)) return 0;
  const id = spelledId(text.slice(start, start + length));
  return id > 0 ? id : 0;
}

const places = new FieldPlaces();
const scan = new ValueScan(true);

/** May this header, in which a character is forbidden, be there at all? */
function checkForbidden(fields: FieldBlock, i: number): void {
  const id = idOf(fields, i);
  if (id >= 0 && FIELD_KINDS[id] !== FieldKind.DROPPED) throw new ProtocolError(ERRORS.FIELD_VALUE);
}

/**
 * Looks at every header once; `end` is the index after the last one. Returns whether there is an `Upgrade`.
 *
 * @throws ProtocolError ERR_FIELD_VALUE for NUL, CR or LF; ERR_FIELD_CONFLICT for two different values of one that comes
 *   once; ERR_TRANSFER_ENCODING
 */
export function judgeHeaders(fields: FieldBlock, end: number): boolean {
  const { text, rows, first, base } = fields;
  places.begin(fields);
  scan.begin();
  for (let i = FIRST_HEADER; i < end; i++) {
    const at = first + i * FIELD_CELLS;
    const name = rows[at]!;
    const start = rows[at + 2]! - base;
    if (scan.finds(text, start, start + rows[at + 3]!)) checkForbidden(fields, i);
    const id = name > 0 ? name : judgedId(text, -name - base, rows[at + 1]!);
    if (id === TRANSFER_ENCODING) {
      // Where two sides disagree about the unasked body packet, requests can be smuggled.
      const isSound = !places.has(id) && fields.valueAt(at) === "chunked";
      if (!isSound) throw new ProtocolError(ERRORS.TRANSFER_ENCODING);
    }
    if (id === CONTENT_TYPE || FIELD_KINDS[id] === FieldKind.SINGLE) places.setOnce(fields, id, at);
    else places.set(fields, id, at);
  }
  if (places.has(TRANSFER_ENCODING) && places.has(CONTENT_LENGTH)) {
    throw new ProtocolError(ERRORS.TRANSFER_ENCODING);
  }
  return places.has(UPGRADE);
}

/** Headers that were judged, as the application gets them. */
export function listHeaders(fields: FieldBlock, end: number, method: string): HeaderList {
  const list = new HeaderList();
  let hasType = false;
  for (let i = FIRST_HEADER; i < end; i++) {
    const coded = fields.id(i);
    const name = coded > 0 ? HEADER_NAMES[coded]! : fields.name(i);
    const id = coded > 0 ? coded : spelledId(name);
    if (id < 0) continue;
    const value = fields.value(i);
    if (id === CONTENT_TYPE) {
      if (hasType) continue;
      hasType = true;
    } else if (id === CONTENT_LENGTH && value === "0" && BODILESS.has(method)) continue;
    list.add(id, name, value);
  }
  return list;
}

/** Content-Length of headers that the decoder has judged, or 0. */
export function lengthOf(fields: FieldBlock, end: number): number {
  for (let i = FIRST_HEADER; i < end; i++) {
    if (idOf(fields, i) === CONTENT_LENGTH) return Number(fields.value(i));
  }
  return 0;
}

/** As {@link RequestHead.upgradeFields}, of headers that were judged. */
export function listUpgrade(fields: FieldBlock, end: number): readonly string[] {
  let upgrade = "";
  let connection = "";
  for (let i = FIRST_HEADER; i < end; i++) {
    const id = idOf(fields, i);
    if (id === UPGRADE) upgrade = joined(upgrade, fields.value(i));
    else if (id === CONNECTION) connection = joined(connection, fields.value(i));
  }
  return upgradeFieldsOf(upgrade, connection);
}

/**
 * Value of the first header that is written out under a name and not empty, or "". Those that have a code are found by it.
 *
 * @param end  index of the first field behind the headers
 * @param name in any case; "" finds nothing
 */
export function namedHeader(fields: FieldBlock, end: number, name: string): string {
  const { length } = name;
  const lower = name.toLowerCase();
  for (let i = FIRST_HEADER; i < end; i++) {
    if (fields.id(i) !== 0 || fields.nameLength(i) !== length) continue;
    const value = fields.name(i).toLowerCase() === lower ? fields.value(i) : "";
    if (value !== "") return value;
  }
  return "";
}
