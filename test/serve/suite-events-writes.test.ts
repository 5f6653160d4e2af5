/**
 * What write, end, cork and the methods of the head answer, throw and set going: as node:http does, recorded beside it
 * (NH-7, NH-9, NH-13, NH-20, NH-21). One of the behaviour suites.
 */
import type { ServerResponse } from "node:http";
import { describe } from "vitest";
import { compare, type Note, type Situation } from "../support/behaviour-events.ts";

type Coded = NodeJS.ErrnoException | null | undefined;

/** Notes what an attempt gives or throws. */
function attempt(note: Note, what: string, action: () => unknown): void {
  try {
    const result = action();
    note(`${what}: ${typeof result === "object" ? "an object" : result}`);
  } catch (error) {
    note(`${what}: throws ${(error as NodeJS.ErrnoException).code} ${(error as Error).name}`);
  }
}
const told =
  (note: Note, what: string) =>
  (error?: Coded): void =>
    note(`${what} ${error?.code}`);

const WRITES: readonly Situation[] = [
  {
    what: "waits for its writes",
    handler: (_req, res, note) => {
      note(`first ${res.write("a", told(note, "first written"))}`);
      note(`second ${res.write("b", "latin1", told(note, "second written"))}`);
      res.end("c", "utf8", told(note, "end callback"));
    },
  },
  {
    what: "waits for its end",
    handler: (_req, res, note) => void res.end(told(note, "end callback")),
  },
  {
    what: "ends twice",
    handler: (_req, res, note) => {
      res.end("hi");
      res.end(told(note, "second callback"));
      res.on("close", () => res.end(told(note, "third callback")));
    },
  },
  {
    what: "writes after its end",
    handler: (_req, res, note) => {
      res.end("hi");
      note(`late ${res.write("late", told(note, "late written"))}`);
    },
  },
  {
    what: "ends with more after its end",
    handler: (_req, res, note) => {
      res.end("hi");
      res.end("late", told(note, "late callback"));
    },
  },
  {
    what: "writes nothing",
    handler: (_req, res, note) => {
      note(`empty ${res.write("", told(note, "empty written"))}`);
      setTimeout(() => res.end("", told(note, "end callback")), 10);
    },
  },
  {
    what: "writes what cannot be written",
    handler: (_req, res, note) => {
      for (const chunk of [null, undefined, 1, {}, true]) {
        attempt(note, `write ${chunk}`, () => res.write(chunk as never));
      }
      attempt(note, "end 1", () => res.end(1 as never));
      res.end("hi");
    },
  },
  {
    what: "writes more than there is room for",
    handler: (_req, res, note) => {
      const ready = res.write(Buffer.alloc(8_000_000));
      note(`big ${ready} ${res.writableNeedDrain}`);
      res.once("drain", () => res.end("hi"));
    },
  },
  {
    what: "asks how much there is to write (NH-20)",
    handler: (req, res, note) => {
      const mark = res.writableHighWaterMark;
      note(`${mark} ${mark === req.socket.writableHighWaterMark} ${res.writableLength}`);
      note(`below ${res.write(Buffer.alloc(mark / 2))}`);
      note(`above ${res.write(Buffer.alloc(mark))} ${res.writableLength > mark}`);
      res.on("drain", () => {
        note(`drained ${res.writableLength}`);
        res.end("hi");
      });
      res.on("finish", () => note(`finished ${res.writableLength}`));
    },
  },
  {
    what: "ends with more than there is room for",
    handler: (_req, res, note) => {
      res.end(Buffer.alloc(8_000_000), told(note, "end callback"));
    },
  },
  {
    what: "corks and uncorks (NH-21)",
    handler: (_req, res, note) => {
      res.cork();
      note(`corked ${res.writableCorked === res.socket?.writableCorked}`);
      res.write("a");
      res.write("b");
      note("written");
      res.uncork();
      note(`uncorked ${res.writableCorked === res.socket?.writableCorked}`);
      setTimeout(() => res.end("c"), 10);
    },
  },
  {
    what: "corks twice and for longer than a tick (NH-21)",
    handler: (_req, res, note) => {
      res.cork();
      res.cork();
      res.write("a");
      setTimeout(() => {
        note("a tick later");
        res.uncork();
        note("uncorked once");
        res.uncork();
        res.end("b");
      }, 10);
    },
  },
  {
    what: "ends while it is corked",
    handler: (_req, res, note) => {
      res.cork();
      res.write("a");
      res.end("b", told(note, "end callback"));
    },
  },
  {
    what: "is piped somewhere",
    handler: (_req, res, note) => {
      attempt(note, "pipe", () => res.pipe(process.stderr));
      res.end("hi");
    },
  },
];

const HEADS: readonly Situation[] = [
  {
    what: "sets impossible headers",
    handler: (_req, res, note) => {
      const tries: [string, () => unknown][] = [
        ["line break", () => res.setHeader("X-A", "a\r\nb")],
        ["name", () => res.setHeader("X A", "1")],
        ["empty name", () => res.setHeader("", "1")],
        ["undefined", () => res.setHeader("X-A", undefined as never)],
        ["undefined in writeHead", () => res.writeHead(200, { "X-A": undefined })],
        ["beyond latin1", () => res.setHeader("X-A", "\u0100")],
        ["append", () => res.appendHeader("X-A", "a\0")],
        ["in writeHead", () => res.writeHead(200, { "X-A": "a\nb" })],
        ["in an array", () => res.writeHead(200, ["X-A", "a\nb"])],
        ["odd array", () => res.writeHead(200, ["X-A"])],
        ["reason", () => res.writeHead(200, "O\nK")],
        ["trailer name", () => res.addTrailers({ "X A": "1" })],
        ["trailer value", () => res.addTrailers({ "X-A": "a\nb" })],
      ];
      for (const [what, action] of tries) attempt(note, what, action);
      res.statusMessage = "OK";
      res.end("hi");
    },
  },
  {
    what: "gives impossible statuses",
    handler: (_req, res, note) => {
      for (const status of [0, 99, 1_000, -1, Number.NaN, "abc", undefined, null]) {
        attempt(note, `status ${status}`, () => res.writeHead(status as number));
      }
      res.statusCode = 200;
      res.end("hi");
    },
  },
  {
    what: "changes a head that has left",
    handler: (_req, res, note) => {
      res.setHeader("X-A", "1");
      res.write("a");
      const tries: [string, () => unknown][] = [
        ["set", () => res.setHeader("X-B", "1")],
        ["append", () => res.appendHeader("X-A", "2")],
        ["remove", () => res.removeHeader("X-A")],
        ["get", () => res.getHeader("x-a")],
        ["has", () => res.hasHeader("X-A")],
        ["writeHead", () => res.writeHead(201)],
        ["flush", () => res.flushHeaders()],
        ["early hints", () => res.writeEarlyHints({ link: "</a.css>; rel=preload" })],
        ["implicit", () => (res as unknown as { _implicitHeader(): void })._implicitHeader()],
      ];
      for (const [what, action] of tries) attempt(note, what, action);
      res.end("b");
    },
  },
  {
    what: "calls writeHead twice",
    handler: (_req, res, note) => {
      attempt(note, "first", () => res.writeHead(201));
      attempt(note, "second", () => res.writeHead(202));
      res.end("hi");
    },
  },
  {
    what: "breaks its length, strictly",
    leaves: true,
    handler: (_req, res, note) => {
      res.strictContentLength = true;
      res.setHeader("Content-Length", 4).flushHeaders();
      attempt(note, "too much at once", () => res.write("hello"));
      attempt(note, "part", () => res.write("ab"));
      attempt(note, "too much", () => res.write("cde"));
      attempt(note, "too little", () => res.end());
      attempt(note, "right", () => res.end("cd"));
      // Each end() that threw has left a cork behind.
      while (res.writableCorked > 0) res.uncork();
      setTimeout(() => note("leave"), 10);
    },
  },
  {
    what: "breaks its length in writeHead, strictly",
    handler: (_req, res, note) => {
      res.strictContentLength = true;
      res.writeHead(200, { "content-length": "2" });
      attempt(note, "too much", () => res.write("abc"));
      attempt(note, "right", () => res.end("ab"));
    },
  },
  {
    what: "may not write a body to HEAD (NH-13)",
    method: "HEAD",
    prepare: rejectBodies,
    handler: (_req, res, note) => {
      attempt(note, "write", () => res.write("a"));
      attempt(note, "end", () => res.end("a"));
      attempt(note, "empty end", () => res.end());
    },
  },
  {
    what: "may not write a body to 204 (NH-13)",
    prepare: rejectBodies,
    handler: (_req, res, note) => {
      res.statusCode = 204;
      attempt(note, "write", () => res.write("a"));
      attempt(note, "empty end", () => res.end());
    },
  },
  {
    what: "adds trailers, which are lost",
    handler: (_req, res, note) => {
      res.setHeader("Trailer", "X-Sum");
      res.write("a");
      attempt(note, "trailers", () => res.addTrailers({ "X-Sum": "1" }));
      res.end("b");
    },
  },
  {
    what: "sends 1xx, which are lost (NH-9)",
    handler: (_req, res, note) => {
      const later = res as ServerResponse & Record<string, (...given: unknown[]) => unknown>;
      attempt(note, "continue", () => res.writeContinue(told(note, "continue callback") as never));
      attempt(note, "processing", () => res.writeProcessing());
      attempt(note, "hints", () =>
        res.writeEarlyHints({ link: "</a.css>; rel=preload" }, told(note, "hints callback")),
      );
      attempt(note, "hints of nothing", () => res.writeEarlyHints({ link: [] }));
      attempt(note, "bad hints", () => res.writeEarlyHints({ link: "a.css" }));
      if (typeof later["writeInformation"] === "function") note("information");
      setTimeout(() => res.end("hi"), 10);
    },
  },
  {
    what: "calls what a subclass has to have",
    handler: (_req, res, note) => {
      const base = Object.getPrototypeOf(Object.getPrototypeOf(res));
      attempt(note, "implicit", () => base._implicitHeader.call(res));
      res.end("hi");
    },
  },
];

function rejectBodies(server: object): void {
  Object.assign(server, { rejectNonStandardBodyWrites: true });
}

describe("events are those of node:http when a handler", () => compare(WRITES));
describe("events are those of node:http when a handler, of its head,", () => compare(HEADS));
