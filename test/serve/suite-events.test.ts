/**
 * The order of events of req and res, and their state at each: the same as of node:http, recorded beside it (NH-5).
 * Requests that are read and answered. One of the behaviour suites: over each protocol and engine, on whatever Node.
 */
import type { IncomingMessage } from "node:http";
import { PassThrough, pipeline, Readable, Transform, Writable } from "node:stream";
import { describe } from "vitest";
import { compare, type Situation } from "../support/behaviour-events.ts";

const post = { method: "POST", body: "hello" };
/** Half of the body comes with the head, half when the handler asks for it. */
const halves = { method: "POST", length: 10, body: "hello", more: "world" };

const read = (req: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    req.on("end", resolve).resume();
  });

const ANSWERS: readonly Situation[] = [
  { what: "answers at once and reads nothing", handler: (_req, res) => res.end("hi") },
  {
    what: "answers at once and reads the empty body",
    handler: (req, res) => {
      req.resume();
      res.end("hi");
    },
  },
  {
    what: "answers later",
    handler: (_req, res) => void setTimeout(() => res.end("hi"), 20),
  },
  {
    what: "answers with nothing",
    handler: (_req, res) => res.end(),
  },
  {
    what: "answers in pieces",
    handler: (_req, res) => {
      res.write("a");
      setTimeout(() => res.end("b"), 20);
    },
  },
  {
    what: "answers with writeHead",
    handler: (_req, res) => res.writeHead(201, { "Content-Length": 2 }).end("hi"),
  },
  {
    what: "sends its head first",
    handler: (_req, res, note) => {
      res.flushHeaders();
      note("flushed");
      setTimeout(() => res.end("hi"), 20);
    },
  },
  { what: "answers to HEAD", method: "HEAD", handler: (_req, res) => res.end("left out") },
  {
    what: "answers to HEAD in pieces",
    method: "HEAD",
    handler: (_req, res, note) => {
      note(`write ${res.write("left out", () => note("written"))}`);
      res.end("too");
    },
  },
  {
    what: "answers 204 with a body that is left out",
    handler: (_req, res) => res.writeHead(204).end("left out"),
  },
  {
    what: "answers 304 in pieces",
    handler: (_req, res) => {
      res.statusCode = 304;
      res.write("left");
      res.end("out");
    },
  },
];

const READS: readonly Situation[] = [
  {
    what: "reads a body, then answers",
    ...post,
    handler: async (req, res) => {
      await read(req);
      res.end("hi");
    },
  },
  {
    what: "never reads it, and answers at once",
    ...post,
    handler: (_req, res) => res.end("hi"),
  },
  {
    what: "never reads it, and answers later",
    ...post,
    handler: (_req, res) => void setTimeout(() => res.end("hi"), 20),
  },
  {
    what: "answers before the rest of it comes",
    ...halves,
    handler: (_req, res, note) => {
      res.end("hi");
      res.on("close", () => note("more"));
    },
  },
  {
    what: "reads it in two halves",
    ...halves,
    handler: (req, res, note) => {
      let bytes = 0;
      req.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes === 5) note("more");
      });
      req.on("end", () => res.end("hi"));
    },
  },
  {
    what: "pauses in the middle",
    ...halves,
    handler: (req, res, note) => {
      req.once("data", () => {
        req.pause();
        note("more");
        // Once the rest is there.
        const timer = setInterval(() => {
          if (req.readableLength === 0) return;
          clearInterval(timer);
          req.resume();
        }, 5);
      });
      req.on("end", () => res.end("hi"));
    },
  },
  {
    what: "pauses, and answers without the rest (NH-23)",
    ...post,
    handler: (req, res) => {
      req.on("data", () => req.pause());
      setTimeout(() => res.end("hi"), 20);
    },
  },
  {
    what: "reads it by 'readable'",
    ...post,
    handler: (req, res, note) => {
      req.on("readable", () => {
        const chunk = req.read() as Buffer | null;
        note(`readable ${chunk?.length ?? chunk}`);
      });
      req.on("end", () => res.end("hi"));
    },
  },
  {
    what: "reads it as text",
    ...post,
    handler: (req, res, note) => {
      req.setEncoding("utf8").on("data", (text) => note(`data ${text}`));
      req.on("end", () => res.end("hi"));
    },
  },
  {
    what: "iterates over it",
    ...post,
    handler: async (req, res, note) => {
      for await (const chunk of req) note(`chunk ${chunk}`);
      note("iterated");
      res.end("hi");
    },
  },
  {
    what: "iterates over it, and breaks off once it is whole",
    ...post,
    handler: async (req, res, note) => {
      for await (const _chunk of req) break;
      note("broken off");
      res.end("hi");
    },
  },
  {
    what: "iterates over it, and breaks off before the rest comes",
    ...halves,
    handler: async (req, res, note) => {
      for await (const _chunk of req) break;
      note("broken off");
      res.end("hi");
      note("more");
    },
  },
  {
    what: "iterates without destroying it",
    ...post,
    handler: async (req, res, note) => {
      for await (const chunk of req.iterator({ destroyOnReturn: false })) {
        note(`chunk ${chunk}`);
        break;
      }
      res.end("hi");
    },
  },
];

const PIPES: readonly Situation[] = [
  { what: "pipes its body back", ...post, handler: (req, res) => req.pipe(res) },
  {
    what: "pipes a body of two halves back",
    ...halves,
    handler: (req, res, note) => {
      req.pipe(res);
      setTimeout(() => note("more"), 20);
    },
  },
  {
    what: "unpipes before the end",
    handler: (_req, res, note) => {
      const source = new PassThrough();
      source.pipe(res);
      source.write("a");
      setTimeout(() => {
        source.unpipe(res);
        note("unpiped");
        res.end("b");
      }, 20);
    },
  },
  {
    what: "is the end of a pipeline",
    handler: (_req, res, note) =>
      void pipeline(Readable.from(["a", "b"]), res, (error) => note(`piped ${error?.message}`)),
  },
  {
    what: "pipelines its body through itself",
    ...post,
    handler: (req, res, note) => {
      const upper = new Transform({
        transform: (chunk, _encoding, done) => done(null, String(chunk).toUpperCase()),
      });
      pipeline(req, upper, res, (error) => note(`piped ${error?.message}`));
    },
  },
  {
    what: "is the end of a pipeline that fails",
    handler: (_req, res, note) => {
      const source = new Readable({ read: () => undefined });
      source.push("a");
      pipeline(source, res, (error) => note(`piped ${error?.message}`));
      setTimeout(() => source.destroy(new Error("on purpose")), 20);
    },
  },
  {
    what: "pipelines its body into something that fails",
    ...halves,
    handler: (req, res, note) => {
      const target = new Writable({
        write: (_chunk, _encoding, done) => done(new Error("on purpose")),
      });
      pipeline(req, target, (error) => {
        note(`piped ${error?.message}`);
        res.end("hi");
      });
    },
  },
];

describe("events are those of node:http when a handler", () => compare(ANSWERS));
describe("events are those of node:http when a handler, of a body,", () => compare(READS));
describe("events are those of node:http when a handler", () => compare(PIPES));
