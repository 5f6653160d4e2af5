/**
 * The order of events of req and res, and their state at the end: the same as of node:http, recorded beside it (NH-5).
 * One of the behaviour suites: over each protocol and engine, and on whatever Node runs it.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import {
  aftermath,
  type ClientScript,
  eventsOfNode,
  type PlainHandler,
  recorded,
  settled,
} from "../support/behaviour-events.ts";
import { behaviour } from "../support/behaviour-suite.ts";

const read = (req: Parameters<PlainHandler>[0]): Promise<void> =>
  new Promise((resolve) => {
    req.on("end", resolve).resume();
  });

const CASES: readonly [string, PlainHandler, ClientScript][] = [
  ["answers at once and reads nothing", (_req, res) => res.end("hi"), {}],
  [
    "answers at once and reads the empty body",
    (req, res) => {
      req.resume();
      res.end("hi");
    },
    {},
  ],
  ["answers later", (_req, res) => setTimeout(() => res.end("hi"), 20), {}],
  [
    "reads a body, then answers",
    async (req, res) => {
      await read(req);
      res.end("hi");
    },
    { method: "POST", length: 5, body: "hello" },
  ],
  [
    "answers a body that it never reads",
    (_req, res) => setTimeout(() => res.end("hi"), 20),
    { method: "POST", length: 5, body: "hello" },
  ],
  [
    "answers in pieces",
    (_req, res) => {
      res.write("a");
      setTimeout(() => res.end("b"), 20);
    },
    {},
  ],
  ["answers to HEAD", (_req, res) => res.end("left out"), { method: "HEAD" }],
  ["waits, and its client goes away", () => undefined, { leavesAfterMs: 30 }],
  [
    "waits with the body read, and its client goes away",
    (req) => void req.resume(),
    { leavesAfterMs: 30 },
  ],
  [
    "streams, and its client goes away",
    (_req, res) => {
      res.write("begun");
    },
    { leavesAfterMs: 30 },
  ],
  [
    "waits for a body, and its client goes away",
    (req) => void req.resume(),
    { method: "POST", length: 10, body: "half", leavesAfterMs: 30 },
  ],
  [
    "reads no body, and its client goes away",
    () => undefined,
    { method: "POST", length: 10, body: "half", leavesAfterMs: 30 },
  ],
  ["destroys its response", (_req, res) => setTimeout(() => res.destroy(), 10), {}],
  [
    "destroys its response with an error",
    (_req, res) => setTimeout(() => res.destroy(new Error("on purpose")), 10),
    {},
  ],
  [
    "destroys its response in mid-body",
    (_req, res) => {
      res.write("a");
      setTimeout(() => res.destroy(), 10);
    },
    {},
  ],
  [
    "ends, then destroys",
    (_req, res) => {
      res.end("hi");
      res.destroy();
    },
    {},
  ],
  [
    "writes, then destroys",
    (_req, res) => {
      res.write("hi");
      res.destroy();
    },
    {},
  ],
  [
    "ends twice",
    (_req, res) => {
      res.end("hi");
      res.end();
    },
    {},
  ],
];

/** What came last, whatever its order: node's own differs from that of an abort here. */
describe("a request that its handler destroys", () => {
  const handler: PlainHandler = (req) => void setTimeout(() => req.destroy(), 10);
  const log: string[] = [];
  const make = (): NodeHandler => {
    log.length = 0;
    return recorded(handler, log);
  };
  behaviour("has the events of node:http", { make }, async ({ request }) => {
    const expected = (await eventsOfNode(handler, {})).slice(0, -1);
    await expect(request()).rejects.toBeDefined();
    await settled(log, undefined, () => undefined);
    expect([...log].sort()).toEqual(expected.sort());
  });
});

describe("events are those of node:http when a handler", () => {
  for (const [what, handler, script] of CASES) {
    const log: string[] = [];
    let facts: () => string = () => "";
    const make = (): NodeHandler => {
      log.length = 0;
      return (req, res) => {
        facts = () => aftermath(req, res);
        return recorded(handler, log)(req, res);
      };
    };
    behaviour(what, { make }, async ({ request }) => {
      const expected = await eventsOfNode(handler, script);
      const { method = "GET", length, body, leavesAfterMs } = script;
      const controller = new AbortController();
      const sent = (async function* () {
        yield Buffer.from(body ?? "");
        if (leavesAfterMs !== undefined) await new Promise(() => undefined);
      })();
      const withBody =
        length === undefined ? {} : { body: sent, headers: { "Content-Length": String(length) } };
      const answer = request({ method, ...withBody, signal: controller.signal }).then((response) =>
        response.text(),
      );
      answer.catch(() => undefined);
      await settled(log, leavesAfterMs, () => controller.abort());
      expect([...log, facts()]).toEqual(expected);
    });
  }
});
