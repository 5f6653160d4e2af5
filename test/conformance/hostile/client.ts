/**
 * Bytes for a front server → what came back on that one connection: the head, the body, whether it was whole.
 *
 * A bare socket, since no HTTP client sends what these tests send. Writes as fast as the server takes it and reads all the
 * while, as curl and browsers do; judges nothing.
 */
import { connect } from "node:net";

/** What came back on one connection. */
export interface Outcome {
  /** Of the first final answer; 0: none came. */
  readonly status: number;
  /** Everything that came, latin1. */
  readonly text: string;
  /** Did the first final answer end as it said that it would? By the end of the connection alone counts as well. */
  readonly isWhole: boolean;
  /** How the connection ended. */
  readonly end: "closed" | "reset" | "open";
}

/** Where the body of a first final answer begins, or −1; 1xx are passed over. */
function bodyAt(text: string, from = 0): number {
  const at = text.indexOf("\r\n\r\n", from);
  if (at < 0) return -1;
  return /^HTTP\/1\.[01] 1\d\d/.test(text.slice(from, from + 12)) ? bodyAt(text, at + 4) : at + 4;
}

function headOf(text: string): string {
  const at = bodyAt(text);
  if (at < 0) return "";
  return text.slice(text.lastIndexOf("HTTP/1.", at), at);
}

/** Is the first final answer whole? `undefined`: only the connection's end will tell. */
export function isComplete(text: string): boolean | undefined {
  const at = bodyAt(text);
  if (at < 0) return false;
  const head = headOf(text);
  const length = /^content-length: *(\d+)/im.exec(head);
  if (length) return text.length - at >= Number(length[1]);
  if (/^transfer-encoding: *chunked/im.test(head)) return chunksEnd(text, at);
  return undefined;
}

function chunksEnd(text: string, from: number): boolean {
  for (let at = from; ; ) {
    const line = text.indexOf("\r\n", at);
    if (line < 0) return false;
    const size = Number.parseInt(text.slice(at, line), 16);
    if (!(size >= 0)) return false;
    if (size === 0) return text.indexOf("\r\n", line + 2) >= 0;
    at = line + 2 + size + 2;
  }
}

/** What to send. */
export interface Sending {
  readonly head: string;
  /** Parts of the body, in order. */
  readonly body?: Iterable<string | Buffer>;
  /** Waits for an answer's first line before the body, at most so long (Expect: 100-continue). */
  readonly waitMs?: number;
  /** How long may be without a byte before it is given up; the outcome is "open" then. */
  readonly quietMs?: number;
}

/** Sends, and reads until the first final answer is whole or the connection is over. */
export function exchange(port: number, sending: Sending): Promise<Outcome> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    let end: Outcome["end"] = "open";
    const finish = (): void => {
      const complete = isComplete(text);
      const status = Number(headOf(text).split(" ")[1] ?? 0) || 0;
      done({ status, text, isWhole: complete ?? end === "closed", end });
      socket.destroy();
    };
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      if (isComplete(text) === true) finish();
    });
    socket.setTimeout(sending.quietMs ?? 20_000, finish);
    socket.on("end", () => {
      end = "closed";
      finish();
    });
    socket.on("error", () => {
      // What had come before the reset is what a client has.
      end = "reset";
      finish();
    });
    socket.write(sending.head, "latin1");
    void write(socket, sending, () => text !== "");
  });
}

async function write(
  socket: ReturnType<typeof connect>,
  { body, waitMs = 0 }: Sending,
  hasAnswer: () => boolean,
): Promise<void> {
  const turn = (event: string, ms: number): Promise<void> =>
    new Promise((done) => {
      const over = (): void => {
        clearTimeout(timer);
        for (const name of [event, "close"]) socket.removeListener(name, over);
        done();
      };
      const timer = setTimeout(over, ms);
      for (const name of [event, "close"]) socket.once(name, over);
    });
  if (waitMs > 0 && !hasAnswer()) await turn("data", waitMs);
  for (const part of body ?? []) {
    if (socket.destroyed) return;
    const isTaken = typeof part === "string" ? socket.write(part, "latin1") : socket.write(part);
    if (!isTaken) await turn("drain", 30_000);
  }
}
