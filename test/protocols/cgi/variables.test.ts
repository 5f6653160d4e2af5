/**
 * CGI variables → RequestHead: which heads are refused, by which error; what is taken over and what is dropped.
 * Fields are literals here; that each refusal is answered is for test/connection/transcript/refused-heads.test.ts.
 */
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/errors.ts";
import { FieldBlock } from "../../../src/http/field-block.ts";
import { FIELD_NAMES } from "../../../src/http/field-names.ts";
import type { RequestHead } from "../../../src/http/head.ts";
import { createHeadReader } from "../../../src/protocols/cgi/variables.ts";
import { BodyKind } from "../../../src/wire/abi.ts";

type Pair = readonly [name: string, value: string];

const readCgiHead = createHeadReader(false);
const META = { bodyKind: BodyKind.NONE, metaA: 0, metaB: 0 };
const OPTIONS = {
  scriptName: undefined,
  stripScriptName: false,
  trust: { user: true, tls: true },
  ajpSecretHash: undefined,
  ajpAttributes: undefined,
};
const GET: readonly Pair[] = [
  ["REQUEST_METHOD", "GET"],
  ["REQUEST_URI", "/a"],
];

/** Where the head would lie in a ring. */
const BASE = 100;

/** Fields as a decoder hands them on: known names as ids. */
function fieldsOf(pairs: readonly Pair[]): FieldBlock {
  let text = "";
  const rows = pairs.flatMap(([name, value]) => {
    const id = FIELD_NAMES.indexOf(name);
    const at = BASE + text.length;
    text += name + value;
    return [id > 0 ? id : -at, name.length, at + name.length, value.length];
  });
  return new FieldBlock(text, Int32Array.from(rows), 0, pairs.length, BASE);
}

const read = (...pairs: readonly Pair[]): RequestHead =>
  readCgiHead(fieldsOf(pairs), META, OPTIONS);

function codeOf(...pairs: readonly Pair[]): string {
  try {
    read(...pairs);
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    return (error as ProtocolError).code;
  }
  return "none";
}

describe("a head is refused", () => {
  const cases: readonly (readonly [code: string, what: string, pairs: readonly Pair[]])[] = [
    ["ERR_METHOD", "without REQUEST_METHOD", [["REQUEST_URI", "/"]]],
    ["ERR_METHOD", "with a method that is no token", [["REQUEST_METHOD", "GE T"], GET[1]!]],
    ["ERR_TARGET", "with a target that is no path", [GET[0]!, ["REQUEST_URI", "a"]]],
    ["ERR_TARGET", "with * for another method than OPTIONS", [GET[0]!, ["REQUEST_URI", "*"]]],
    ["ERR_FIELD_VALUE", "with CR LF in a header", [...GET, ["HTTP_X_A", "1\r\nX-B: 2"]]],
    ["ERR_FIELD_VALUE", "with NUL in a header", [...GET, ["HTTP_USER_AGENT", "a\0b"]]],
    ["ERR_FIELD_VALUE", "with LF in the content type", [...GET, ["CONTENT_TYPE", "a/b\nc"]]],
    [
      "ERR_FIELD_VALUE",
      "with LF in the host of its target",
      [GET[0]!, ["REQUEST_URI", "http://a\nb/"]],
    ],
    ["ERR_FIELD_CONFLICT", "with two hosts", [...GET, ["HTTP_HOST", "a"], ["HTTP_HOST", "b"]]],
    ["ERR_FIELD_CONFLICT", "with two methods", [...GET, ["REQUEST_METHOD", "POST"]]],
    [
      "ERR_FIELD_CONFLICT",
      "with two authorizations",
      [...GET, ["HTTP_AUTHORIZATION", "Basic a"], ["HTTP_AUTHORIZATION", "Basic b"]],
    ],
    [
      "ERR_FIELD_CONFLICT",
      "with two content types",
      [...GET, ["CONTENT_TYPE", "a/b"], ["CONTENT_TYPE", "a/c"]],
    ],
  ];
  test.each(cases)("%s: %s", (code, _what, pairs) => {
    expect(codeOf(...pairs)).toBe(code);
  });
});

describe("a head is taken", () => {
  test("with NUL, CR or LF in a variable that is no header, or in a field that is never handed on", () => {
    const head = read(...GET, ["A", "a\nb"], ["HTTP_x", "a\nb"], ["HTTP_TE", "\0"], ["PATH", "\r"]);
    expect(head.rawHeaders).toEqual([]);
    expect(head.params["A"]).toBe("a\nb");
  });

  test("after thousands of others, whose fields are not taken for its own", () => {
    for (let i = 0; i < 5_000; i++) {
      read(...GET, ["HTTP_HOST", `h${i}`], ["SERVER_SOFTWARE", "Cherokee"], ["HTTP_UPGRADE", "x"]);
    }
    const head = read(["REQUEST_METHOD", "M-SEARCH"], ["PATH_INFO", "/p"]);
    expect([head.method, head.url, head.rawHeaders]).toEqual(["M-SEARCH", "/p", []]);
    expect(head.upgradeFields).toEqual([]);
  });

  test("with one host and one authorization where they came twice alike", () => {
    const twice: readonly Pair[] = [
      ["HTTP_HOST", "a"],
      ["HTTP_AUTHORIZATION", "Basic a"],
    ];
    expect(read(...GET, ...twice, ...twice).rawHeaders).toEqual([
      "Host",
      "a",
      "Authorization",
      "Basic a",
    ]);
  });

  test("with a variable that was sent twice alike, or once empty (H-5)", () => {
    expect(read(...GET, ["REQUEST_METHOD", "GET"], ["REQUEST_METHOD", ""]).method).toBe("GET");
  });

  test("without the fields of the front server's own connection, and without HTTP_PROXY", () => {
    const head = read(
      ...GET,
      ["HTTP_CONNECTION", "close"],
      ["HTTP_TRANSFER_ENCODING", "chunked"],
      ["HTTP_CONTENT_LENGTH", "7"],
      ["HTTP_PROXY", "http://evil.test"],
      ["HTTP_X_ODD_NAME", "kept"],
    );
    expect(head.rawHeaders).toEqual(["X-Odd-Name", "kept"]);
    expect(head.params["HTTP_PROXY"]).toBeUndefined();
    expect(head.params["HTTP_CONNECTION"]).toBe("close");
  });

  test("with a name that objects inherit", () => {
    const head = read(...GET, ["__proto__", "x"], ["HTTP___PROTO__", "y"]);
    expect(Object.getPrototypeOf(head.params)).toBeNull();
    expect(Object.entries(head.params)).toContainEqual(["__proto__", "x"]);
  });

  test("with an absolute target, whose host is the host (RFC 9112 §3.2.2)", () => {
    const absolute: Pair = ["REQUEST_URI", "http://b.test:81/x?y"];
    const head = read(GET[0]!, absolute, ["HTTP_HOST", "a.test"]);
    expect([head.url, head.rawHeaders]).toEqual(["/x?y", ["Host", "b.test:81"]]);
    expect(read(GET[0]!, absolute).rawHeaders).toEqual(["Host", "b.test:81"]);
  });

  test("with a target that no client may send, made valid", () => {
    expect(read(GET[0]!, ["REQUEST_URI", "/a b#c?\xe9"]).url).toBe("/a%20b%23c?%E9");
  });

  test("with a host of the variables where the client sent none", () => {
    const named: readonly Pair[] = [...GET, ["SERVER_NAME", "a.test"]];
    expect(read(...named, ["SERVER_PORT", "80"]).rawHeaders).toEqual(["Host", "a.test"]);
    expect(read(...named, ["SERVER_PORT", "8080"]).rawHeaders).toEqual(["Host", "a.test:8080"]);
    expect(read(...named, ["SERVER_PORT", "443"], ["HTTPS", "on"]).rawHeaders).toEqual([
      "Host",
      "a.test",
    ]);
  });

  test.each([
    ["on", true],
    ["1", true],
    ["off", false],
    ["OFF", false],
    ["0", false],
    ["", false],
  ])("HTTPS=%s: encrypted %s (IIS and Cherokee always send it, B-86)", (https, encrypted) => {
    expect(read(...GET, ["HTTPS", https]).tls !== undefined).toBe(encrypted);
  });

  test.each([
    ["65535", 65_535],
    ["65536", 0],
    ["-1", 0],
    ["80x", 0],
  ])("REMOTE_PORT=%s: port %i", (text, port) => {
    expect(read(...GET, ["REMOTE_PORT", text]).remotePort).toBe(port);
  });
});
