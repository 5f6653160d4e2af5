/**
 * Fields by name → heads as the protocols' own readers make them, and accounts of requests with such a head.
 * For tests of log lines; no bytes are decoded here.
 */
import { Account } from "../../src/connection/account.ts";
import { FieldBlock } from "../../src/http/field-block.ts";
import { FIELD_NAMES } from "../../src/http/field-names.ts";
import type { RequestHead } from "../../src/http/head.ts";
import { readAjpHead } from "../../src/protocols/ajp/head.ts";
import { createHeadReader } from "../../src/protocols/cgi/variables.ts";

/** One field of a head. */
export interface Field {
  readonly name: string;
  readonly value: string;
}
/** What a server is told of its peer. */
export interface Trust {
  readonly user: boolean;
  readonly strip: boolean;
}

/** Fields in one text, as a decoder leaves them; `base` is where it lay in a ring. */
function blockOf(fields: readonly Field[], base = 77): FieldBlock {
  let text = "";
  const rows: number[] = [];
  for (const { name, value } of fields) {
    const id = FIELD_NAMES.indexOf(name);
    rows.push(id > 0 ? id : -(base + text.length), name.length);
    text += name;
    rows.push(base + text.length, value.length);
    text += value;
  }
  return new FieldBlock(
    text,
    Int32Array.from([...Array(8).fill(0), ...rows]),
    8,
    fields.length,
    base,
  );
}

const optionsOf = ({ user, strip }: Trust) => ({
  scriptName: undefined,
  stripScriptName: strip,
  trust: { user, tls: true },
  ajpSecretHash: undefined,
  ajpAttributes: /.*/,
});
const readCgi = createHeadReader(false);

/** A head of FastCGI or SCGI. */
export function cgiHead(fields: readonly Field[], trust: Trust): RequestHead {
  return readCgi(blockOf(fields), { bodyKind: 0, metaA: 0, metaB: 0 }, optionsOf(trust));
}

/** A head of AJP: the fixed fields, headers, attributes. */
export function ajpHead(fields: readonly Field[], trust: Trust): RequestHead {
  const fixed = ["SERVER_PROTOCOL", "REQUEST_URI", "REMOTE_ADDR", "REMOTE_HOST", "SERVER_NAME"];
  const sentAs = (name: string): string => {
    const value = fields.find((one) => one.name === name)?.value ?? "";
    return name === "REQUEST_URI" ? value.split("?")[0]! : value;
  };
  const first = fixed.map((name) => ({ name: "x", value: sentAs(name) }));
  const headers = fields.filter(({ name }) => name.startsWith("HTTP_"));
  const attributes = fields.filter(({ name }) => /^(QUERY_STRING|REMOTE_USER)$/.test(name));
  const GET = 2;
  const meta = { bodyKind: 0, metaA: GET, metaB: headers.length * 0x1_0000 };
  return readAjpHead(blockOf([...first, ...headers, ...attributes]), meta, optionsOf(trust));
}

/** A request that is over. */
export function accountOf(head: RequestHead | undefined): Account {
  const account = new Account({ protocol: "fastcgi", peerAddress: "192.0.2.9" }, 1_000);
  if (head !== undefined) account.knows(head, false);
  account.knownMs = 1_000.25;
  account.endedMs = 2_234.567;
  account.status = 200;
  account.responseBytes = 12;
  account.responseHead = { fields: ["X-Out", "out"] };
  return account;
}
