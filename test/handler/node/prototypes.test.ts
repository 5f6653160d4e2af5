/**
 * Requests and responses born with the prototypes that a framework is going to set: who is believed, and when.
 * A guess may only ever cost time; suite-prototypes.test.ts shows the same through a server.
 */
import { IncomingMessage, Server, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { Prototypes, prototypesOf } from "../../../src/handler/node/prototypes.ts";

/** Prototypes as a framework makes them; `extra` is what it puts on them. */
function pairOf(extra: PropertyDescriptorMap = {}) {
  const hello = { value: () => "hello", writable: true };
  return {
    request: Object.create(IncomingMessage.prototype, { hello, ...extra }) as IncomingMessage,
    response: Object.create(ServerResponse.prototype, { hello }) as ServerResponse,
  };
}
type Pair = ReturnType<typeof pairOf>;

/** A function with prototypes on it, as an Express app is. */
const appOf = (pair: object): object => Object.assign(() => undefined, pair);
const swapTo =
  (pair: Pair) =>
  (req: IncomingMessage, res: ServerResponse): void => {
    Object.setPrototypeOf(req, pair.request);
    Object.setPrototypeOf(res, pair.response);
  };
const keep = (): void => undefined;

/** Lets `handler` have `count` requests; returns the prototypes that the last one was born with. */
function serve(
  prototypes: Prototypes,
  handler: (req: IncomingMessage, res: ServerResponse) => void,
  count = 1,
  server: Server = new Server(),
): readonly [request: unknown, response: unknown] {
  let born: readonly [unknown, unknown] = [undefined, undefined];
  for (let i = 0; i < count; i++) {
    const req = prototypes.request(new Socket());
    const res = prototypes.response(req, undefined);
    born = [Object.getPrototypeOf(req), Object.getPrototypeOf(res)];
    handler(req, res);
    prototypes.observe(req, res, server);
  }
  return born;
}
/** Compared by identity: two prototypes may well look the same. */
function expectBorn(born: readonly unknown[], expected: readonly unknown[]): void {
  expect(born.map((one, i) => one === expected[i])).toEqual([true, true]);
}
const base = [IncomingMessage.prototype, ServerResponse.prototype];

describe("declared prototypes", () => {
  test("are those of a function with request and response of its own, from the first request", () => {
    const pair = pairOf();
    const prototypes = new Prototypes();
    prototypes.declare(appOf(pair));
    expectBorn(serve(prototypes, swapTo(pair), 3), [pair.request, pair.response]);
    expect([prototypes.hits, prototypes.misses]).toEqual([3, 0]);
  });

  test("make objects with everything that node's own have", () => {
    const pair = pairOf();
    const prototypes = new Prototypes();
    prototypes.declare(appOf(pair));
    const socket = new Socket();
    const req = prototypes.request(socket);
    const res = prototypes.response(req, undefined);
    const plain = new IncomingMessage(socket);
    expect(Reflect.ownKeys(req)).toEqual(Reflect.ownKeys(plain));
    expect(Reflect.ownKeys(res)).toEqual(Reflect.ownKeys(new ServerResponse(plain)));
    expect(req).toBeInstanceOf(IncomingMessage);
    expect(res).toBeInstanceOf(ServerResponse);
    expect([req.socket, res.req]).toEqual([socket, req]);
  });

  for (const [what, value] of [
    ["a function without them", () => undefined],
    ["an object", pairOf()],
    ["a function whose request is something else", appOf({ request: {}, response: {} })],
    ["a function that only inherits them", Object.setPrototypeOf(() => undefined, pairOf())],
    ["nothing", undefined],
  ] as const) {
    test(`are not taken from ${what}`, () => {
      const prototypes = new Prototypes();
      prototypes.declare(value);
      expectBorn(serve(prototypes, keep), base);
    });
  }

  test("stay those of the first application", () => {
    const [first, second] = [pairOf(), pairOf()];
    const prototypes = new Prototypes();
    prototypes.declare(appOf(first));
    prototypes.declare(appOf(second));
    expectBorn(serve(prototypes, keep), [first.request, first.response]);
  });

  test("are right for a mounted application, whose own inherit from them", () => {
    const pair = pairOf();
    const prototypes = new Prototypes();
    prototypes.declare(appOf(pair));
    const mounted = {
      request: Object.create(pair.request) as IncomingMessage,
      response: Object.create(pair.response) as ServerResponse,
    };
    expectBorn(serve(prototypes, swapTo(mounted), 200), [pair.request, pair.response]);
    expect([prototypes.hits, prototypes.misses]).toEqual([200, 0]);
  });

  test("that turn out wrong are counted, and the swap holds", () => {
    const [declared, real] = [pairOf(), pairOf()];
    const prototypes = new Prototypes();
    prototypes.declare(appOf(declared));
    let seen: unknown;
    serve(prototypes, (req, res) => {
      swapTo(real)(req, res);
      seen = Object.getPrototypeOf(req);
    });
    expect(seen).toBe(real.request);
    expect([prototypes.hits, prototypes.misses]).toEqual([0, 1]);
  });

  test("are found on a listener that was added to the server, at its first request", () => {
    const pair = pairOf();
    const server = new Server();
    const app = Object.assign(swapTo(pair), pair);
    server.on("request", app);
    const prototypes = prototypesOf(server);
    serve(prototypes, app, 1, server);
    expectBorn(serve(prototypes, app, 1, server), [pair.request, pair.response]);
    expect([prototypes.hits, prototypes.misses]).toEqual([1, 1]);
    expect(prototypesOf(server)).toBe(prototypes);
  });
});

describe("learned prototypes", () => {
  test("are adopted after a hundred requests that were swapped alike", () => {
    const pair = pairOf();
    const prototypes = new Prototypes();
    expectBorn(serve(prototypes, swapTo(pair), 100), base);
    expectBorn(serve(prototypes, swapTo(pair)), [pair.request, pair.response]);
    expect([prototypes.hits, prototypes.misses]).toEqual([1, 100]);
  });

  test("are not, where one in between was swapped otherwise or not at all", () => {
    for (const other of [keep, swapTo(pairOf())]) {
      const pair = pairOf();
      const prototypes = new Prototypes();
      serve(prototypes, swapTo(pair), 99);
      serve(prototypes, other);
      expectBorn(serve(prototypes, swapTo(pair), 99), base);
    }
  });

  test("are forgotten for good once they are wrong", () => {
    const [pair, other] = [pairOf(), pairOf()];
    const prototypes = new Prototypes();
    serve(prototypes, swapTo(pair), 101);
    serve(prototypes, swapTo(other));
    expectBorn(serve(prototypes, swapTo(pair), 300), base);
  });

  for (const [what, query] of [
    ["a getter alone", { get: () => ({}) }],
    ["a constant", { value: 1 }],
  ] as const) {
    test(`are never those with ${what}, which code outside of the framework could not assign to`, () => {
      const pair = pairOf({ query });
      const prototypes = new Prototypes();
      expectBorn(serve(prototypes, swapTo(pair), 300), base);
      const req = prototypes.request(new Socket());
      expect(() => Object.assign(req, { query: "mine" })).not.toThrow();
    });
  }
});
