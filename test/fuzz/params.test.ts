/**
 * Any fields of a request, whole or damaged → what the decoders and the CGI map make of them (reliability Z4, in both engines).
 * Whole ones come back byte by byte when they are written again; of damaged ones no field is seen that a reader who knows
 * nothing of src/ does not see; every refusal has a code, and what a handler would be shown is sound whatever was sent.
 * `npm run fuzz -- params --time T`; which headers exactly become of which fields is properties/headers.test.ts's.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { ProtocolError } from "../../src/errors.ts";
import { FIELD_NAMES } from "../../src/http/field-names.ts";
import { DEFAULT_LIMITS } from "../../src/wire/limits.ts";
import {
  DECODED_PROTOCOLS,
  type DecodedProtocol,
  decoderOptions,
  describeEngines,
} from "../support/engines.ts";
import { readNetstring, readPairs, type SpokenPair, writePairs } from "../support/params-reader.ts";
import { fuzzed, PROPERTY_SEED } from "../support/properties.ts";
import { DecodedConnection } from "../support/rows.ts";
import { begin, forwardRequest, netstring, record, Type } from "../support/transcript-frames.ts";

const LATIN1 = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const NO_NUL = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code));
const borders = fc.constantFrom(126, 127, 128, 129, 255, 256, 1_023, 1_024);
const known = fc.constantFrom(
  ...FIELD_NAMES.slice(1).filter((one) => !/^ajp:|^CONTENT_LENGTH$|^SCGI$/.test(one)),
);
const HOSTILE = [
  ...[
    "GET",
    "OPTIONS",
    "GE T",
    "/",
    "*",
    "//a/../b",
    "/a?b#c",
    "/%2e%2e/\xff",
    "http://h/p",
    "http://h",
  ],
  ...["a\r\nX-B: 1", "a\nb", "a\0b", "HTTP/1.1", "on", "443", "70000", "unix:", "", " ", "chunked"],
];

/** Names and values; `unit` is what may be in them. */
function pair(unit: fc.Arbitrary<string>): fc.Arbitrary<SpokenPair> {
  const free = fc.string({ unit, minLength: 1, maxLength: 12 });
  const name = fc.oneof(
    { weight: 6, arbitrary: known },
    { weight: 2, arbitrary: fc.stringMatching(/^(HTTP_)?[A-Za-z_-][A-Za-z0-9_-]{0,9}$/) },
    { weight: 1, arbitrary: fc.constantFrom("__proto__", "HTTP___PROTO__", "HTTP_", "HTTP_x") },
    { weight: 1, arbitrary: free.filter((one) => one !== "CONTENT_LENGTH" && one !== "SCGI") },
    { weight: 1, arbitrary: borders.map((count) => "N".repeat(count)) },
  );
  const hostile = fc.constantFrom(...HOSTILE).map((text) => text);
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.string({ unit, maxLength: 40 }) },
    { weight: 3, arbitrary: hostile },
    { weight: 1, arbitrary: borders.map((count) => "v".repeat(count)) },
  );
  return fc.tuple(name, value);
}

const change = fc.record({
  place: fc.nat(),
  kind: fc.constantFrom("set", "flip", "cut", "end"),
  byte: fc.integer({ min: 0, max: 255 }),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function damaged(bytes: Buffer, changes: readonly Change[]): Buffer {
  let result = Buffer.from(bytes);
  for (const { place, kind, byte } of changes) {
    if (result.length === 0) return result;
    const at = place % result.length;
    if (kind === "set") result[at] = byte;
    else if (kind === "flip") result[at] = result[at]! ^ (1 << (byte & 7));
    else if (kind === "end") result = result.subarray(0, at);
    else result = Buffer.concat([result.subarray(0, at), result.subarray(at + 1 + (byte & 7))]);
  }
  return result;
}

/** PARAMS of one request, in records of these sizes. */
function inRecords(content: Buffer, size: number): Buffer {
  const records = [begin(1)];
  for (let at = 0; at < content.length; at += size) {
    records.push(record({ type: Type.PARAMS, content: content.subarray(at, at + size) }));
  }
  return Buffer.concat([...records, record({ type: Type.PARAMS })]);
}

function decoded(engine: Engine, protocol: DecodedProtocol, bytes: Buffer): DecodedConnection {
  return new DecodedConnection(engine, protocol, decoderOptions()).receive(bytes);
}

const OPTIONS = {
  scriptName: undefined,
  stripScriptName: false,
  trust: { user: true, tls: true },
  ajpSecretHash: undefined,
  ajpAttributes: undefined,
};

/** Makes the head that a handler would be shown, if there is one, and asks for everything that it may ask for. */
function expectSound(protocol: DecodedProtocol, { heads, rows }: DecodedConnection): void {
  const [given] = heads;
  if (given === undefined) return;
  const fields = rows.find(({ kind }) => kind === "HEAD")?.fields ?? [];
  for (const stripScriptName of [false, true]) {
    try {
      const options = { ...OPTIONS, stripScriptName };
      const head = DECODED_PROTOCOLS[protocol].readHead(given.fields, given.meta, options);
      expect(head.url).toMatch(/^(\*|\/[\x21-\x7e]*)$/);
      expect(head.url).not.toContain("#");
      expect(head.method).toMatch(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
      expect(head.httpVersion).toMatch(/^(1\.0|1\.1|2\.0|3\.0)$/);
      const all = [...head.rawHeaders, ...head.upgradeFields];
      expect(all.length % 2).toBe(0);
      for (const text of all) expect(text).not.toMatch(/[\0\r\n]/);
      for (let i = 0; i < all.length; i += 2) {
        expect(all[i]).toMatch(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
        // A value of the peer's, or made of two of them: nothing is invented.
        const whole = fields.some(([, value]) => value === all[i + 1]);
        expect(whole || /^(host|upgrade|connection)$/i.test(all[i]!)).toBe(true);
      }
      for (const port of [head.remotePort, head.localPort]) expect(port).toBeLessThan(65_536);
      expect(Object.getPrototypeOf(head.params)).toBeNull();
      expect(head.params["HTTP_PROXY"]).toBeUndefined();
      const { scriptName, pathInfo, remoteUser, authType, remoteAddress, localAddress, tls } = head;
      const texts = [scriptName, pathInfo, remoteUser, authType, remoteAddress, localAddress];
      for (const text of texts) expect(typeof text).toBe("string");
      for (const fact of ["protocol", "clientVerify"] as const) tls?.[fact];
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      expect(error.code).toMatch(/^ERR_/);
    }
  }
}

/** What both a decoder and our reader say of the same bytes. */
function expectAgreed(
  { rows, codes }: DecodedConnection,
  understood: readonly SpokenPair[] | undefined,
): void {
  const head = rows.find(({ kind }) => kind === "HEAD");
  if (head !== undefined) {
    expect(head.fields).toEqual(understood);
    return;
  }
  // Refused with one code, or bytes are missing that may still come.
  expect(codes.length).toBeLessThan(2);
  for (const code of codes) expect(code).toMatch(/^ERR_[A-Z_]+$/);
}

describeEngines("fields", (create) => {
  const engine = create(DEFAULT_LIMITS);
  const seeded = `(POSTERN_SEED=${PROPERTY_SEED})`;
  const runs = fuzzed.runs<unknown[]>(500, 6);
  const timeout = fuzzed.timeoutMs;

  describe("Z4", () => {
    test(`FastCGI: PARAMS come back as they were written, or are refused by a code ${seeded}`, {
      timeout,
    }, () => {
      const many = fc.array(fc.tuple(pair(LATIN1), fc.boolean()), { maxLength: 10 });
      const size = fc.integer({ min: 1, max: 300 });
      let count = 0;
      const property = fc.property(
        many,
        fc.array(change, { maxLength: 3 }),
        size,
        (given, bad, by) => {
          count++;
          const whole = writePairs(given);
          const content = damaged(whole, bad);
          const seen = decoded(engine, "fastcgi", inRecords(content, by));
          const head = seen.rows.find(({ kind }) => kind === "HEAD");
          if (bad.length === 0 && content.length > 0) {
            expect(head?.fields).toEqual(given.map(([one]) => one));
            const again = writePairs(head!.fields!.map((one, i) => [one, given[i]![1]] as const));
            expect(again.equals(whole)).toBe(true);
          }
          // A pair without a name is nobody's.
          expectAgreed(
            seen,
            readPairs(content)?.filter(([name]) => name !== ""),
          );
          expectSound("fastcgi", seen);
        },
      );
      fc.assert(property, runs as never);
      fuzzed.say("params: fastcgi", count);
    });

    test(`SCGI: headers come back as they were written, or are refused by a code ${seeded}`, {
      timeout,
    }, () => {
      const free = pair(NO_NUL).map(
        ([name, value]): SpokenPair => [name.replaceAll("\0", ""), value.replaceAll("\0", "")],
      );
      const many = fc.array(free, { maxLength: 10 });
      let count = 0;
      const property = fc.property(many, fc.array(change, { maxLength: 3 }), (given, bad) => {
        count++;
        const all: SpokenPair[] = [["CONTENT_LENGTH", "0"], ["SCGI", "1"], ...given];
        const whole = netstring(all);
        const bytes = damaged(whole, bad);
        const seen = decoded(engine, "scgi", bytes);
        const head = seen.rows.find(({ kind }) => kind === "HEAD");
        if (bad.length === 0) {
          expect(head?.fields).toEqual(all);
          expect(netstring(head!.fields!).equals(whole)).toBe(true);
        }
        expectAgreed(seen, readNetstring(bytes));
        expectSound("scgi", seen);
      });
      fc.assert(property, runs as never);
      fuzzed.say("params: scgi", count);
    });

    test(`AJP: headers and attributes are seen as they were written, and a head is sound ${seeded}`, {
      timeout,
    }, () => {
      const text = pair(LATIN1);
      const many = fc.array(text, { maxLength: 6 });
      const method = fc.integer({ min: 0, max: 30 });
      let count = 0;
      const property = fc.property(
        many,
        many,
        fc.tuple(method, fc.constantFrom(...HOSTILE), fc.constantFrom(...HOSTILE)),
        fc.array(change, { maxLength: 2 }),
        (given, attributes, [code, uri, query], bad) => {
          count++;
          const headers = given.map(
            ([name, value]) => [name.replace(/^\xa0/, "x"), value] as const,
          );
          const whole = forwardRequest({ method: code, uri, query, headers, attributes });
          const bytes = damaged(whole, bad);
          const seen = decoded(engine, "ajp", bytes);
          const head = seen.rows.find(({ kind }) => kind === "HEAD");
          if (bad.length === 0 && head !== undefined) {
            const values = head.fields!.slice(5, 5 + headers.length).map(([, value]) => value);
            expect(values).toEqual(headers.map(([, value]) => value));
          }
          expect(seen.codes.length).toBeLessThan(2);
          expectSound("ajp", seen);
        },
      );
      fc.assert(property, runs as never);
      fuzzed.say("params: ajp", count);
    });
  });
});
