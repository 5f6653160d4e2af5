/**
 * Formats of the access log: what operators may write, and what a line can hold whatever a peer sent.
 *
 * On accounts made by hand; real requests are access-log.test.ts's.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Account, type KnownHead } from "../../src/connection/account.ts";
import { ERRORS } from "../../src/errors.ts";
import { FIELD_NAMES } from "../../src/http/field-names.ts";
import { compileFormat } from "../../src/observe/access-format.ts";
import { NAMED_TOKENS, TOKENS } from "../../src/observe/access-tokens.ts";
import { textOf } from "../support/documents.ts";

const PLACE = { pid: 4711, worker: 3 };

function headOf(params: Readonly<Record<string, string>>, url = "/a?b=c"): KnownHead {
  return {
    method: "GET",
    url,
    httpVersion: "1.1",
    remoteAddress: "192.0.2.1",
    remoteUser: params["REMOTE_USER"] ?? "",
    params,
    find: (id) => params[FIELD_NAMES[id]!] ?? "",
  };
}

function accountOf(head: KnownHead | undefined): Account {
  const account = new Account({ protocol: "scgi", peerAddress: "" }, 1_000);
  if (head !== undefined) account.knows(head, false);
  account.knownMs = 1_000.25;
  account.endedMs = 2_234.567;
  account.status = 200;
  account.responseBytes = 12;
  return account;
}

const line = (format: string, account = accountOf(headOf({}))): string =>
  compileFormat(format).line(account, PLACE);

describe("what may be written", () => {
  test("combined is what Apache and nginx write", () => {
    const head = headOf({ HTTP_REFERER: "https://x/", HTTP_USER_AGENT: 'A "b"' });
    expect(line("combined", accountOf(head))).toMatch(
      /^192\.0\.2\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET \/a\?b=c HTTP\/1\.1" 200 12 "https:\/\/x\/" "A \\x22b\\x22"$/,
    );
  });

  test("php-fpm's letters say what its words say", () => {
    const pairs = TOKENS.filter(({ letter }) => letter !== undefined);
    expect(pairs.map(({ letter }) => letter)).toContain("{milliseconds}d");
    for (const { word, letter } of pairs) expect(line(`%${letter}`)).toBe(line(`%(${word})`));
    expect(line('%R - %u "%m %r%Q%q" %s %d %{milli}d %{micro}d %{seconds}d 100%%')).toBe(
      '192.0.2.1 - - "GET /a?b=c" 200 1.235 1235 1234567 1.235 100%',
    );
  });

  test("headers in and out, and variables, go by name, in any case for headers", () => {
    const account = accountOf(headOf({ HTTP_X_A: "1", HTTP_ACCEPT: "2", DOCUMENT_ROOT: "/srv" }));
    account.responseHead = { fields: ["X-Out", "3"] };
    expect(line("%r%Q%q|%q|", accountOf(headOf({}, "/a")))).toBe("/a||");
    expect(line("%(in.x-a) %{X-A}i %{Accept}i %(out.x-out) %{X-OUT}o", account)).toBe("1 1 2 3 3");
    expect(line("%(var.DOCUMENT_ROOT) %{DOCUMENT_ROOT}e %(var.NOBODY)", account)).toBe(
      "/srv /srv -",
    );
  });

  test.each([
    ["%(stats)", "%(stats)"],
    ["%x", "%x"],
    ["%{x}y", "%{x}y"],
    ["%(in.)", "%(in.)"],
    ["%{}i", "%{}i"],
    ["50 % of %s", "% of %s"],
    ["%s %", "%"],
    ["%(status", "%(status"],
    ["%[x]", "%[x]"],
  ])("%s is refused by name", (format, named) => {
    expect(() => compileFormat(format)).toThrow(
      `accessFormat has ${JSON.stringify(named.slice(0, 8))}, which is unknown; it knows %(WORD) with one of ltime,`,
    );
  });

  test.each([
    "%(in.authorization)",
    "%{Cookie}i",
    "%(var.HTTP_COOKIE)",
    "%{HTTP_PROXY_AUTHORIZATION}e",
    "%{set-cookie}o",
    '{"who":"%(in.Authorization)"}',
  ])("%s is refused, since a log has no passwords and no cookies", (format) => {
    expect(() => compileFormat(format)).toThrow(/whose value is a secret of the client/);
  });

  test("a line end, nothing at all, and JSON that would not parse are refused", () => {
    expect(() => compileFormat("%s\n%s")).toThrow("a line end or another control");
    expect(() => compileFormat("combinde")).toThrow(
      'accessFormat is "combinde"; it takes combined, json, or a format with tokens',
    );
    expect(() => compileFormat('{"uri":%(uri)}')).toThrow("put every text into quotes");
    expect(() => compileFormat('{"status":%(status)')).toThrow("its lines shall be JSON");
  });

  test("every token is in the document, with its letter", () => {
    const page = textOf("docs/logging.md");
    const missing = TOKENS.filter(({ word, letter }) => {
      const cells = `| \`%(${word})\` | ${letter === undefined ? "" : `\`%${letter}\` `}|`;
      return !page.includes(cells);
    });
    expect(missing.map(({ word }) => word)).toEqual([]);
    for (const { word, letter } of NAMED_TOKENS) {
      expect(page).toContain(`| \`%(${word}.NAME)\` | \`%{NAME}${letter}\` |`);
    }
  });
});

describe("what a peer may send", () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({
      unit: fc.constantFrom("\r", "\n", "\x1b", '"', "\\", "\0", "\x7f", "\x85", "\xff", "a", " "),
    }),
  );
  const hostile = fc.record({
    REMOTE_USER: anything,
    HTTP_HOST: anything,
    HTTP_REFERER: anything,
    HTTP_USER_AGENT: anything,
    HTTP_X_REQUEST_ID: anything,
    HTTP_X_OTHER: anything,
  });
  const formats = [
    "combined",
    `${TOKENS.map(({ word }) => `"%(${word})"`).join(" ")} "%{X-Other}i" "%{X-Out}o"`,
  ];

  test("one request is one line of printable ASCII, and nothing of it ends a quoted field", () => {
    const compiled = formats.map((format) => [compileFormat(format), format] as const);
    fc.assert(
      fc.property(hostile, anything, anything, (params, url, out) => {
        const account = accountOf(headOf(params, url));
        account.responseHead = { fields: ["X-Out", out] };
        for (const [format, written] of compiled) {
          const text = format.line(account, PLACE);
          expect(text).toMatch(/^[ -~]+$/);
          const quotes = (written === "combined" ? 3 : TOKENS.length + 2) * 2;
          expect(text.split('"').length - 1).toBe(quotes);
          // A backslash stands for a byte, and for nothing else.
          expect(text.replace(/\\x[0-9A-F]{2}/g, "")).not.toContain("\\");
        }
      }),
    );
  });

  test("JSON lines parse, and say what was sent where that is UTF-8", () => {
    const json = compileFormat("json");
    fc.assert(
      fc.property(hostile, anything, (params, url) => {
        const text = json.line(accountOf(headOf(params, url)), PLACE);
        expect(text).toMatch(/^[ -~]+$/);
        expect(Object.keys(JSON.parse(text) as object)).toHaveLength(20);
      }),
    );
    const sent = Buffer.from('Zoë "☃" \\').toString("latin1");
    const read = JSON.parse(json.line(accountOf(headOf({ HTTP_USER_AGENT: sent })), PLACE)) as {
      uagent: string;
    };
    expect(read.uagent).toBe('Zoë "☃" \\');
    const broken = json.line(accountOf(headOf({ HTTP_USER_AGENT: "a\xff\x1b" })), PLACE);
    expect((JSON.parse(broken) as { uagent: string }).uagent).toBe("a\ufffd\x1b");
  });

  test("texts that come again are remembered, and never taken for each other", () => {
    const format = compileFormat("%(uagent)");
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3 }), { minLength: 1 }), (agents) => {
        for (const agent of [...agents, ...agents]) {
          const text = format.line(accountOf(headOf({ HTTP_USER_AGENT: agent })), PLACE);
          expect(text).toBe(
            compileFormat("%(referer)").line(accountOf(headOf({ HTTP_REFERER: agent })), PLACE),
          );
        }
      }),
    );
  });

  test("a request without a head, or without an answer, still is a line", () => {
    const account = accountOf(undefined);
    account.status = 0;
    account.endsAs("refused", ERRORS.FCGI_ROLE);
    expect(line("combined", account)).toMatch(/^- - - \[.*\] "- - -" 0 12 "-" "-"$/);
    expect(line("%(end) %(error) %(id)", account)).toBe("refused ERR_FCGI_ROLE -");
    expect(JSON.parse(line("json", account))).toMatchObject({ status: 0, method: "", id: "" });
    const gone = accountOf(headOf({}));
    gone.status = 0;
    gone.endsAs("aborted");
    expect(line("%(status) %(end)", gone)).toBe("499 aborted");
  });
});
