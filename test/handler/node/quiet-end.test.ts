/**
 * The end of a request that nobody looks at leaves what node's own way leaves, and whoever looks sees node's own way.
 */
import { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { requestOf, settled } from "./stub-carrier.ts";

type Loose = Record<string | symbol, unknown>;

/** All that a request and its stream's state hold, but for other objects. */
function snapshot(req: IncomingMessage): Loose {
  const seen: Loose = {};
  const { _readableState: state } = req as unknown as { _readableState: Loose };
  const add = (prefix: string, from: Loose, names: readonly (string | symbol)[]): void => {
    for (const name of names) {
      const value = from[name];
      if (typeof value !== "object" && typeof value !== "function")
        seen[prefix + String(name)] = value;
    }
  };
  add("state.", state, Reflect.ownKeys(state));
  add("state.", state, Object.getOwnPropertyNames(Object.getPrototypeOf(state)));
  add("", req as unknown as Loose, Reflect.ownKeys(req));
  const { prototype } = IncomingMessage;
  const inherited = Object.getPrototypeOf(prototype) as object;
  add("", req as unknown as Loose, Object.getOwnPropertyNames(inherited));
  return seen;
}

/** Node keeps by this how listeners are removed; taking "data" off changes it, and nothing else can be seen of it. */
function withoutShape(seen: Loose): Loose {
  return Object.fromEntries(Object.entries(seen).filter(([name]) => !name.includes("shapeMode")));
}

/** Lets a request be learned from, which the first of a process is. */
async function learned(): Promise<void> {
  const { res, side } = requestOf();
  res.end();
  side.bodyEnd();
  await settled();
}

/** A request that is answered and over, and how many events it told. */
async function over(
  answer: (res: ReturnType<typeof requestOf>["res"]) => unknown,
  heard: (req: IncomingMessage) => void,
): Promise<Loose> {
  const { req, res, side } = requestOf();
  heard(req);
  const answered = answer(res);
  side.bodyEnd();
  await answered;
  await settled();
  return withoutShape(snapshot(req));
}
const end = (res: { end(): unknown }): unknown => res.end();
const endLater = async (res: { end(): unknown }): Promise<void> => {
  await settled();
  res.end();
};

for (const [title, answer] of [
  ["at once", end],
  ["later", endLater],
] as const) {
  test(`a request that nobody listens to, answered ${title}, ends in the state of one that is listened to`, async () => {
    await learned();
    let events = 0;
    const quiet = await over(answer, () => {});
    const loud = await over(answer, (req) => req.on("close", () => events++));
    expect(events).toBe(1);
    // The listener itself is the only trace.
    expect({ ...quiet, _eventsCount: 0 }).toEqual({ ...loud, _eventsCount: 0 });
    expect([quiet["destroyed"], quiet["closed"], quiet["readableEnded"], quiet["aborted"]]).toEqual(
      [true, true, true, false],
    );
  });
}

test("a request that nobody listens to is neither read nor resumed at its end", async () => {
  await learned();
  const { req, res, side } = requestOf();
  let calls = 0;
  const { read, resume } = req;
  req.read = function (size): unknown {
    calls++;
    return read.call(this, size);
  };
  req.resume = function (): typeof req {
    calls++;
    return resume.call(this);
  };
  res.end();
  side.bodyEnd();
  await settled();
  expect([req.closed, calls]).toEqual([true, 0]);
});

test("whoever replaces emit hears all events of node's own way, in its order", async () => {
  await learned();
  const { req, res, side } = requestOf();
  const told: unknown[] = [];
  req.emit = (name: string | symbol): boolean => told.push(name) > 0;
  res.end();
  side.bodyEnd();
  await settled();
  expect(told).toEqual(expect.arrayContaining(["end", "close"]));
  expect(told.indexOf("end")).toBeLessThan(told.indexOf("close"));
});

test("a listener that comes with 'finish' still hears of the end", async () => {
  await learned();
  const { req, res, side } = requestOf();
  const told: string[] = [];
  res.on("finish", () => {
    req.on("end", () => told.push("end")).on("close", () => told.push("close"));
  });
  res.end();
  side.bodyEnd();
  await settled();
  expect(told).toEqual(["end", "close"]);
});

test("who reads a request after its answer finds its end", async () => {
  await learned();
  const { req, res, side } = requestOf();
  res.end();
  side.bodyEnd();
  let bytes = 0;
  for await (const chunk of req) bytes += (chunk as Buffer).length;
  await settled();
  expect([bytes, req.readableEnded, req.closed]).toEqual([0, true, true]);
});

test("a body that nobody reads is dropped, with a listener and without", async () => {
  await learned();
  for (const isHeard of [false, true]) {
    const { req, res, side } = requestOf();
    if (isHeard) req.on("close", () => {});
    side.body(Buffer.from("unread"));
    res.end();
    await settled();
    side.body(Buffer.from("more"));
    side.bodyEnd();
    await settled();
    expect([req.complete, req.closed, side.unreadBytes]).toEqual([true, true, 0]);
  }
});
