/**
 * Lines that the addon writes against those of the specification, access-format.ts: the same bytes, or none.
 *
 * Heads are read from fields by the protocols' own readers, so that every judgement of a value is made both ways. Runs where
 * the addon is built; real requests are access-log.test.ts's.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadAddon } from "../../src/engine/native.ts";
import { ProtocolError } from "../../src/errors.ts";
import type { RequestHead } from "../../src/http/head.ts";
import { compileFormat } from "../../src/observe/access-format.ts";
import { TOKENS } from "../../src/observe/access-tokens.ts";
import { PlainLines } from "../../src/observe/plain-lines.ts";
import { testAddonPaths } from "../support/addon.ts";
import { accountOf, ajpHead, cgiHead, type Field, type Trust } from "./line-heads.ts";

const { addon } = loadAddon(testAddonPaths());
const PLACE = { pid: 4711, worker: 3 };
const OUT_BYTES = 8_192;
/** Times apart, which pass between the two. */
const WORDS = TOKENS.map(({ word }) => word).filter((word) => !/^(iso|tmsecs|time)$/.test(word));
const FORMATS = [
  "combined",
  WORDS.map((word) => `"%(${word})"`).join(" "),
  `{${TOKENS.filter(({ word }) => WORDS.includes(word))
    .map(({ word, kind }) => `"${word}":${kind === "number" ? `%(${word})` : `"%(${word})"`}`)
    .join(",")}}`,
  '%% é "%(uri)" %(uri) "%{X-Out}o" "%{Accept}i" "%{X-Other}i" "%{DOCUMENT_ROOT}e" %(uagent)',
];

/** A second may begin between the two. */
const timeless = (line: string): string =>
  line.replace(/\d\d\/\w{3}\/\d{4}(:\d\d){3} [+-]\d{4}/g, "T");

const VALUES = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.string({
      unit: fc.constantFrom('"', "\\", "\x7f", "\x1f", "\x80", "\xff", "~", " ", "a"),
      maxLength: 20,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "",
      "unix:",
      "u",
      "HTTP/2.0",
      "HTTP/1.1",
      "HTTP/2",
      "HTTP/3.1",
      "HTTP/1x1",
      "/",
      "/a?b=c",
    ),
  },
);
const TARGETS = fc.oneof(
  { weight: 4, arbitrary: fc.webPath().map((path) => path || "/") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "/app/x",
      "/app?x",
      "/a b",
      "http://h/x",
      "ab://b/   ",
      '/"\\',
      "/\xe9",
      "*",
      "/a#b",
    ),
  },
  { weight: 1, arbitrary: VALUES },
);
const NAMES = [
  "REMOTE_ADDR",
  "REMOTE_USER",
  "SERVER_PROTOCOL",
  "SCRIPT_NAME",
  "QUERY_STRING",
  "HTTP_REFERER",
  "HTTP_USER_AGENT",
  "HTTP_HOST",
  "HTTP_ACCEPT",
  "HTTP_X_REQUEST_ID",
  "HTTP_X_OTHER",
  "DOCUMENT_ROOT",
];
const FIELDS = fc.array(fc.record({ name: fc.constantFrom(...NAMES), value: VALUES }), {
  maxLength: 14,
});

function headOrNothing(make: () => RequestHead): RequestHead | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

describe.skipIf(addon === undefined)("the addon's lines", () => {
  const { createLines } = addon!;
  const writers = FORMATS.map((written) => {
    const format = compileFormat(written);
    const out = Buffer.allocUnsafeSlow(OUT_BYTES);
    return { format, out, plain: new PlainLines(format, PLACE, createLines, [out]) };
  });

  test.each([
    ["CGI", cgiHead],
    ["AJP", ajpHead],
  ])(
    "whatever a peer sends by %s, they are those of the specification, or not written",
    (_, read) => {
      let written = 0;
      let left = 0;
      const run = (target: string, fields: readonly Field[], trust: Trust): void => {
        const all = [
          { name: "REQUEST_METHOD", value: "GET" },
          { name: "REQUEST_URI", value: target },
          ...fields,
        ];
        const account = accountOf(headOrNothing(() => read(all, trust)));
        for (const { format, out, plain } of writers) {
          const end = plain.write(account, 0, 3);
          const line = `${format.line(account, PLACE)}\n`;
          if (end === 0) left++;
          else {
            written++;
            expect(timeless(out.toString("utf8", 3, end))).toBe(timeless(line));
            expect(line).not.toMatch(/[\0-\x09\x0b-\x1f\x7f]/);
          }
        }
      };
      const trust = fc.record({ user: fc.boolean(), strip: fc.boolean() });
      fc.assert(fc.property(TARGETS, FIELDS, trust, run), { numRuns: 2_000 });
      // Both ways were gone.
      expect(written).toBeGreaterThan(500);
      expect(left).toBeGreaterThan(50);
    },
  );

  test("a usual request is theirs, and nothing of it is left to the specification", () => {
    const fields = [
      { name: "REQUEST_METHOD", value: "GET" },
      { name: "REQUEST_URI", value: "/a?b=c" },
      { name: "QUERY_STRING", value: "b=c" },
      { name: "SERVER_PROTOCOL", value: "HTTP/2.0" },
      { name: "REMOTE_ADDR", value: "2001:db8::1" },
      { name: "HTTP_USER_AGENT", value: "Mozilla/5.0 (X11; Linux x86_64)" },
    ];
    for (const read of [cgiHead, ajpHead]) {
      const { plain, out } = writers[0]!;
      // The first line of a second finds the clock of the one before it; so does a request that ended in that one.
      let end = 0;
      for (let i = 0; i < 3 && end === 0; i++) {
        const account = accountOf(read(fields, { user: true, strip: false }));
        end = plain.write(account, 0, 0) || plain.write(account, 0, 0);
      }
      expect(out.toString("latin1", 0, end)).toMatch(
        /^2001:db8::1 - - \[[^\]]+\] "GET \/a\?b=c HTTP\/2\.0" 200 12 "-" "Mozilla\/5\.0 \(X11; Linux x86_64\)"\n$/,
      );
    }
  });

  test("a request without a head, or with a number beyond the cells, is a line as well", () => {
    const { plain, out } = writers[0]!;
    const none = accountOf(undefined);
    const end = plain.write(none, 0, 0) || plain.write(none, 0, 0);
    expect(out.toString("latin1", 0, end)).toMatch(/^- - - \[.*\] "- - -" 200 12 "-" "-"\n$/);
    none.responseBytes = 2 ** 31;
    expect(plain.write(none, 0, 0)).toBe(0);
  });

  test("a line that does not fit is not begun elsewhere, and every length of a value is copied whole", () => {
    const format = compileFormat("%(uri)|%(uagent)|%(rsize)");
    const out = Buffer.alloc(256);
    const plain = new PlainLines(format, PLACE, createLines, [out]);
    for (let length = 1; length < 120; length++) {
      const agent = Array.from({ length }, (_, i) =>
        String.fromCharCode(0x30 + ((i * 7) % 10)),
      ).join("");
      const fields = [
        { name: "REQUEST_METHOD", value: "GET" },
        { name: "HTTP_USER_AGENT", value: agent },
        { name: "REQUEST_URI", value: "/" },
      ];
      const account = accountOf(cgiHead(fields, { user: true, strip: false }));
      const line = `/|${agent}|12\n`;
      out.fill(0);
      expect(plain.write(account, 0, 256 - line.length)).toBe(256);
      expect(out.toString("latin1", 256 - line.length)).toBe(line);
      expect(plain.write(account, 0, 257 - line.length)).toBe(0);
      expect(plain.write(account, 0, 300)).toBe(0);
      // A byte that needs an escape is found wherever it is.
      for (let at = 0; at < length; at++) {
        const bad = `${agent.slice(0, at)}"${agent.slice(at + 1)}`;
        const other = fields.map((one) => (one.value === agent ? { ...one, value: bad } : one));
        expect(plain.write(accountOf(cgiHead(other, { user: true, strip: false })), 0, 0)).toBe(0);
      }
    }
  });

  test("createLines takes nothing but plain arrays, and a wrong place writes nothing", () => {
    const make = (...given: unknown[]): unknown => Reflect.apply(createLines, undefined, given);
    const [steps, cells, bytes] = [
      Int32Array.of(2, 2, 0, 1, 0, 0, 0, 0),
      new Int32Array(4),
      Buffer.alloc(64),
    ];
    for (const wrong of [
      [],
      [steps, cells, bytes],
      [cells, steps, steps, bytes],
      [steps, cells, bytes, "x"],
    ]) {
      expect(() => make(...wrong)).toThrow(TypeError);
    }
    const line = createLines(steps, cells, bytes, bytes);
    for (const [start, length] of [
      [0, 9],
      [-1, 1],
      [1, -1],
      [268_435_456, 65],
      [536_870_912, 1],
      [0, 0x7fff_ffff],
    ]) {
      cells.set([start!, length!], 2);
      expect(line(0, "a text"), `${start} ${length}`).toBe(0);
    }
    cells.set([2, 4], 2);
    expect(line(0, "a text")).toBe(5);
    expect(line(-1, "a text")).toBe(0);
    expect(Reflect.apply(line, undefined, [])).toBe(0);
  });
});
