/**
 * Requests that end before their time — the client leaves, the handler destroys, somebody throws — with the events and
 * the states of node:http, recorded beside them (NH-5, NH-6, NH-10). One of the behaviour suites.
 */
import { pipeline, Readable } from "node:stream";
import { describe } from "vitest";
import { compare, type Situation } from "../support/behaviour-events.ts";

const halves = { method: "POST", length: 10, body: "hello" };
const later = (action: () => void): void => void setTimeout(action, 10);
const onPurpose = (): Error => new Error("on purpose");

const LEFT: readonly Situation[] = [
  { what: "waits", leaves: true, handler: (_req, _res, note) => later(() => note("leave")) },
  {
    what: "waits with the empty body read",
    leaves: true,
    handler: (req, _res, note) => {
      req.resume();
      later(() => note("leave"));
    },
  },
  {
    what: "waits with a whole body read",
    method: "POST",
    body: "hello",
    leaves: true,
    handler: (req, _res, note) => {
      req.resume();
      req.on("end", () => later(() => note("leave")));
    },
  },
  {
    what: "waits with a whole body unread",
    method: "POST",
    body: "hello",
    leaves: true,
    handler: (_req, _res, note) => later(() => note("leave")),
  },
  {
    what: "waits for a body",
    ...halves,
    leaves: true,
    handler: (req, _res, note) => {
      req.resume();
      later(() => note("leave"));
    },
  },
  {
    what: "waits and reads no body",
    ...halves,
    leaves: true,
    handler: (_req, _res, note) => later(() => note("leave")),
  },
  {
    what: "iterates over a body",
    ...halves,
    leaves: true,
    handler: async (req, _res, note) => {
      later(() => note("leave"));
      try {
        for await (const _chunk of req);
      } catch (error) {
        note(`thrown ${(error as NodeJS.ErrnoException).code}`);
      }
    },
  },
  {
    what: "streams",
    leaves: true,
    handler: (_req, res, note) => {
      res.write("begun");
      later(() => note("leave"));
    },
  },
  {
    what: "is in a pipeline",
    leaves: true,
    handler: (_req, res, note) => {
      const source = new Readable({ read: () => undefined });
      source.push("a");
      pipeline(source, res, (error) => note(`piped ${error?.code}`));
      later(() => note("leave"));
    },
  },
  {
    what: "writes and ends afterwards",
    leaves: true,
    handler: (_req, res, note) => {
      res.on("close", () => {
        const code = (error?: NodeJS.ErrnoException | null): unknown => error?.code;
        note(`write ${res.write("late", (error) => note(`written ${code(error)}`))}`);
        res.end("too late", () => note("end callback"));
      });
      later(() => note("leave"));
    },
  },
  {
    what: "has no listener for errors (NH-10)",
    ...halves,
    leaves: true,
    bare: true,
    throws: true,
    handler: (_req, _res, note) => later(() => note("leave")),
  },
];

const DESTROYED: readonly Situation[] = [
  { what: "destroys its response at once", handler: (_req, res) => res.destroy() },
  { what: "destroys its response", handler: (_req, res) => later(() => res.destroy()) },
  {
    what: "destroys its response with an error",
    handler: (_req, res) => later(() => res.destroy(onPurpose())),
  },
  {
    what: "destroys its response with an error that nobody listens for (NH-10)",
    bare: true,
    throws: true,
    handler: (_req, res) => later(() => res.destroy(onPurpose())),
  },
  {
    what: "destroys its response in mid-body",
    handler: (_req, res) => {
      res.write("a");
      later(() => res.destroy());
    },
  },
  {
    what: "destroys its response twice",
    handler: (_req, res) => later(() => res.destroy(onPurpose()).destroy()),
  },
  {
    what: "destroys its request at once",
    handler: (req) => void req.destroy(),
  },
  { what: "destroys its request", handler: (req) => later(() => req.destroy()) },
  {
    what: "destroys its request with an error",
    handler: (req) => later(() => req.destroy(onPurpose())),
  },
  {
    what: "destroys its request while it reads",
    ...halves,
    handler: (req) => void req.on("data", () => req.destroy()),
  },
  {
    what: "destroys a request that it has read",
    method: "POST",
    body: "hello",
    handler: (req, res) => {
      req.resume().on("end", () => {
        req.destroy();
        later(() => res.end("hi"));
      });
    },
  },
  {
    what: "destroys the socket",
    handler: (req) => later(() => req.socket.destroy()),
  },
  {
    what: "destroys the socket with an error",
    handler: (req) => later(() => req.socket.destroy(onPurpose())),
  },
  {
    what: "emits an error on the socket (NH-10)",
    bare: true,
    throws: true,
    handler: (req, res) =>
      later(() => {
        req.socket.emit("error", onPurpose());
        res.destroy();
      }),
  },
  {
    what: "ends, then destroys (NH-6)",
    handler: (_req, res) => {
      res.end("hi");
      res.destroy();
    },
  },
  {
    what: "ends, then destroys with an error (NH-6)",
    handler: (_req, res) => {
      res.end("hi");
      res.destroy(onPurpose());
    },
  },
  {
    what: "writes, then destroys (NH-6)",
    handler: (_req, res, note) => {
      res.write("hi", (error) => note(`written ${(error as NodeJS.ErrnoException)?.code}`));
      res.destroy();
    },
  },
  {
    what: "writes, then destroys with an error (NH-6)",
    handler: (_req, res) => {
      res.write("hi");
      res.destroy(onPurpose());
    },
  },
  {
    what: "calls the socket's listeners itself (NH-22)",
    handler: (req) =>
      later(() => {
        for (const listener of req.socket.listeners("close")) listener.call({});
      }),
  },
  {
    what: "destroys once it is finished",
    handler: (_req, res) => {
      res.on("finish", () => res.destroy(onPurpose()));
      res.end("hi");
    },
  },
];

const raise = (): never => {
  throw onPurpose();
};
const THROWN: readonly Situation[] = [
  {
    what: "throws at the data",
    ...halves,
    throws: true,
    leaves: true,
    handler: (req, _res, note) => {
      req.on("data", raise);
      setTimeout(() => note("leave"), 50);
    },
  },
  {
    what: "throws at the end of the request",
    method: "POST",
    body: "hello",
    throws: true,
    handler: (req, res) => {
      req.resume().on("end", raise);
      later(() => res.end("hi"));
    },
  },
  {
    what: "throws at the finish",
    throws: true,
    handler: (_req, res) => res.on("finish", raise).end("hi"),
  },
  {
    what: "throws when it is closed",
    throws: true,
    handler: (_req, res) => res.on("close", raise).end("hi"),
  },
  {
    what: "throws when its client leaves",
    throws: true,
    leaves: true,
    handler: (_req, res, note) => {
      res.on("close", raise);
      later(() => note("leave"));
    },
  },
];

describe("events are those of node:http when the client leaves a handler that", () =>
  compare(LEFT));
describe("events are those of node:http when a handler", () => compare(DESTROYED));
describe("events are those of node:http when a listener of a handler", () => compare(THROWN));
