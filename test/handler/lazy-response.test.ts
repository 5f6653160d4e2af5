/**
 * `new Response(…)` once a fetch handler is served, against the native class: what is made, what is refused and in which
 * words, and what can be done to it. Any body and init, in this very process. How one is sent is in
 * test/serve/suite-fetch*.test.ts.
 */
import fc from "fast-check";
import { inspect } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { LazyResponse } from "../../src/handler/fetch/lazy-response.ts";
import { joinNative } from "../../src/handler/fetch/native.ts";

const Native = Response;
beforeAll(joinNative);

/** Everything that can be asked of a Response. */
async function facts(response: Response): Promise<unknown> {
  const { status, statusText, ok, type, url, redirected, bodyUsed } = response;
  const clone = response.clone();
  const text = await response.text();
  const again = await response.text().catch((error: Error) => error.name);
  return {
    ...{ status, statusText, ok, type, url, redirected, bodyUsed, text, again },
    headers: [...response.headers],
    used: response.bodyUsed,
    clone: [
      clone.status,
      [...clone.headers],
      Buffer.from(await clone.arrayBuffer()).toString("hex"),
    ],
  };
}

/** What a constructor makes of it, or how it refuses. */
async function made(make: () => Response): Promise<unknown> {
  try {
    return await facts(make());
  } catch (error) {
    const { name, message } = error as Error;
    return { name, message };
  }
}

const names = fc.constantFrom("x-a", "X-A", "x-b", "Content-Type", "set-cookie", "a b", "", "é");
const values = fc.oneof(
  fc.constantFrom("", "1", " 1 ", "a\tb", "a\nb", "\x01", "\xff", "€", "text/x"),
  fc.string(),
);
const headers: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant(undefined),
  fc.dictionary(names, values),
  fc.array(fc.tuple(names, values)),
  fc.constantFrom(null, 5, { "x-a": 5 }, Object.create({ "x-a": "inherited" }), [["x-a"]]),
  fc.constantFrom(new Headers({ "x-a": "1" }), new Map([["x-a", "1"]])),
);
const inits: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(undefined, null, {}, 5),
  fc.record(
    {
      status: fc.oneof(
        fc.constantFrom<unknown>(200, 204, 304, 418, 599, 600, 199, 101, "201", 200.5, Number.NaN),
        fc.integer(),
      ),
      statusText: fc.constantFrom<unknown>("", "Made", "é", "a\nb", "€", 5),
      headers,
    },
    { requiredKeys: [] },
  ),
);
const bodies = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, "", "text", "é€", "\ud800", 5, {}),
  fc.string(),
  fc.uint8Array(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.uint8Array().map((bytes) => bytes.slice().buffer),
  fc.constant(new URLSearchParams({ a: "é" })),
);

describe("a Response", () => {
  test("is what the native class makes of the same body and init, or is refused in the same words", async () => {
    await fc.assert(
      fc.asyncProperty(bodies, inits, async (body, init) => {
        const given = [body, init] as ConstructorParameters<typeof Response>;
        const own = await made(() => new Response(...given));
        expect(own).toEqual(await made(() => new Native(...given)));
      }),
      { numRuns: 3_000 },
    );
  });

  test("by Response.json() as well", async () => {
    const data = fc.oneof(
      fc.json(),
      fc.constantFrom<unknown>(undefined, null, 1n, () => 1),
    );
    await fc.assert(
      fc.asyncProperty(data, inits, async (value, init) => {
        const own = await made(() => Response.json(value, init as ResponseInit));
        expect(own).toEqual(await made(() => Native.json(value, init as ResponseInit)));
      }),
      { numRuns: 1_000 },
    );
  });

  test("of plain text, bytes or nothing is lazy, and others are native", () => {
    const isLazy = (response: Response): boolean => LazyResponse.is(response);
    const plain = { status: 201, headers: { "X-A": "1" } };
    for (const body of ["text", new Uint8Array(3), null]) {
      expect(isLazy(new Response(body, plain))).toBe(true);
    }
    expect(isLazy(Response.json({ a: 1 }))).toBe(true);
    expect(isLazy(new Response("text").clone())).toBe(true);
    expect(isLazy(new Response(new Blob(["text"])))).toBe(false);
    expect(isLazy(Response.redirect("http://a.test/", 302))).toBe(false);
    expect(isLazy(Response.error())).toBe(false);
  });

  test("has members, names and statics of the native class", () => {
    const own = Object.getOwnPropertyNames(LazyResponse.prototype);
    const members = Object.getOwnPropertyNames(Native.prototype);
    expect(members.filter((name) => !own.includes(name))).toEqual([]);
    expect([Response.name, Response.length]).toEqual([Native.name, Native.length]);
    expect(Response.prototype).toBe(Native.prototype);
    expect(Response.redirect).toBe(Native.redirect);
    expect(new Response("x")).toBeInstanceOf(Response);
    expect(new Response("x")).toBeInstanceOf(Native);
    expect(new Native("x")).toBeInstanceOf(Response);
    expect(String(new Response("x"))).toBe("[object Response]");
    expect(inspect(new Response("x"))).toBe(inspect(new Native("x")));
    const call = (Class: unknown) => (): unknown => (Class as () => unknown)();
    expect(call(Response)).toThrow(TypeError);
  });

  test("can be subclassed", async () => {
    class Own extends Response {
      get own(): string {
        return `${this.status} own`;
      }
    }
    const own = new Own("text", { status: 201 });
    expect([own.own, own instanceof Response, await own.text()]).toEqual(["201 own", true, "text"]);
  });

  test("copies bytes: a caller may use its memory again", async () => {
    const bytes = Buffer.from("before");
    const response = new Response(bytes);
    bytes.write("after!");
    expect(await response.text()).toBe("before");
  });

  test("shows changed headers wherever it goes", async () => {
    for (const touch of [false, true]) {
      const response = new Response("text", { headers: { "x-a": "1" } });
      const { headers } = response;
      headers.set("x-a", "2");
      headers.delete("content-type");
      if (touch) expect(response.body?.locked).toBe(false);
      headers.append("x-b", "3");
      expect(response.headers).toBe(headers);
      const expected = [
        ["x-a", "2"],
        ["x-b", "3"],
      ];
      expect([...response.headers]).toEqual(expected);
      expect([...response.clone().headers]).toEqual(expected);
      expect([...new Response(response.body, response).headers]).toEqual(expected);
    }
  });

  test("reads as bytes, Blob, form and JSON", async () => {
    const form = { headers: { "content-type": "application/x-www-form-urlencoded" } };
    expect((await new Response("a=1", form).formData()).get("a")).toBe("1");
    expect((await new Response("a=1", form).blob()).type).toBe(form.headers["content-type"]);
    expect(await new Response('{"a":[1]}').json()).toEqual({ a: [1] });
    expect((await new Response("é").arrayBuffer()).byteLength).toBe(2);
    expect(await new Response(new Response("through").body).text()).toBe("through");
  });
});
