/**
 * The events of one request in their order, and what of req and res had changed at each of them.
 * A situation is what a handler does and what its client does; it is played to node's own server and to ours, and both
 * recordings must be the same. It judges nothing else: there is no expectation but node's.
 */
import { once } from "node:events";
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect } from "vitest";
import { type Act, behaviour } from "./behaviour-suite.ts";

/** Writes a line of its own into the recording. */
export type Note = (text: string) => void;

/** A handler that both servers can run. */
export type SituationHandler = (req: IncomingMessage, res: ServerResponse, note: Note) => unknown;

/** What a handler does, and its client. */
export interface Situation {
  readonly what: string;
  readonly handler: SituationHandler;
  readonly method?: string;
  /** Announced length of the body; undefined: `body` is all. */
  readonly length?: number;
  /** What is sent of the body with the head. */
  readonly body?: string;
  /** What is sent of it once the handler has noted "more". */
  readonly more?: string;
  /** Does the client go away once the handler has noted "leave"? */
  readonly leaves?: boolean;
  /** Is what nobody catches part of it? */
  readonly throws?: boolean;
  /** Are there no listeners for "error" but the handler's? */
  readonly bare?: boolean;
  /** Sets up the server, before the request. */
  readonly prepare?: (server: HttpServer, note: Note) => void;
}

type Facts = Record<string, unknown>;

const codeOf = (error: unknown): unknown =>
  error == null ? error : ((error as { code?: unknown }).code ?? (error as Error).message);

/** What can be seen of a request. */
function factsOf(req: IncomingMessage, res: ServerResponse): Facts {
  return {
    "req.complete": req.complete,
    "req.aborted": req.aborted,
    "req.readableAborted": req.readableAborted,
    "req.readableEnded": req.readableEnded,
    "req.readableFlowing": req.readableFlowing,
    "req.destroyed": req.destroyed,
    "req.closed": req.closed,
    "req.errored": codeOf(req.errored),
    "res.headersSent": res.headersSent,
    "res.writableEnded": res.writableEnded,
    "res.finished": res.finished,
    "res.writableFinished": res.writableFinished,
    "res.writableNeedDrain": res.writableNeedDrain,
    // Node 26 lets go of what a destroyed response holds, the others a tick later.
    "res.writableCorked": res.destroyed ? "either" : res.writableCorked,
    // Node counts the head and chunk framing as well (NH-20).
    "res.writableLength": res.destroyed ? "either" : res.writableLength > 0 ? "some" : 0,
    "res.destroyed": res.destroyed,
    "res.closed": res.closed,
    "res.errored": codeOf(res.errored),
    "res.socket": res.socket === null ? null : "socket",
    "socket.destroyed": res.writableFinished ? "either" : req.socket?.destroyed,
  };
}

/** One recording. */
export class Recording {
  readonly lines: string[] = [];
  #facts: () => Facts = () => ({});
  #last: Facts = {};

  /** Adds a line: what happened, and every fact that is not as it was at the line before. */
  note(text: string): void {
    const now = this.#facts();
    const changed = Object.entries(now).filter(([name, value]) => this.#last[name] !== value);
    this.#last = now;
    this.lines.push([text, ...changed.map(([name, value]) => `${name}=${value}`)].join(" "));
  }

  /** Has the handler noted this? */
  has(text: string): boolean {
    return this.lines.some((line) => line === text || line.startsWith(`${text} `));
  }

  /** Runs the handler on a request and records what happens. */
  run(situation: Situation, req: IncomingMessage, res: ServerResponse): void {
    const note: Note = (text) => this.note(text);
    this.#facts = () => factsOf(req, res);
    note("request");
    const listen = (name: string, from: NodeJS.EventEmitter, event: string): void => {
      from.on(event, (error?: unknown) =>
        note(event === "error" ? `${name} error ${codeOf(error)}` : `${name} ${event}`),
      );
    };
    const errors = situation.bare === true ? [] : ["error"];
    for (const event of ["aborted", "end", "close", "pause", "resume", ...errors])
      listen("req", req, event);
    for (const event of ["prefinish", "finish", "close", "drain", "pipe", "unpipe", ...errors])
      listen("res", res, event);
    // After a finished response node's socket lives on for the next request, ours does not.
    req.socket.on("close", () => {
      if (!res.writableFinished) note("socket close");
    });
    situation.handler(req, res, note);
    note("returned");
  }

  /** Resolves when the request is over: req and res closed and nothing more to come, or nothing for a while. */
  async over(): Promise<void> {
    for (let quiet = 0, length = -1; quiet < 40; quiet++) {
      if (this.lines.length !== length) quiet = 0;
      length = this.lines.length;
      if (quiet > 2 && this.has("res close") && this.has("req close")) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Catches, while it is played, what would end the process. */
async function catching(recording: Recording, throws: boolean, play: () => Promise<void>) {
  if (!throws) return play();
  process.setUncaughtExceptionCaptureCallback((error) =>
    recording.note(`uncaught ${codeOf(error)}`),
  );
  try {
    await play();
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
}

/** Waits for the marks in the recording at which the client does something. */
async function marks(recording: Recording, text: string): Promise<void> {
  for (let tries = 0; tries < 500 && !recording.has(text); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Plays a situation to node's own server. */
async function recordNode(situation: Situation): Promise<string[]> {
  const recording = new Recording();
  const server = createServer((req, res) => recording.run(situation, req, res));
  situation.prepare?.(server, (text) => recording.note(text));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { method = "GET", body = "", length = body.length, more, leaves, throws } = situation;
  await catching(recording, throws === true, async () => {
    const socket = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
    socket.on("error", () => undefined).resume();
    socket.write(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`);
    if (more !== undefined) {
      await marks(recording, "more");
      socket.write(more);
    }
    if (leaves === true) {
      await marks(recording, "leave");
      socket.destroy();
    }
    await recording.over();
    socket.destroy();
  });
  server.closeAllConnections();
  server.close();
  return recording.lines;
}

/** Plays it to ours. */
async function recordOurs(situation: Situation, act: Act, recording: Recording): Promise<string[]> {
  const { method = "GET", body = "", length = body.length, more, leaves, throws } = situation;
  situation.prepare?.(act.stage.server, (text) => recording.note(text));
  await catching(recording, throws === true, async () => {
    const controller = new AbortController();
    const sent = (async function* () {
      yield Buffer.from(body);
      if (more !== undefined) {
        await marks(recording, "more");
        yield Buffer.from(more);
      }
      if (body.length + (more?.length ?? 0) < length) await new Promise(() => undefined);
    })();
    const headers = { "Content-Length": String(length) };
    const { signal } = controller;
    const answer = act
      .request({ method, signal, ...(length > 0 ? { headers, body: sent } : {}) })
      .then((response) => response.text());
    answer.catch(() => undefined);
    if (leaves === true) {
      await marks(recording, "leave");
      controller.abort();
    }
    await recording.over();
    controller.abort();
  });
  return recording.lines;
}

/** One test for each situation, protocol and engine: the recordings of node and of ours are the same. */
export function compare(situations: readonly Situation[]): void {
  for (const situation of situations) {
    let recording = new Recording();
    let node: Promise<string[]> | undefined;
    const make = () => {
      const own = new Recording();
      recording = own;
      return (req: IncomingMessage, res: ServerResponse) => own.run(situation, req, res);
    };
    behaviour(situation.what, { make }, async (act) => {
      // Asked once: the six runs that follow are held against the same recording.
      node ??= recordNode(situation);
      const expected = await node;
      expect(expected.length).toBeGreaterThan(3);
      expect(await recordOurs(situation, act, recording)).toEqual(expected);
    });
  }
}
