/**
 * URL and headers of a lazy Request, against what the native classes make of the same: any text, in this very process.
 * Requests as a whole are shown by test/serve/suite-fetch*.test.ts.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { LazyHeaders } from "../../src/handler/fetch/headers.ts";
import { joinNative } from "../../src/handler/fetch/native.ts";
import { requestUrl } from "../../src/handler/fetch/url.ts";

beforeAll(joinNative);

const headersOf = (raw: readonly string[]): Headers => new LazyHeaders(raw) as unknown as Headers;
/** Names and values in turn, as a native Headers takes them. */
const nativeOf = (raw: readonly string[]): Headers =>
  new Headers(
    raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1]!] as [string, string]] : [])),
  );

describe("the URL of a request is spelled as a native Request spells it", () => {
  const hosts = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6().map((address) => `[${address}]`),
    fc.constantFrom(
      "localhost",
      "LOCALHOST:80",
      "a.test:443",
      "a.test:08080",
      "0x7f.1",
      "xn--",
      "",
    ),
    fc.string(),
  );
  const words = fc.constantFrom(..."/.?&=%~'\"<>[]{}|\\^`é#@:; +", "..", "%2e", "%2E.", "a", "b/");
  const targets = fc.array(words).map((parts) => `/${parts.join("")}`);

  test("for any host and target", () => {
    fc.assert(
      fc.property(fc.constantFrom("http", "https"), hosts, targets, (scheme, host, target) => {
        const base = `${scheme}://${host}`;
        const url = URL.canParse(base) ? new URL(base) : undefined;
        // Neither a user nor a path belongs into a host.
        const isHost = url !== undefined && url.href === `${url.origin}/`;
        const origin = isHost ? url.origin : `${scheme}://localhost`;
        expect(requestUrl(scheme, host, target)).toBe(new Request(origin + target).url);
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ["http", "a.test", "*", "http://a.test/*"],
    ["http", undefined, "/", "http://localhost/"],
    ["https", "not a host", "/x", "https://localhost/x"],
    ["https", "a.test:443", "/x?y=1", "https://a.test/x?y=1"],
    ["http", "a.test", "//b.test/x", "http://a.test//b.test/x"],
    ["http", "user@a.test", "/", "http://localhost/"],
    ["http", "a.test/b", "/", "http://localhost/"],
    ["http", "a.test?b", "/", "http://localhost/"],
  ])("%s, %s and %s make %s", (scheme, host, target, url) => {
    expect(requestUrl(scheme, host, target)).toBe(url);
  });
});

describe("the headers of a request", () => {
  const names = fc.constantFrom("accept", "Accept", "X-A", "x-a", "x-b", "host", "Set-Cookie");
  const values = fc.stringMatching(/^[\t -~\x80-\xff]*$/);
  const lists = fc.array(fc.tuple(names, values)).map((pairs) => pairs.flat());

  test("are what a native Headers says of the same lines, asked or iterated", () => {
    fc.assert(
      fc.property(lists, (raw) => {
        const native = nativeOf(raw);
        const lazy = headersOf(raw);
        for (const name of ["accept", "X-A", "x-b", "host", "set-cookie", "x-none"]) {
          expect([name, lazy.get(name), lazy.has(name)]).toEqual([
            name,
            native.get(name),
            native.has(name),
          ]);
        }
        expect(lazy.getSetCookie()).toEqual(native.getSetCookie());
        expect([...lazy]).toEqual([...native]);
        expect([...headersOf(raw).keys()]).toEqual([...native.keys()]);
        expect([...headersOf(raw).values()]).toEqual([...native.values()]);
        expect([...new Headers(headersOf(raw))]).toEqual([...new Headers([...native])]);
      }),
    );
  });

  test("have the methods of native ones, and no other", () => {
    const methods = Object.getOwnPropertyNames(Headers.prototype).filter(
      (name) => name !== "constructor",
    );
    const own = Object.getOwnPropertyNames(LazyHeaders.prototype);
    expect(methods.filter((name) => !own.includes(name))).toEqual([]);
  });

  test("join cookies as cookies are joined", () => {
    const raw = ["Cookie", "a=1", "X", "y", "cookie", "b=2"];
    expect(headersOf(raw).get("COOKIE")).toBe("a=1; b=2");
    expect(new Headers(headersOf(raw)).get("cookie")).toBe("a=1; b=2");
  });

  test("refuse names that are none, with the native error", () => {
    for (const name of ["", "a b", "é", "a\n"]) {
      for (const method of ["get", "has"] as const) {
        let native: unknown;
        expect(() => {
          try {
            new Headers()[method](name);
          } catch (error) {
            native = error;
            throw error;
          }
        }).toThrow(TypeError);
        expect(() => headersOf(["a", "b"])[method](name)).toThrow((native as Error).message);
      }
    }
  });

  test("leave out a name that no Headers can hold, rather than fail", () => {
    expect([...headersOf(["a(b", "1", "c", "2"])]).toEqual([["c", "2"]]);
  });

  test("can be changed, and show it wherever they are read", () => {
    const headers = headersOf(["X-A", "1", "X-B", "2"]);
    expect(headers.get("x-a")).toBe("1");
    headers.set("x-a", "3");
    headers.append("x-c", "4");
    headers.delete("x-b");
    expect(headers.has("x-b")).toBe(false);
    const seen: string[] = [];
    headers.forEach((value, name, all) => {
      seen.push(`${name}=${value} ${all === headers}`);
    });
    expect(seen).toEqual(["x-a=3 true", "x-c=4 true"]);
  });

  test("are instances of Headers", () => {
    expect(headersOf([])).toBeInstanceOf(Headers);
    expect(Object.prototype.toString.call(headersOf([]))).toBe("[object Headers]");
  });
});
