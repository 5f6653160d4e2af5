/**
 * Timeouts: who hears of one, in which order, and what becomes of the request — as with node:http, recorded beside it
 * (NH-17 to NH-19). One of the behaviour suites.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { describe } from "vitest";
import { compare, type Note, type Situation } from "../support/behaviour-events.ts";

/** Longer than a turn of a busy machine, so that what happens at once is not overtaken. */
const SHORT_MS = 60;
const hears =
  (note: Note, who: string) =>
  (socket?: unknown): void =>
    note(`${who} hears, ${(socket as Socket | undefined)?.destroyed}`);

const CASES: readonly Situation[] = [
  {
    what: "sets one on the response",
    handler: (_req, res, note) => {
      const self = res.setTimeout(SHORT_MS, () => {
        note("res hears");
        res.end("late");
      });
      note(`itself ${self === res}`);
    },
  },
  {
    what: "sets one on the request",
    method: "POST",
    length: 10,
    body: "hello",
    more: "world",
    handler: (req, res, note) => {
      const self = req.setTimeout(SHORT_MS, () => {
        note("req hears");
        res.end("late");
      });
      note(`itself ${self === req}`);
      res.on("close", () => note("more"));
    },
  },
  {
    what: "sets one on a request that is complete (NH-18)",
    handler: (req, _res, note) => {
      req.setTimeout(SHORT_MS, hears(note, "req"));
    },
  },
  {
    what: "sets one on the socket, which decides nothing",
    handler: (req, _res, note) => {
      const self = req.socket.setTimeout(SHORT_MS, () => note("socket hears"));
      note(`itself ${self === req.socket}`);
    },
  },
  {
    what: "sets one on the connection and destroys it there (NH-17)",
    handler: (req, res, note) => {
      req.connection.setTimeout(SHORT_MS, () => {
        note("socket hears");
        req.connection.destroy();
      });
      res.setTimeout(0, hears(note, "res"));
      res.setTimeout(SHORT_MS, hears(note, "res"));
    },
  },
  {
    what: "listens everywhere",
    method: "POST",
    length: 10,
    body: "hello",
    more: "world",
    handler: (req, res, note) => {
      req.on("timeout", hears(note, "req"));
      res.on("timeout", hears(note, "res"));
      req.socket.on("timeout", () => note("socket hears"));
      req.socket.setTimeout(SHORT_MS);
      res.once("timeout", () => res.end("late"));
      res.on("close", () => note("more"));
    },
  },
  {
    what: "has one set by its server, and nobody listens",
    prepare: (server) => void server.setTimeout(SHORT_MS),
    handler: () => undefined,
  },
  {
    what: "has one set by its server, which listens",
    prepare: (server: Server, note) => {
      const self = server.setTimeout(SHORT_MS, (socket) => {
        note(`server hears, ${socket.destroyed}`);
        socket.destroy();
      });
      note(`itself ${self === server}`);
    },
    handler: () => undefined,
  },
  {
    what: "takes one away again",
    prepare: (server) => void server.setTimeout(SHORT_MS),
    handler: (req, res) => {
      req.setTimeout(0);
      setTimeout(() => res.end("in time"), 3 * SHORT_MS);
    },
  },
  {
    what: "answers in time",
    handler: (_req, res, note) => {
      res.setTimeout(5_000, hears(note, "res"));
      res.end("in time");
    },
  },
];

describe("events are those of node:http when a handler", () => compare(CASES));
