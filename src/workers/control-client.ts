/**
 * A request for a primary → its answer, over the control socket.
 *
 * Says in one sentence when nobody answers, and why. Prints nothing and decides nothing.
 */
import { connect } from "node:net";
import {
  ANSWER_BYTES_MAX,
  CLIENTS_MAX,
  type ControlAnswer,
  type ControlRequest,
  readAnswer,
} from "./control-messages.ts";

/** Nobody answers on a control socket. */
export class SilentControl extends Error {
  override readonly name: string = "SilentControl";
}

/** What an answer and its connection are. */
export interface Conversation {
  readonly answer: ControlAnswer;
  /** Resolves when the other side has closed the connection. */
  readonly closed: Promise<void>;
  /** Leaves. */
  close(): void;
}

const HUNG_UP = `it hung up at once, as it does while ${CLIENTS_MAX} others are connected; try again`;

const WHY: Readonly<Record<string, string>> = {
  ENOENT:
    "there is no such socket; it lies beside --socket, and beside --pidfile only where there is no socket",
  ECONNREFUSED: "the socket is there, but nobody listens on it",
  EACCES: "this user may not; only the user that started it may",
  ENOTSOCK: "that is no socket",
  // A server of Node's closes whoever is too many.
  EPIPE: HUNG_UP,
  ECONNRESET: HUNG_UP,
};

function silent(path: string, code: string): SilentControl {
  const name = JSON.stringify(path);
  return new SilentControl(
    `No postern answers on ${name}: ${WHY[code] ?? code}. Is it running, and is that its control socket?`,
  );
}

/**
 * Asks.
 *
 * @param path   of the control socket
 * @param waitMs longest wait for the answer, in milliseconds; 0: as long as it takes
 * @throws SilentControl
 */
export function askControl(
  path: string,
  request: ControlRequest,
  waitMs: number,
): Promise<Conversation> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    let text = "";
    const fail = (code: string): void => {
      socket.destroy();
      reject(silent(path, code));
    };
    const closed = new Promise<void>((done) => socket.once("close", () => done()));
    socket.setEncoding("utf8");
    socket.once("connect", () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on("data", (part: string) => {
      text += part;
      const end = text.indexOf("\n");
      if (end < 0 && text.length <= ANSWER_BYTES_MAX) return;
      const answer = end < 0 ? undefined : readAnswer(text.slice(0, end));
      socket.setTimeout(0);
      if (answer === undefined) fail("what came back is no answer of postern");
      else resolve({ answer, closed, close: () => socket.destroy() });
    });
    socket.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once("end", () => fail("it ended before it had answered"));
    if (waitMs > 0) socket.setTimeout(waitMs, () => fail(`no answer within ${waitMs / 1_000} s`));
  });
}
